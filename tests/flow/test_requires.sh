#!/bin/bash
# What a version requires of another product: judged before anything is changed, and carried out in
# the one order in which nothing runs beside what it cannot use.
. tests/support/tap.sh
. tests/support/flow.sh

settings
new_config one two
product ledger
product storefront
version ledger 1.9.0 ""
version ledger 2.0.0 1.9.0
version storefront 1.3.0 ""
version storefront 1.4.0 1.3.0
printf '%s\n' 'requires: {ledger: ">= 2.0.0"}' >>"$work/projects/shop/products/storefront-1.4.0.yaml"

# both LEDGER STOREFRONT [LINE...] - the lines are the storefront's
both() {
	local ledger=$1 storefront=$2
	shift 2
	deploy ledger ledger "$ledger" one "prefix: ledger"
	deploy astorefront storefront "$storefront" two "prefix: storefront" "$@"
}
# order - what began and ended since the log was emptied, in order
order() { sed -nE 's/.* (starts|starts again|successful|removed) what=[^ ]*\/([a-z]*)@.*/\1 \2/p' "$flow/log" | paste -sd, -; }

both 1.9.0 1.3.0
push "the older ones"
start_daemon
check "the older ones serve" wait_until "1.3.0" is_synced

# ---- up ----

: >"$flow/log"
both 2.0.0 1.4.0
pushed "both go up"
check "both went up" wait_until "1.4.0" is_synced
check_same "the provider was successful before the dependant began" \
	"starts ledger,successful ledger,starts astorefront,successful astorefront" "$(order)"

# ---- down ----

: >"$flow/log"
revert
wait_until "the revert to be seen" in_force
check "both went down" wait_until "1.3.0" is_synced
check_same "the dependant was down before the provider began" \
	"starts again astorefront,successful astorefront,starts again ledger,successful ledger" "$(order)"

# ---- what is in the way is shown ----

behave one '{"images":{"local/ledger:2.0.0":{"exitAfterMs":0,"exitCode":1}}}'
both 2.0.0 1.4.0
pushed "the provider fails"
check "its dependant waits" wait_until "requires" is astorefront waiting.reason requires
check_same "for it by name" "ledger 2.0.0 on one is not successful yet" "$(slot astorefront waiting.detail)"
check_same "and what served serves" "1.3.0 1.9.0" "$(slot astorefront version) $(slot ledger version)"
behave one '{}'
: >"$flow/log"
"$trueup" retry ledger --state "$state" >/dev/null
check "it follows when the provider is there" wait_until "1.4.0" is_synced
check_same "in this order" \
	"starts ledger,successful ledger,starts astorefront,successful astorefront" "$(order)"

# Both ways at once: up the dependant depends on it, and down it is not waited for.
behave two '{"unreachable":"no route to host"}'
both 1.9.0 1.3.0 "dependsOn: [ledger]"
pushed "down while the dependant is away"
check "the provider waits" wait_until "requires" is ledger waiting.reason requires
check_same "for those that require it" \
	'astorefront 1.4.0 on two requires ledger ">= 2.0.0" and goes first' "$(slot ledger waiting.detail)"
: >"$flow/log"
behave two '{}'
check "they go down together" wait_until "1.3.0" is_synced
check_same "the dependant first, though it depends on the provider" \
	"starts again astorefront,successful astorefront,starts again ledger,successful ledger" "$(order)"

# ---- what would break it is refused ----

both 1.9.0 1.4.0
pushed "too new for the provider"
check_same "the stage is held" "requires-unmet" "$(ask '.rejected[].diagnostics[].code')"
check_same "with the path, and where the version is deployed" \
	'deployment shop/production/astorefront: storefront 1.4.0 -> ledger ">= 2.0.0", but deployed is 1.9.0 by projects/shop/stages/production/ledger.yaml:4' \
	"$(ask '.rejected[].diagnostics[].message')"
check_same "and nothing changed" "1.3.0 successful" "$(slot astorefront version) $(slot astorefront status)"
check_same "validate says so too" 65 "$(exit_of "$trueup" validate "$work")"
check_same "and plan" 65 "$(exit_of plan)"
rm "$work/projects/shop/stages/production/ledger.yaml"
pushed "without a provider"
check "one that is not deployed at all is unmet too" grep -qF "but the stage has no deployment of it" \
	<(ask '.rejected[].diagnostics[].message')

# ---- the end of both ----

both 2.0.0 1.4.0
pushed "up again"
check "both are there" wait_until "1.4.0" is_synced
rm "$work/projects/shop/products/storefront-1.4.0.yaml"
both 1.9.0 1.4.0
pushed "the version's file is removed, and what it requires goes down"
check_same "what it requires is known from the ledger" \
	'deployment shop/production/astorefront: storefront 1.4.0 -> ledger ">= 2.0.0", but deployed is 1.9.0 by projects/shop/stages/production/ledger.yaml:4' \
	"$(ask '.rejected[].diagnostics[].message')"
git -C "$work" checkout -q HEAD~ -- projects
: >"$flow/log"
behave two '{"unreachable":"no route to host"}'
rm "$work"/projects/shop/stages/production/{ledger,astorefront}.yaml
pushed "both are removed, and the dependant cannot be reached"
check_same "what it requires stays" "ledger-web" "$(world one)"
behave two '{}'
check "nothing runs any more" wait_until "the end" eval '[ -z "$(world one)$(world two)" ]'
check "it ends synced" wait_until "synced" is_synced
check_same "the dependant went first" "removed astorefront,removed ledger" "$(order)"

done_testing
