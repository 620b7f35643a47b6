#!/bin/bash
# Order, batches, failure and drift over several nodes: what changes when, and what puts it right.
. tests/support/tap.sh
. tests/support/flow.sh

settings
new_config one two three
product web
version web 1.0.0 ""
version web 1.1.0 1.0.0
version web 1.2.0 1.1.0
# fleet VERSION [LINE...] - one deployment on all nodes
fleet() {
	local version=$1
	shift
	put projects/shop/stages/production/fleet.yaml "kind: Deployment" "name: fleet" "product: web" \
		"version: $version" "nodes: [one, two, three]" "prefix: fleet" \
		"strategy: {minHealthy: 0s, deadline: 2s, maxParallel: 1}" "$@"
}
fleet_status() { ask '[.deployments[] | select(.deployment == "fleet") | "\(.node) \(.version)"] | join(", ")'; }
# order ACTION - nodes in the order in which the log says so
order() { sed -n "s/.* $1 what=[^ ]*@\([a-z]*\).*/\1/p" "$flow/log" | tr '\n' ' '; }

# ---- batches ----

fleet 1.0.0
push "three nodes"
start_daemon
settle
check_same "all nodes are served" "one 1.0.0, three 1.0.0, two 1.0.0" "$(fleet_status)"
check_same "in the order of their names" "one three two " "$(order starts)"
check_same "one after the other" "starts successful starts successful starts successful" \
	"$(grep -oE ' (starts|successful) what' "$flow/log" | sed 's/ what//' | xargs)"

behave one '{"images":{"local/web:1.1.0":{"exitAfterMs":0,"exitCode":1}}}'
fleet 1.1.0
pushed "a bad one"
check_same "a failure on the first node stops the others" "one 1.0.0, three 1.0.0, two 1.0.0" "$(fleet_status)"
check_same "which wait for the ring" "failed on one" \
	"$(ask '.deployments[] | select(.node == "two") | select(.waiting.reason == "ring").waiting.detail')"
check_same "one record failed, no other was tried" 1 \
	"$("$trueup" deployment --json --state "$state" | jq '[.deployments[] | select(.status == "failed")] | length')"
behave one '{}'
check "a name typed wrong: the right one" grep -qF "did you mean fleet?" <("$trueup" retry fleat --state "$state" 2>&1)
"$trueup" retry fleet --state "$state" >/dev/null
check "after retry the whole fleet follows" wait_until "1.1.0" \
	eval '[ "$(fleet_status)" = "one 1.1.0, three 1.1.0, two 1.1.0" ]'

# ---- a node that is away ----

behave two '{"unreachable":"no route to host"}'
fleet 1.2.0
deploy first web 1.0.0 two "prefix: first"
push "while two is away"
wait_until "it to be seen" in_force
check "the node is shown as it is" wait_until "unreachable" \
	eval '[ "$(ask ".nodes[] | select(.name == \"two\").reachable")" = false ]'
check "its slot waits" wait_until "waiting" \
	eval '[ "$(ask ".deployments[] | select(.node == \"two\" and .deployment == \"fleet\").waiting.reason")" = node-unreachable ]'
check "the others go on" wait_until "one and three" \
	eval '[ "$(fleet_status)" = "one 1.2.0, three 1.2.0, two 1.1.0" ]'
check_same "its records keep their status, its containers are unknown" "successful unknown" \
	"$(ask '.deployments[] | select(.node == "two" and .deployment == "fleet") | "\(.status) \(.containers[0].health)"')"
check_same "a first deployment there is shown all the same" "1.0.0 preparing node-unreachable" \
	"$(ask '.deployments[] | select(.deployment == "first") | "\(.version) \(.status) \(.waiting.reason)"')"
check_same "it is not synced" false "$(ask .synced)"
behave two '{}'
check "it is found again by itself and catches up" wait_until "1.2.0 on two" \
	eval '[ "$(fleet_status)" = "one 1.2.0, three 1.2.0, two 1.2.0" ]'
check "and begins then" wait_until "first" \
	eval '[ "$(ask ".deployments[] | select(.deployment == \"first\").status")" = successful ]'
check "all is well" wait_until "synced" is_synced

# ---- dependencies ----

