#!/bin/bash
# What nodes say now: `trueup app:ps` and `trueup node:info`, with a reconciler and without.
# shellcheck source-path=SCRIPTDIR/../.. disable=SC2317
. tests/support/tap.sh
. tests/support/flow.sh

new_config one two
product web
version web 1.0.0 ''
deploy web web 1.0.0 one
deploy far web 1.0.0 two "prefix: far"
put projects/shop/stages/production/stage.yaml "kind: Stage" "name: production" "nodes: [one]"
put projects/shop/stages/production/box.yaml "kind: App" "name: box" "image: local/box:1" \
	"tasks: {serve: {command: [serve]}, work: {command: [work]}}" "scale: 2"
behave one '{"foreign": ["db"]}'
push "Three"
settings

ps() { "$trueup" app:ps --state "$state" "$@"; }
info() { "$trueup" node:info --state "$state" "$@"; }

check_same "app:ps without a reconciler: 69" 69 "$(exit_of ps box)"
start_daemon
settle

# ---- app:ps ----

check_same "each container of an app" \
	"shop-production-box-serve shop-production-box-serve-2 shop-production-box-work shop-production-box-work-2" \
	"$(ps box --json | jq -r '[.[].container] | sort | join(" ")')"
check_same "as it is" "one running none 0 null" \
	"$(ps box --json | jq -r '.[0] | "\(.node) \(.state) \(.health) \(.restarts) \(.exitCode)"')"
check "since when it runs" eval "ps box --json | jq -e 'all(.since | test(\"^20\"))'"
check "for people as a table" eval "ps box | grep -q '^CONTAINER .*RESTARTS' && [ \$(ps box | wc -l) = 5 ]"
check "on a page within its 80 columns" eval "! COLUMNS=80 ps box | grep -q '.\{81\}'"
check_same "of one node" 0 "$(ps web --node two --json | jq length)"
check_same "one that is not there: 66" 66 "$(exit_of ps bix)"
check "and which was meant" grep -q 'did you mean box' <(ps bix 2>&1)
behave two '{"unreachable": "gone fishing"}'
check_same "of a node that cannot be seen: 69" 69 "$(exit_of ps far)"
check "and why" grep -q 'gone fishing' <(ps far 2>&1)
behave two '{}'

# ---- node:info ----

check_same "what is on a node" "memory true 3 5 db" "$(info one --json |
	jq -r '"\(.driver) \(.reachable) \(.deployments | length + 1) \(.containers | length) \(.foreign | join(" "))"')"
check "whose it is" eval "info one --json | jq -e '.owner | startswith(\"acme/\")'"
check "for people" grep -q '^containers   shop-production-box-serve: running' <(info one)
check "what is not ours" grep -q '^not ours     db$' <(info one)
check_same "a node that is not there: 66" 66 "$(exit_of info three)"
stop_daemon
check_same "without a reconciler it is what was seen last" "memory true null" \
	"$(info one --json 2>/dev/null | jq -r '"\(.driver) \(.reachable) \(.containers)"')"
check "which is said" grep -q 'what was seen last' <(info one 2>&1)
check_same "and no failure" 0 "$(exit_of info one)"

done_testing
