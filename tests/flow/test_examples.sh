#!/bin/bash
# Each example, pushed to a fresh repository, gives the plan that stands beside it.
# UPDATE=1 writes plan.txt anew.
. tests/support/tap.sh
. tests/support/flow.sh

# why_not EXAMPLE: why it cannot be planned here; nothing where it can. An example with a socket of an
# engine gets the Docker Engine of the tests, which is shared.
why_not() {
	grep -rqs /srv/trueup/docker.sock "$1/config" || return
	if [ -z "${TRUEUP_ENGINES:-}" ]; then
		echo "no engines: run it by tests/support/engines.sh"
	elif [ -e "$TRUEUP_ENGINES/docker/why" ]; then
		head -n 1 "$TRUEUP_ENGINES/docker/why"
	else
		ln -s "$TRUEUP_ENGINES/docker/sock" "$flow/docker.sock"
	fi
}
[ -z "${TRUEUP_ENGINES:-}" ] || { exec 8>>"$TRUEUP_ENGINES/lock" && flock 8; }

# Commits and folders differ from run to run.
neutral() { sed -E "s|$flow/|/srv/trueup/|g; s/\b[0-9a-f]{12}\b/<commit>/g"; }

for example in examples/[0-9]*; do
	why=$(why_not "$example")
	[ -z "$why" ] || { skip "$example" "$why"; continue; }
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