: >"$flow/log"
deploy base web 1.0.0 two "prefix: base"
deploy app web 1.0.0 one "prefix: app" "dependsOn: [base]"
behave two '{"images":{"local/web:1.0.0":{"exitAfterMs":0,"exitCode":1}}}'
pushed "app needs base"
check_same "what depends on a failed one does not start" "" "$(world one | grep app)"
check_same "and says why" "dependency base on two is not successful yet" "$(ask '.deployments[] | select(.deployment == "app") | "\(.waiting.reason) \(.waiting.detail)"')"
behave two '{}'
"$trueup" retry base --state "$state" >/dev/null
check "it follows when the other is successful" wait_until "app" is app status successful
check_same "in this order" "shop/production/base@two shop/production/app@one" \
	"$(sed -n 's/.* successful what=\([^ ]*\).*/\1/p' "$flow/log" | xargs)"

# ---- drift ----

settle
before=$(runs one | grep fleet)
rm "$flow/worlds/one/containers/app-web.json"
check "a container that vanished is seen at once and made again" wait_until "it to be back" has_container one app-web
check "it ends synced" wait_until "synced" is_synced
check_same "and what did not drift is left alone" "$before" "$(runs one | grep fleet)"
check_same "no record is made for it" 1 \
	"$("$trueup" deployment --json --state "$state" | jq '[.deployments[] | select(.deployment == "app")] | length')"

deploy app web 1.0.0 one "prefix: app" "drift: report"
pushed "only report"
rm "$flow/worlds/one/containers/app-web.json"
check "with drift: report it is shown" wait_until "drift" \
	eval '[ "$(ask "[.nodes[].drift[] | select(.deployment == \"app\")] | length")" != 0 ]'
settle
check_same "and not mended" "" "$(world one | grep app)"
check_same "its record stays as it was, its health is down" "successful down false" \
	"$(ask '(.deployments[] | select(.deployment == "app") | "\(.status) \(.health)") + " \(.synced)"')"
deploy app web 1.0.0 one "prefix: app"
pushed "mend again"
check "until the manifest says mend" has_container one app-web

# ---- onFailure: stop ----

behave one '{"images":{"local/web:1.1.0":{"exitAfterMs":0,"exitCode":1}}}'
deploy app web 1.1.0 one "prefix: app" "onFailure: stop"
pushed "stop on failure"
check_same "the failure is on record" "failed" "$(slot app wanted.status)"
left=$(runs one | grep app)
settle
check_same "things are left as they are" "$left" "$(runs one | grep app)"
check "what failed is there to be looked at" grep -q 1.1.0 <(cat "$flow"/worlds/one/containers/app-web*.json)
behave one '{}'
"$trueup" retry app --state "$state" >/dev/null
check "retry goes on from there" wait_until "1.1.0" is app version 1.1.0
check_same "nothing is left over" app-web "$(world one | grep app)"

# ---- volumes ----

version web 2.0.0 1.2.0 "volumes: [{name: data, path: /data}]"
deploy keeper web 2.0.0 three "prefix: keeper"
deploy dropper web 2.0.0 three "prefix: dropper" "dataPolicy: delete"
pushed "two with data"
volumes() { find "$flow/worlds/three/volumes" -name '*.json' -printf '%f\n' | sed 's/\.json$//' | sort | xargs; }
check_same "both have their volume" "dropper-data keeper-data" "$(volumes)"
rm "$work"/projects/shop/stages/production/{keeper,dropper}.yaml
pushed "both go"
check_same "their containers are gone" "fleet-web" "$(world three)"
check_same "data stays unless the manifest said delete" "keeper-data" "$(volumes)"
check "all is well" wait_until "synced" is_synced

# ---- a node that leaves while something is on its way to it ----

# Nothing can be made there, and nothing is there to be seen.
put nodes/four.yaml "kind: Node" "name: four" "driver: memory" "endpoint: file:///proc/none"
deploy late web 1.0.0 four "prefix: late"
push "late"
check "it waits for its node" wait_until "late" is late waiting.reason retry
check_same "and has begun" inProgress "$(slot late status)"
check "status says what it waits for" grep -q 'late .*waiting: retry: make folder /proc/none' \
	<("$trueup" status --state "$state")
rm "$work/nodes/four.yaml" "$work/projects/shop/stages/production/late.yaml"
pushed "the node leaves"
check_same "what was on its way is over" failed \
	"$("$trueup" deployment --json --state "$state" | jq -r '.deployments[] | select(.deployment == "late").status')"
check "nothing is open" wait_until "synced" is_synced
check_same "nor for a plan" 0 "$(exit_of plan)"
check_same "which knows no such node" 66 "$(exit_of plan --node four)"

done_testing
