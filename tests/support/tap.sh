# tap.sh - TAP for tests that are shell scripts. Begin with
#
#	. tests/support/tap.sh
#
# and end with done_testing: a script that dies on the way prints no plan, and that is a failure.
# shellcheck shell=bash

tap_count=0
tap_failed=0

# ok NAME - it holds.
ok() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1"
}

# not_ok NAME [LINE...] - it does not hold; the lines say more.
not_ok() {
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $1"
	shift
	[ $# = 0 ] || printf '%s\n' "$@" | sed 's/^/# /'
}

# skip NAME REASON - it could not be tried.
skip() {
	tap_count=$((tap_count + 1))
	echo "# $2"
	echo "ok $tap_count # SKIP $1"
}

# check NAME COMMAND... - holds when the command succeeds; shows its output when it does not.
check() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then ok "$name"; else not_ok "$name" "$output"; fi
}

# check_silent NAME COMMAND... - holds when the command succeeds and prints nothing: each line it
# prints is a complaint.
check_silent() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1) && [ -z "$output" ]; then ok "$name"; else not_ok "$name" "$output"; fi
}

# check_same NAME EXPECTED ACTUAL - holds when both texts are equal.
check_same() {
	if [ "$2" = "$3" ]; then ok "$1"; else
		not_ok "$1" "$(diff <(printf '%s\n' "$2") <(printf '%s\n' "$3"))"
	fi
}

done_testing() {
	echo "1..$tap_count"
	[ "$tap_failed" = 0 ]
	exit
}
