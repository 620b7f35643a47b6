#!/bin/bash
# What fails: a bad release, a bad stage, a bad commit, a node that is away. What served goes on serving.
. tests/support/tap.sh
. tests/support/flow.sh

new_config one two
product web
version web 1.0.0 ""
version web 1.1.0 1.0.0
version web 1.2.0 1.1.0
deploy web web 1.0.0 one
push "1.0.0"
check "1.0.0 is applied" apply

# ---- a release that never becomes healthy ----

behave one '{"images":{"local/web:1.1.0":{"exitAfterMs":0,"exitCode":7,"output":"no database"}}}'
deploy web web 1.1.0 one
push "1.1.0"
check_same "a release that exits makes apply say so" 3 "$(exit_of apply)"
check_same "it is failed, what was before serves" $'1.0.0 successful\n1.1.0 failed' "$(records)"
check_same "status shows the failure beside what serves" "1.0.0 1.1.0 failed" \
	"$(ask '.deployments[0] | "\(.version) \(.wanted.version) \(.wanted.status)"')"
check "why says what it last wrote" grep -qx '      | no database' <("$trueup" why web --state "$state")
check "and how it ended" grep -q 'failed at health: .* was not healthy within 6s: .* restart.*: exited with 7$' \
	<("$trueup" why web --state "$state")
check_same "only the functional container is there" shop-production-web "$(world one)"
before=$(records | wc -l)
check_same "it is not tried again by itself" 3 "$(exit_of apply)"
check_same "so there is no further record" "$before" "$(records | wc -l)"
check_same "a plan lists it as held" failed "$(plan --json | jq -r '.held[0].reason')"

# ---- one bad stage holds back no other ----

put projects/shop/stages/staging/stage.yaml "kind: Stage" "name: staging"
put projects/shop/stages/staging/web.yaml "kind: Deployment" "name: web" "product: web" \
	"version: 1.0.0" "node: two" "strategy: {minHealthy: 0s}"
deploy web web 9.9.9 one
push "staging is new, production is wrong"
check_same "the commit is refused in part" 65 "$(exit_of apply)"
check_same "the refusal names the stage" "production unknown-version" \
	"$(ask '.rejected[] | "\(.stage) \(.diagnostics[0].code)"')"
check_same "the other stage went on" shop-staging-web "$(world two)"
check_same "what ran in the bad one runs" shop-production-web "$(world one)"

# ---- a mended commit ----

behave one '{}'
deploy web web 1.2.0 one
push "1.2.0"
check "the next commit is accepted" apply
check_same "and is in force" "successful" "$(ask '.deployments[] | select(.stage == "production") | .status')"
check "all is well" is_synced

# ---- what serves goes down ----

behave one '{"images":{"local/web:1.2.0":{"exitAfterMs":0,"exitCode":9}}}'
apply >/dev/null 2>&1
check "why says what is down, and how" grep -qx '  shop-production-web: restarting: exited with 9' \
	<("$trueup" why shop/production/web --state "$state")
behave one '{}'
check "and up again" apply

# ---- trees that must change nothing ----

commit=$(head_commit)
git -C "$work" rm -rq . && git -C "$work" commit -qm "empty" && git -C "$work" push -q origin main
check_same "an empty tree is refused" 65 "$(exit_of apply)"
check_same "and nothing is removed" "shop-production-web" "$(world one)"
git -C "$work" reset -q --hard "$commit" && git -C "$work" push -qf origin main
check "going back to where it was is no rewrite" apply

git -C "$work" reset -q --hard HEAD~2 && git -C "$work" push -qf origin main
check_same "a rewritten branch is refused" 65 "$(exit_of apply)"
check_same "with its code" not-forward "$(ask '.rejected[0].diagnostics[0].code')"
git -C "$work" reset -q --hard "$commit" && git -C "$work" push -qf origin main
check "forward again" apply

git -C "$config" update-ref -d refs/heads/main
check_same "a deleted branch is an error" 66 "$(exit_of apply)"
check_same "and changes nothing" "shop-production-web" "$(world one)"
git -C "$work" push -q origin main
check "it is back" apply

# ---- a removal that is not explained ----

git -C "$work" rm -rq projects/shop/stages/staging && git -C "$work" commit -qm "drop staging" && git -C "$work" push -q origin main
check_same "a stage that vanishes is held" 65 "$(exit_of apply)"
check_same "by the prune guard" prune-guard "$(ask '.rejected[0].diagnostics[0].code')"
check_same "and runs on" shop-staging-web "$(world two)"
git -C "$work" commit -q --allow-empty -m "really" -m "Trueup-Prune: shop/staging" && git -C "$work" push -q origin main
check "the trailer lets it go" apply
check_same "it is gone" "" "$(world two)"

# ---- a step that fails ----

behave one '{"foreign": ["blocked-web"]}'
deploy blocked web 1.0.0 one "prefix: blocked"
push "a name that is taken"
check_same "a foreign container in the way" 3 "$(exit_of apply)"
why=$("$trueup" why blocked --state "$state")
check "why says which step failed" grep -q 'create blocked-web: container blocked-web of node one is not ours$' <<<"$why"
check "and that nothing serves" grep -q '^Nothing serves' <<<"$why"
check "and that the next one was not tried" grep -q 'start blocked-web: not tried$' <<<"$why"

# ---- an outage is measured ----

# one_after_the_other VERSION - where two must never run side by side
one_after_the_other() {
	put projects/shop/stages/production/db.yaml "kind: Deployment" "name: db" "product: web" \
		"version: $1" "node: two" "prefix: db" \
		"strategy: {type: recreate, minHealthy: 0s, deadline: 1s}"
	push "db $1"
	apply >/dev/null 2>&1
}
# audit_of ACTION DEPLOYMENT - what was last noted of it
audit_of() {
	"$trueup" audit --json --state "$state" | jq -r --arg action "$1" --arg name "/$2@" \
		'[.[] | select(.action == $action and (.subject | contains($name)))][-1].detail'
}

one_after_the_other 1.0.0
check_same "nothing was down for the first" "1.0.0" "$(audit_of successful db)"
one_after_the_other 1.1.0
check "the outage of a replacement is on record" grep -qxE '1\.1\.0, down for [0-9]+m?s' <(audit_of successful db)
behave two '{"images":{"local/web:1.2.0":{"exitAfterMs":0}}}'
one_after_the_other 1.2.0
check "and that of a failed one, which is longer" grep -qxE '1\.1\.0, down for [0-9.s]+([0-9]+ms)?' <(audit_of reinstated db)
check_same "side by side nothing is down" "1.2.0" "$(audit_of successful web)"

done_testing
