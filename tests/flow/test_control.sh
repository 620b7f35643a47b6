#!/bin/bash
# What a person asks of a running reconciler: sync, retry, approve, pause, resume.
. tests/support/tap.sh
. tests/support/flow.sh

settings
live() { "$trueup" "$@" --state "$state"; }

new_config one two
product web
version web 1.0.0 ""
version web 1.1.0 1.0.0 'restartPolicy: "no"'
for name in a b; do deploy $name web 1.0.0 one "prefix: shop-$name"; done
push "two deployments"
start_daemon

# ---- sync ----

check_same "sync --wait ends after the pass" "true" "$(live sync --wait --json | jq .synced)"
check_same "and what it brought is there" $'shop-a-web\nshop-b-web' "$(world one)"
behave one '{"images":{"local/web:1.1.0":{"exitAfterMs":0,"exitCode":1,"output":"no database"}}}'
deploy a web 1.1.0 one "prefix: shop-a"
push "a fails"
check_same "with a failure it is not synced" "false" "$(live sync --wait --json | jq .synced)"
check_same "and exits as apply does" 3 "$(exit_of live sync --wait)"

# ---- retry ----

check_same "status shows the failure beside what serves" "1.0.0 successful 1.1.0 failed" \
	"$(ask '.deployments[] | select(.deployment == "a") | "\(.version) \(.status) \(.wanted.version) \(.wanted.status)"')"
check_same "with the last words of the container" "no database" \
	"$(live deployment --json | jq -r '.deployments[] | select(.status == "failed").error.log | rtrimstr("\n")')"
check_same "retry of what is not there" 66 "$(exit_of live retry nothing)"
check_same "why says how it is tried again" "It is tried again when its inputs change, or by: trueup retry shop/production/a" \
	"$(live why a | grep "^It is tried")"
check "and shows the last words apart" grep -qx "      | no database" <(live why a)
check_same "the environment names a scope" 0 "$(TRUEUP_PROJECT=other live status --json | jq '.deployments | length')"
check "which a whole name needs not" grep -q "^shop/production/a on one" <(TRUEUP_PROJECT=other live why shop/production/a)
check_same "why of a name typed wrong: 66" 66 "$(exit_of live why shop/prodction/a)"
check "and the right one" grep -qF "did you mean shop/production/a?" <(live why shop/prodction/a 2>&1)
check_same "off a terminal a row is one line, whole" 1 \
	"$(live status | grep -c "/a  .*1.1.0 failed: .*")"
check_same "on a page nothing is wider than it" "" "$(COLUMNS=80 live status | awk 'length > 80')"
check_same "nor the list of records" "" "$(COLUMNS=80 live deployment | awk 'length > 80')"
check_same "retry --wait exits 3 when it failed again" 3 "$(exit_of live retry a --wait)"
behave one '{}'
settle
check_same "it is not tried again by itself" "1.0.0" "$(slot a version)"
failed=$(live deployment --json | jq '[.deployments[] | select(.status == "failed")][0].id')
tries=$(live deployment --json | jq '[.deployments[] | select(.status == "failed")][0].tries')
check_same "retry by a record's id names the record" "$failed" "$(live retry "$failed" --json | jq '.records[]')"
check "and it is tried again" wait_until "1.1.0" is a version 1.1.0
check_same "as the same record, one try more" $((tries + 1)) "$(slot a tries)"
check_same "retry where nothing failed" 0 "$(live retry a --json | jq '.records | length')"

# ---- what scripts rely on ----

keys() { jq -c "$1 | keys_unsorted - [\"outage\", \"outageMs\"] | sort"; }
check_same "the keys of status" \
	'["accepted","branch","commit","deployments","nodes","rejected","synced","unclaimed"]' \
	"$(live status --json | keys .)"
check_same "of a deployment in it" \
	'["active","author","commit","containers","deployment","error","finishedAt","health","id","node","prefix","product","project","pull","reason","stage","startedAt","status","tags","tries","version","versionType","waiting","wanted"]' \
	"$(live status --json | keys '.deployments[0]')"
check_same "of a container" '["digest","health","image","name","state"]' \
	"$(live status --json | jq -c '.deployments[0].containers[0] | keys - ["detail"]')"
