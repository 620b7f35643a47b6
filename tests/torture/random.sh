#!/bin/bash
# random.sh - the daemon is killed at random moments while pushes alternate between two versions.
. tests/support/tap.sh
. tests/support/flow.sh
. tests/torture/host.sh
kills=${TORTURE_KILLS:-$([ "${TORTURE_LONG:-}" = 1 ] && echo 1000 || echo 200)}
RANDOM=${TORTURE_SEED:-1}
host_repository
foreign_begin
git -C "$work" checkout -q main
git -C "$work" reset -q --hard origin/main
good=0 bad=0
release=1.0.0

other_release() {
	if [ $release = 1.0.0 ]; then release=1.1.0; else release=1.0.0; fi
	deploy web web $release here
	push "to $release"
}

# Every 20 kills: is all as it should be?
look() {
	local complaints
	complaints=$(converged "shop-production-web $release
side-web 1.0.0")
	if [ -z "$complaints" ]; then good=$((good + 1)); else
		bad=$((bad + 1))
		echo "after $1 kills: $complaints"
	fi
}

for ((n = 1; n <= kills; n++)); do
	"$trueup" run --repo "$config" --state "$state" --config "$flow_config" 2>>"$flow/log" &
	daemon=$!
	sleep "0.$(printf %03d $((RANDOM % 200)))"
	[ $((n % 2)) = 0 ] || other_release
	sleep "0.$(printf %03d $((RANDOM % 150)))"
	kill_daemon
	[ $((n % 20)) != 0 ] || look $n
done
look "$kills"
end_ours
kill "$foreign"
echo "$kills kills of the daemon, $good looks found all well, $bad did not"
[ $bad = 0 ]
