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
