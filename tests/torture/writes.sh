#!/bin/bash
# writes.sh - kill -9 at every write in turn (host driver), of whichever process makes it: of an apply
# and its children, of a daemon and its children, of supervisors; then look whether it heals.
. tests/support/tap.sh
. tests/support/flow.sh
. tests/torture/host.sh
killer=$(realpath "$BUILD/tests/torture/killer")
"$killer" 0 true true 2>&1 | grep -q "counted, exit 0" || {
	echo "skipped: ptrace is not permitted here"
	exit 0
}
host_repository
foreign_begin
table= failed=0 progress=1
for killed in ${TORTURE_KILLED:-apply run}; do
	for name in ${TORTURE_SCENARIOS:-create replace rollback remove}; do
		kills "$name" "${TORTURE_POINTS:-0}" || failed=1
	done
done
end_ours
kill "$foreign"
printf '\n%-7s %-10s %7s %6s %9s %5s %7s %5s\n%s' killed scenario writes kills converged lost doubled time "$table"
exit $failed
