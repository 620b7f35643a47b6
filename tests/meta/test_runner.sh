#!/bin/bash
# tests/run.sh itself: a suite that cannot fail shows nothing.
set -u
. tests/support/tap.sh
export TMPDIR

# run_lines NAME LAST-LINE COMMAND... - runs a test that consists of these lines of shell.
expect() {
	local name=$1 last=$2 status=0 output
	shift 2
	{
		echo '#!/bin/bash'
		printf '%s\n' "$@"
	} >"$TMPDIR/case.sh"
	chmod +x "$TMPDIR/case.sh"
	output=$(tests/run.sh -t 1 "$TMPDIR/case.sh" 2>&1) || status=$?
	rm "$TMPDIR/case.sh"
	case $last in
	*' 0 failed'*) [ $status = 0 ] ;;
	*) [ $status != 0 ] ;;
	esac && [ "$(tail -1 <<<"$output")" = "$last" ] && ok "$name" || not_ok "$name" "$output"
}

expect "what passes passes" "2 passed, 0 failed, 0 skipped" 'echo 1..2; echo ok 1 - a; echo ok 2'
expect "plan at the end" "1 passed, 0 failed, 0 skipped" 'echo ok 1; echo 1..1'
expect "what fails fails" "1 passed, 1 failed, 0 skipped" 'echo 1..2; echo ok 1; echo not ok 2; exit 1'
expect "failed, but status 0" "0 passed, 1 failed, 0 skipped" 'echo 1..1; echo not ok 1'
expect "passed, but status 1" "1 passed, 1 failed, 0 skipped" 'echo 1..1; echo ok 1; exit 1'
expect "too few" "1 passed, 1 failed, 0 skipped" 'echo 1..2; echo ok 1'
expect "too many" "2 passed, 1 failed, 0 skipped" 'echo 1..1; echo ok 1; echo ok 2'
expect "no plan" "1 passed, 1 failed, 0 skipped" 'echo ok 1'
expect "no test" "0 passed, 1 failed, 0 skipped" 'echo 1..0'
expect "silence" "0 passed, 1 failed, 0 skipped" 'exit 0'
expect "death" "1 passed, 1 failed, 0 skipped" 'echo 1..1; echo ok 1; kill -SEGV $$'
expect "out of time" "1 passed, 1 failed, 0 skipped" 'echo 1..1; echo ok 1; exec sleep 30'
expect "bail out" "1 passed, 1 failed, 0 skipped" 'echo 1..1; echo ok 1; echo Bail out! no disk'
expect "left behind" "1 passed, 1 failed, 0 skipped" 'echo 1..1; echo ok 1; touch $TMPDIR/f'
expect "left running" "1 passed, 1 failed, 0 skipped" \
	'echo 1..1; echo ok 1; sleep 60 >/dev/null 2>&1 &'
expect "skips are counted apart" "1 passed, 0 failed, 2 skipped" \
	'echo 1..3; echo ok 1; echo ok 2 - x "#" skip why; echo not ok 3 "#" SKIP y'
expect "all skipped" "0 passed, 0 failed, 1 skipped" 'echo "1..0 # SKIP no engine"'

printf '%s\n' '#!/bin/sh' 'echo 1..3; echo ok 1; echo not ok 2 - a web serves; exit 1' >"$TMPDIR/case.sh"
chmod +x "$TMPDIR/case.sh"
output=$(tests/run.sh "$TMPDIR/case.sh" 2>&1)
rm "$TMPDIR/case.sh"
check_same "at the end it is said once more what failed" "failed: ./case.sh: a web serves
failed: ./case.sh: 3 tests planned, 2 seen" "$(tail -3 <<<"$output" | head -2 | sed "s|case.sh (.*): |case.sh: |; s|: .*/case|: ./case|")"

output=$(tests/run.sh "$TMPDIR/absent.sh" 2>&1)
check_same "a test that is not there" "0 passed, 1 failed, 0 skipped" "$(tail -1 <<<"$output")"
done_testing
