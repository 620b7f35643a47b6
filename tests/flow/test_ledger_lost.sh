#!/bin/bash
# The node is the truth: the ledger is lost, damaged or older, and nothing is restarted for it.
. tests/support/tap.sh
. tests/support/flow.sh

settings
new_config one
product web
version web 1.0.0 ""
version web 1.1.0 1.0.0
product tool
version tool 1.0.0 "" "volumes: [{name: data, path: /data}]"
deploy web web 1.0.0 one
deploy tool tool 1.0.0 one "prefix: tool"
push "1.0.0"
start_daemon
settle
deploy web web 1.1.0 one
pushed "1.1.0"
stop_daemon
before=$(runs one)
release=$("$trueup" deployment:info web --json --state "$state" | jq -r .releaseId)

# ---- deleted ----

rm "$state"/ledger.db*
start_daemon
settle
check_same "a lost ledger changes no container" "$before" "$(runs one)"
check_same "what runs is adopted" "tool 1.0.0 successful adopted,web 1.1.0 successful adopted" \
	"$(ask '[.deployments[] | "\(.deployment) \(.version) \(.status) \(.reason)"] | sort | join(",")')"
check_same "as the same release" "$release" "$("$trueup" deployment:info web --json --state "$state" | jq -r .releaseId)"
check "all is well" is_synced
version web 1.1.0 1.0.0 "args: [changed]"
pushed "change what was adopted"
check_same "what is adopted is frozen as before" version-frozen "$(ask '.rejected[0].diagnostics[0].code')"
revert
check "and the way back is clean" wait_until "synced" is_synced
stop_daemon

# ---- damaged ----

printf 'this is no database, whatever its name says' >"$state/ledger.db"
rm -f "$state/ledger.db-journal"
start_daemon
settle
check_same "a damaged one neither" "$before" "$(runs one)"
check "it is set aside" test -n "$(find "$state" -name '*.corrupt-*')"
check "and that is said" grep -q "ledger damaged" "$flow/log"
check "all is well" wait_until "synced" is_synced
stop_daemon

# ---- under a running reconciler ----

# How often it began anew, and whether all is well after so many times.
lives() { grep -c "begins anew" "$flow/log"; }
sync_again() { "$trueup" sync --state "$state" >/dev/null 2>&1; }
lives_and_syncs() { sync_again && [ "$(lives)" = "$1" ] && is_synced; }

start_daemon
settle
instance=$(cat "$state/instance")
rm "$state"/ledger.db*
check "a ledger that is deleted under a running reconciler is made anew" wait_until "synced" lives_and_syncs 1
check_same "and changes no container" "$before" "$(runs one)"
truncate -s 5000 "$state/ledger.db"
"$trueup" pause shop --state "$state" >/dev/null 2>&1 # something to write down
check "one that is cut short too" wait_until "synced" lives_and_syncs 2
check "and is set aside" test "$(find "$state" -name '*.corrupt-*' | wc -l)" -gt 1
check_same "and changes no container" "$before" "$(runs one)"
stop_daemon
sed -i 's/^interval: .*/interval: 1s/' "$flow/settings.yaml"
start_daemon
settle
rm -r "$state"
check "a state directory that is removed is made anew" wait_until "synced" lives_and_syncs 3
check_same "by the same reconciler" "$instance" "$(cat "$state/instance")"
check_same "and changes no container" "$before" "$(runs one)"
stop_daemon

# ---- another name, another instance ----

sed -i 's/^name: acme$/name: acme-two/' "$work/organization.yaml"
push "another name"
rm "$state"/ledger.db*
start_daemon
settle
check_same "after another name of the organization the nodes are still ours" "$before" "$(runs one)"
check "all is well" wait_until "synced" is_synced
stop_daemon
rm -r "$state"
start_daemon
settle
check "with a new state directory the node is somebody else's" grep -q '^it belongs to' <(ask '.nodes[0].error')
check "and the way out is named" grep -q "put the id behind the slash into $state/instance" <(status)
stop_daemon
echo "$instance" >"$state/instance"
start_daemon
settle
check_same "with the old id it is ours again" "$before" "$(runs one)"
check "all is well" wait_until "synced" is_synced
stop_daemon

# ---- orphans ----

rm "$state"/ledger.db*
rm "$work/projects/shop/stages/production/tool.yaml"
push "the tool goes while nobody remembers it"
start_daemon
settle
check_same "an orphan that a new ledger finds runs on" "$before" "$(runs one)"
check_same "and is shown" tool "$(ask '.unclaimed[0].deployment')"
kill_daemon
start_daemon
settle
check_same "also after a restart" "$before" "$(runs one)"
check_same "a plan does not remove it" null "$(plan --json | jq -r '[.steps[] | select(.action == "remove")][0].container')"
"$trueup" approve "$(head_commit)" --state "$state" >/dev/null
check "approve lets it go" wait_until "the tool to go" eval '[ "$(world one)" = shop-production-web ]'
check_same "its volume stays" tool-data "$(find "$flow/worlds/one/volumes" -name '*.json' -printf '%f\n' | sed 's/\.json$//')"
check "all is well" wait_until "synced" is_synced
check_same "nothing is unclaimed" 0 "$(ask '.unclaimed | length')"
check_same "what serves was not touched" "$(grep shop- <<<"$before")" "$(runs one)"
check "the audit chain is whole" "$trueup" audit --verify --state "$state"

done_testing
