#!/bin/bash
# An app and the services that it links to, with the reconciler running: what comes first, what it is
# given, and that what it links to cannot go.
. tests/support/tap.sh
. tests/support/flow.sh

settings
new_config one
stage=projects/shop/stages/production
put $stage/stage.yaml "kind: Stage" "name: production" "nodes: [one]"

# app [LINE...]
app() {
	put $stage/web.yaml "kind: App" "name: web" \
		"network: {public: true, ports: [5000], healthCheck: {path: /up}}" \
		"tasks: {web: {command: [serve]}, job: {command: [work]}}" "$@"
}
# order - what began and ended since the log was emptied, in order
order() { sed -nE 's/.* (starts|successful|removed) what=[^ ]*\/([a-z]*)@.*/\1 \2/p' "$flow/log" | paste -sd, -; }
# spec CONTAINER FILTER - of a container on the node
spec() { jq -r ".spec$2" "$flow/worlds/one/containers/$1.json"; }
# is_empty NODE
is_empty() { [ -z "$(world "$1")" ]; }
# refusal - the codes of what is wrong with the tip
refusal() { "$trueup" validate "$work" --json 2>/dev/null | jq -r '.diagnostics[] | "\(.file):\(.line) \(.code)"'; }

# ---- an app that waits for its image ----

put $stage/web.yaml "kind: App" "name: web"
push "an app without an image"
start_daemon
check "an app without an image is in sync" wait_until "sync" is_synced
check_same "nothing runs" "" "$(world one)"
check_same "as status says" "empty" "$(slot web health)"
check "and why" grep -qF "It has no container: nothing runs." <("$trueup" why web --state "$state")
check_same "and its record has no container" "- successful" "$(records)"

# ---- with what it needs ----

: >"$flow/log"
put $stage/cache.yaml "kind: Service" "name: cache" "type: redis"
put $stage/files.yaml "kind: Service" "name: files" "type: volume"
app "image: local/web:1" "links: {cache: {envKey: CACHE_URL}, files: {path: /files}}"
pushed "an app and its services"
check "all of it serves" wait_until "sync" is_synced
check_same "a container for each task, one for the service" \
	"shop-production-cache shop-production-web shop-production-web-job" "$(world one | paste -sd' ' -)"
check_same "the service was successful before the app began" "successful cache,starts web" \
	"$(order | grep -oE '(successful cache|starts web)' | paste -sd, -)"
check_same "the app knows where it is" "redis://shop-production-cache:6379/0" \
	"$(spec shop-production-web .config.env.CACHE_URL)"
check_same "so does its other task" "redis://shop-production-cache:6379/0" \
	"$(spec shop-production-web-job .config.env.CACHE_URL)"
check_same "the volume is where it was wanted" "files /files" \
	"$(spec shop-production-web '.config.volumes[] | "\(.name) \(.path)"')"
check_same "the network is that of the task with the app's name" "5000 0" \
	"$(spec shop-production-web '.config.ports[0].container') $(spec shop-production-web-job '.config.ports | length')"
check_same "explain --merged knows the lines" "$stage/web.yaml:6 $stage/web.yaml:6" \
	"$("$trueup" explain --merged web --repo "$config" --json |
		jq -r '.slots[0].containers[] | .fields[] | select(.field == "env.CACHE_URL") | "\(.file):\(.line)"' | paste -sd' ' -)"

# ---- more of it ----

runs one >"$flow/before"
app "image: local/web:1" "links: {cache: {envKey: CACHE_URL}, files: {path: /files}}" "scale: 2"
pushed "scaled"
check "it is scaled" wait_until "the second instance" has_container one shop-production-web-2
check "in sync again" wait_until "sync" is_synced
check_same "nothing that served was touched" "" "$(comm -23 "$flow/before" <(runs one))"

# ---- what is linked cannot go ----

runs one >"$flow/before"
rm "$work/$stage/cache.yaml"
pushed "the cache goes"
check "validate counts what is written" grep -qF "6 files, 6 documents: 1 error" \
	<("$trueup" validate "$work" 2>&1)
check_same "the app's line says why not" "$stage/web.yaml:6 unknown-link" "$(refusal)"
check_same "everything runs on" "" "$(diff "$flow/before" <(runs one))"
revert

# ---- the end ----

rm "$work/$stage/cache.yaml" "$work/$stage/web.yaml" "$work/$stage/files.yaml"
pushed "all of it goes"
"$trueup" approve --state "$state" shop/production >/dev/null 2>&1
check "nothing is left" wait_until "an empty node" is_empty one

done_testing
