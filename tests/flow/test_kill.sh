#!/bin/bash
# kill -9 at some of the writes of a create and a replace on the host driver, of whichever process
# makes them; `make torture` does it at every one.
. tests/support/tap.sh
. tests/support/flow.sh
. tests/torture/host.sh
killer=$(realpath "$BUILD/tests/torture/killer")
points=${TORTURE_POINTS:-25}
case $BUILD in *san*) points=$((points / 3)) ;; esac

if "$killer" 0 true true 2>&1 | grep -q "counted, exit 0"; then
	host_repository
	foreign_begin
	for name in create replace; do
		check_silent "$name: converged after each of $points kills" kills $name $points
	done
	end_ours
	kill "$foreign"
else
	skip "kill at every write" "ptrace is not permitted here"
fi
done_testing
