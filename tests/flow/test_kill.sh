#!/bin/bash
# kill -9 at some of the writes of an apply and of a running reconciler on the host driver, of
# whichever process makes them; `make torture` does it at every one.
. tests/support/tap.sh
. tests/support/flow.sh
. tests/torture/host.sh
killer=$(realpath "$BUILD/tests/torture/killer")
points=${TORTURE_POINTS:-4}
case $BUILD in *san*) points=$((points / 2)) ;; esac

if "$killer" 0 true true 2>&1 | grep -q "counted, exit 0"; then
	host_repository
	foreign_begin
	for name in create replace; do
		check_silent "apply, $name: converged after each of $points kills" kills $name $points
	done
	killed=run
	for name in rollback remove; do
		check_silent "run, $name: converged after each of $points kills" kills $name $points
	done
	end_ours
	kill "$foreign"
else
	skip "kill at some writes" "ptrace is not permitted here"
fi
done_testing
