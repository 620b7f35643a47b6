#!/bin/bash
# Tags of a real registry that move, on Docker and Podman nodes: what runs stays, unless it follows.
# shellcheck source-path=SCRIPTDIR/../.. disable=SC2317
. tests/support/tap.sh
. tests/support/flow_engines.sh

# The reconciler stands where its registry can be reached, beside the first engine.
registry_side="nsenter --net --target $(engine_pid "${engines[0]}")"
flow_wrap=$registry_side

# retag FROM TO: a tag of shop/web means what another one means.
retag() {
	local manifests=http://127.0.0.1:5000/v2/shop/web/manifests type=application/vnd.docker.distribution.manifest.v2+json
	$registry_side curl -s --fail -H "Accept: $type" "$manifests/$1" -o "$flow/manifest" &&
		$registry_side curl -s --fail -X PUT -H "Content-Type: $type" --data-binary "@$flow/manifest" \
			"$manifests/$2" && sha256sum <"$flow/manifest" | sed 's/^/sha256:/; s/ .*//'
}

# simple ENGINE NAME [LINE...]: a product with one container that sleeps; the lines are of its image.
simple() {
	put "projects/shop/products/$1-$2.yaml" "kind: Product" "name: $1-$2" "type: simple" "images:" \
		"  - name: $1-$2" "    image: main/shop/web:$2" "${@:3}" \
		"    config:" "      command: [sh, -c, \"trap 'exit 0' TERM; sleep 1000 & wait\"]"
	put "projects/shop/stages/production/$1-$2.yaml" "kind: Deployment" "name: $1-$2" \
		"product: $1-$2" "node: $1" "strategy: {minHealthy: 0s, deadline: 60s}"
}
works() {
	engine_node "$1"
	simple "$1" fixed
	simple "$1" follow "    track: tag"
}

first=$(retag 1 fixed)
retag 1 follow >/dev/null
settings "tagInterval: 1s"
new_config
put registries/main.yaml "kind: Registry" "name: main" "type: v2" "url: http://127.0.0.1:5000"
each works
push "All of them"
start_daemon
digest_of() { slot "$1-$2" 'containers[0].digest'; }
runs() { [ "$(slot "$1-$2" status) $(digest_of "$1" "$2")" = "successful $3" ]; }
check "what is pushed runs" wait_until "the first ones" each runs fixed "$first"
check "also what follows its tag" wait_until "the first ones" each runs follow "$first"

life() { inspect "$1" "shop-production-$1-fixed" '"\(.Id) \(.State.StartedAt)"'; }
before=$(each life)
second=$(retag 2 fixed)
is_told() { ask ".deployments[] | select(.deployment == \"$1-fixed\") | .tags[] | \"\(.from) \(.to)\"" | grep -qx "$first $second"; }
check "a tag that moved is told" wait_until "the moved tag" each is_told
check_same "and nothing was restarted" "$before" "$(each life)"

retag 2 follow >/dev/null
check "a version that follows its tag is replaced" wait_until "the new ones" each runs follow "$second"
which_of() { inspect "$1" "shop-production-$1-follow" .Config.Image | grep -q "$second"; }
check "by digest" each which_of
check_same "and nothing else is" "$before" "$(each life)"

retag 1 fixed >/dev/null
is_silent() { [ "$(slot "$1-fixed" 'tags | length')" = 0 ]; }
check "a tag that came back is no news" wait_until "it to go" each is_silent
stop_daemon

done_testing