check_same "of a node" '["drift","driver","engine","error","name","reachable","seenAt"]' \
	"$(live status --json | keys '.nodes[0]')"
check_same "the keys of a plan" \
	'["base","commit","data","hash","held","refused","steps","summary","transitions","unresolved"]' \
	"$("$trueup" plan --repo "$config" --state "$state" --json | keys .)"
check_same "times are RFC 3339 in UTC" "" \
	"$(live deployment --json | jq -r '.deployments[] | .startedAt, .finishedAt | select(. != null)' |
		grep -vE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}Z$')"

# ---- pause, resume ----

check_same "pause of a project that is not there" 66 "$(exit_of live pause shp)"
check_same "of a stage that is not there" 66 "$(exit_of live pause shop/prod)"
check_same "of what is no scope" 64 "$(exit_of live pause shop/production/a)"
live pause shop/production --user ann >/dev/null
check_same "who paused is in the audit log" "ann shop/production" \
	"$(live audit --json | jq -r '.[] | select(.action == "pause") | "\(.actor) \(.subject)"')"
deploy a web 1.0.0 one "prefix: shop-a"
pushed "back to 1.0.0"
check_same "a paused stage stays as it is" "1.1.0" "$(slot a version)"
check_same "and says why" paused "$(slot a waiting.reason)"
rm "$flow/worlds/one/containers/shop-b-web.json"
settle
check "it is not mended either" test ! -e "$flow/worlds/one/containers/shop-b-web.json"
kill_daemon
start_daemon
settle
check_same "a restart does not end the pause" "1.1.0 paused" "$(ask '.deployments[] | select(.deployment == "a") | "\(.version) \(.waiting.reason)"')"
check_same "resume of what is not paused" 66 "$(exit_of live resume shop)"
live resume shop/production >/dev/null
check "resume goes on" wait_until "1.0.0" is a version 1.0.0
check "and mends" wait_until "b" has_container one shop-b-web

# ---- approve: the prune guard ----

put projects/shop/stages/staging/stage.yaml "kind: Stage" "name: staging"
put projects/shop/stages/staging/c.yaml "kind: Deployment" "name: c" "product: web" \
	"version: 1.0.0" "node: two" "strategy: {minHealthy: 0s}"
pushed "staging"
check_same "staging is there" shop-staging-web "$(world two)"
rm -r "$work/projects/shop/stages/staging"
pushed "staging vanishes"
check_same "its removal waits" "staging prune-guard" "$(ask '.rejected[] | "\(.stage) \(.diagnostics[0].code)"')"
check_same "approve of another commit is a conflict" 73 "$(exit_of live approve "$(git -C "$work" rev-parse HEAD~1)")"
check_same "approve of a commit that does not exist" 66 "$(exit_of live approve 0123456789abcdef0123456789abcdef01234567)"
check_same "still it runs" shop-staging-web "$(world two)"
check_same "approve says what may go" '["shop/staging/c@two"]' "$(live approve "$(head_commit)" --json | jq -c .removals)"
check "and lets it go" wait_until "its removal" test -z "$(settle; world two)"
check "all is well" wait_until "synced" is_synced
check "the approval is in the audit log" sh -c "'$trueup' audit --json --state '$state' | grep -q approve"

# ---- approve: a branch that was rewritten ----

old=$(head_commit)
git -C "$work" reset -q --hard HEAD~1
deploy a web 1.1.0 one "prefix: shop-a"
rm -r "$work/projects/shop/stages/staging"
git -C "$work" add -A && git -C "$work" commit -qm "another history" && git -C "$work" push -qf origin main
wait_until "the rewritten branch" in_force
settle
check_same "a rewritten branch waits" "not-forward 1.0.0" "$(ask '"\(.rejected[0].diagnostics[0].code) \(.deployments[0].version)"')"
live approve "$(head_commit)" >/dev/null
check "approve takes it" wait_until "1.1.0" is a version 1.1.0
git -C "$work" push -qf origin "$old~1:main"
git -C "$work" reset -q --hard "$old~1"
wait_until "the old branch" in_force
settle
check_same "the way back is a rewrite again" not-forward "$(ask .rejected[0].diagnostics[0].code)"

done_testing
