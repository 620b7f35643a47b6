#!/bin/bash
# Each example, pushed to a fresh repository, gives the plan that stands beside it.
# UPDATE=1 writes plan.txt anew.
. tests/support/tap.sh
. tests/support/flow.sh

# Commits and folders differ from run to run.
neutral() { sed -E "s|$flow/|/srv/trueup/|g; s/\b[0-9a-f]{12}\b/<commit>/g"; }

for example in examples/[0-9]*; do
	rm -rf "$config" "$work" "$state" "$flow/images"
	git init -q --bare "$config"
	git clone -q "$config" "$work" 2>/dev/null
	cp -r "$example/config/." "$work/"
	[ ! -d "$example/images" ] || cp -r "$example/images" "$flow/images"
	grep -rlF /srv/trueup/ "$work" --exclude-dir=.git | xargs -r sed -i "s|/srv/trueup/|$flow/|g"
	push "$example"
	set -- --policy.hostDriver.imageRoots="$flow/images" --policy.hostDriver.users=root
	check "$example is valid" "$trueup" validate "$work" "$@"
	got=$("$trueup" plan --repo "$config" --state "$state" "$@" 2>&1)
	check_same "$example: there are changes" 2 $?
	[ "${UPDATE:-}" != 1 ] || neutral <<<"$got" >"$example/plan.txt"
	check_same "$example: the plan is the one beside it" "$(cat "$example/plan.txt")" "$(neutral <<<"$got")"
	check "$example: planning made nothing" test ! -e "$state"
done

done_testing
