#!/bin/bash
# run.sh - everything that takes long (two hours at full length): kills at every write, kills at random, byte flips,
# every request to an engine gone wrong in every way.
#
#	TORTURE_POINTS=n   at most n kills in each scenario (default: at every write)
#	TORTURE_KILLS=n    kills of the daemon at random moments (default 200; 1000 with TORTURE_LONG=1)
#	TORTURE_ONLY="..." of: writes random flips engines
#
# Status 0: everything converged, nothing was lost or doubled, nothing foreign was touched.
set -u
cd "$(dirname "$0")/../.." || exit 1
export BUILD=${BUILD:-build}
BUILD=$(realpath "$BUILD")
export TRUEUP=${TRUEUP:-$BUILD/trueup}
failed=0
for part in ${TORTURE_ONLY:-writes random flips engines}; do
	echo "== $part"
	case $part in
	writes | random) tests/torture/"$part".sh || failed=1 ;;
	flips) make -s BUILD="$BUILD" "$BUILD/tests/unit/test_ledger_flips" "$BUILD/tests/unit/test_ledger_state" &&
		tests/torture/flips.sh || failed=1 ;;
	engines) make -s BUILD="$BUILD" "$BUILD/tests/unit/test_docker_faults" &&
		FAULTS_ALL=1 tests/support/engines.sh "$BUILD/tests/unit/test_docker_faults" || failed=1 ;;
	*) echo "unknown part $part" >&2; failed=1 ;;
	esac
done
[ $failed = 0 ] && echo "torture: all well" || echo "torture: FAILED"
exit $failed
