#!/bin/bash
# Tags that move: what runs goes on running and says so, unless the version follows its tag.
. tests/support/tap.sh
. tests/support/flow.sh

settings "tagInterval: 1s"
new_config one
# simple NAME [LINE...] - a product with one container, deployed; the lines are of its image.
simple() {
	put "projects/shop/products/$1.yaml" "kind: Product" "name: $1" "type: simple" "images:" \
		"  - name: $1" "    image: local/$1:edge" "${@:2}"
	put "projects/shop/stages/production/$1.yaml" "kind: Deployment" "name: $1" "product: $1" \
		"node: one" "strategy: {minHealthy: 0s, deadline: 60s}"
}
flow_deadline=60s
product web
version web 1.0.0 ""
deploy web web 1.0.0 one
simple fixed
simple follow "    track: tag"
start_daemon
pushed "All of them"
check "they are deployed" wait_until "them to be deployed" is_synced

# digest NUMBER - one that nothing has.
digest() { printf 'sha256:%064d' "$1"; }
# means IMAGE NUMBER [RULES] - what the tag means from now on.
means() { behave one "{\"images\": {\"$1\": {\"digest\": \"$(digest "$2")\"${3:+, $3}}}}"; }
tags_of() { ask ".deployments[] | select(.deployment == \"$1\") | .tags[] | \"\(.container) \(.to)\""; }
has_tag() { [ "$(tags_of "$1")" = "$2 $(digest "$3")" ]; }
runs_digest() {
	[ "$(ask ".deployments[] | select(.deployment == \"$1\") | \"\(.status) \(.containers[].digest)\"")" = \
		"successful $(digest "$2")" ]
}

# ---- reported, and not followed ----

before=$(runs one)
means local/fixed:edge 1
check "a tag that moved is told by status" wait_until "the moved tag" has_tag fixed fixed 1
check_same "with all that is to be known of it" \
	'["container","from","hint","image","since","to"] local/fixed:edge sha256 true' \
	"$(ask '.deployments[] | select(.deployment == "fixed").tags[0] | "\(keys | tojson) \(.image) \(.from[:6]) \(.since | fromdateiso8601? // (sub("\\.[0-9]+Z"; "Z") | fromdateiso8601) | . > 1700000000)"')"
check "in words, too" grep -qE "^fixed: local/fixed:edge means sha256:0{12} since .*track: tag" <(status)
check "by why" grep -qF "local/fixed:edge means sha256:0000" <("$trueup" why fixed --state "$state")
check "by plan" grep -qF "on one (tag): local/fixed:edge" <(plan)
check_same "which has no changes" 0 "$(exit_of plan)"
check "and by the audit log" grep -q "tag-moved.*shop/production/fixed@one" <("$trueup" audit --state "$state")
check_same "all is in sync" true "$(ask .synced)"
means local/web:1.0.0 2
check "one that means again what was recorded is no news any more" wait_until "it to go" \
	eval '[ -z "$(tags_of fixed)" ]'
check "also of a frozen version" wait_until "the moved tag" has_tag web web 2
behave one '{"images": {"*": {"noRegistry": "connection refused"}}}'
for i in $(seq 1000); do means local/fixed:edge "$i"; done
check "a tag that moved a thousand times is told" wait_until "the last one" has_tag fixed fixed 1000
check_same "and nothing was restarted" "$before" "$(runs one)"
stop_daemon
start_daemon
check_same "after a restart it is known still" "fixed $(digest 1000)" "$(tags_of fixed)"

# ---- followed ----

of_follow() { "$trueup" deployment --json --state "$state" | jq -r "[.deployments[] | select(.deployment == \"follow\")] | $1"; }

means local/follow:edge 3
check "a version that follows its tag gets a new record" wait_until "the new one" runs_digest follow 3
check_same "which replaces the one before" "- obsolete|- successful" \
	"$(of_follow '[.[] | "\(.version // "-") \(.status)"] | join("|")')"
others() { runs one | grep -v follow; }
check_same "and nothing else" "$(grep -v follow <<<"$before")" "$(others)"

means local/follow:edge 4 '"refuse": "it does not start"'
is_held() { [ "$(slot follow wanted.status)" = failed ]; }
check "what does not work is given back" wait_until "the failure" is_held
check "and what served serves" wait_until "it to serve" runs_digest follow 3
check_same "it is not tried again" 1 "$(of_follow '.[-1].tries')"
check "plan says why" grep -qF "it is not tried again until its inputs change" <(plan)
means local/follow:edge 5
check "until the tag moves on" wait_until "the next one" runs_digest follow 5

means local/follow:edge 6
check "one that moves too often has to rest first" wait_until "the rest" \
	eval 'ask ".deployments[].tags[].hint" | grep -q "moves too often"'
check "then it is followed" wait_until "the last one" runs_digest follow 6
stop_daemon

done_testing
