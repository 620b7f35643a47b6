#!/bin/bash
# Push, upgrade, revert, revert of the revert: what runs and what the records say.
. tests/support/tap.sh
. tests/support/flow.sh

new_config one
product web
version web 1.0.0 ""
version web 1.1.0 1.0.0
deploy web web 1.0.0 one
push "1.0.0"

check_same "a plan of the first push has changes" 2 "$(exit_of plan)"
check "apply does it" apply
check_same "1.0.0 is successful" "1.0.0 successful" "$(records)"
check "status says that it is synced" is_synced
check_same "nothing is left to do" 0 "$(exit_of plan)"
check_same "the container is there" shop-production-web "$(world one)"

deploy web web 1.1.0 one
push "1.1.0"
check_same "the plan names what becomes obsolete" "1.0.0 successful obsolete" \
	"$(plan --json | jq -r '.transitions[] | select(.version == "1.0.0") | "\(.version) \(.from) \(.to)"')"
check "apply upgrades" apply
check_same "1.0.0 is obsolete" $'1.0.0 obsolete\n1.1.0 successful' "$(records)"

first=$("$trueup" deployment:info 1 --json --state "$state" | jq -r .releaseId)
revert
check "apply rolls back" apply
check_same "1.1.0 is downgraded and 1.0.0 serves again" $'1.0.0 successful\n1.1.0 downgraded' "$(records)"
check_same "it is the same release, byte for byte" "$first" \
	"$("$trueup" deployment:info web --json --state "$state" | jq -r .releaseId)"

revert
check "apply reverts the revert" apply
check_same "a downgraded record is copied" \
	$'1.0.0 obsolete\n1.1.0 obsolete\n1.1.0 successful' "$(records)"

# ---- frozen ----

version web 1.1.0 1.0.0 "args: [other]"
push "change 1.1.0 in place"
check_same "a frozen version is refused in review" 65 "$(exit_of plan)"
check_same "and at apply" 65 "$(exit_of apply)"
check_same "with its code" version-frozen "$(ask '.rejected[0].diagnostics[0].code')"
check_same "what runs stays" "successful" "$(slot web status)"
revert
check "the revert is accepted" apply
check "and all is well" is_synced

# ---- removal ----

rm "$work/projects/shop/stages/production/web.yaml"
push "take it down"
check "apply removes" apply
check_same "the container is gone" "" "$(world one)"
check_same "its last record is obsolete" "1.1.0 obsolete" "$(records | tail -n 1)"
check "status shows it no more" test "$(ask '.deployments | length')" = 0

check "the audit chain is whole" "$trueup" audit --verify --state "$state"

done_testing
