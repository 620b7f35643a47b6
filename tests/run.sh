#!/bin/bash
# run.sh [-j JOBS] [-t SECONDS] [BUILD=folder] TEST... - runs tests, ends with a line for each that
# was skipped or failed, and one line of counts.
#
# A test is a program or script that writes TAP (https://testanything.org) on standard output and
# leaves with status 0 when all went well. It is started in the root of the repository with
#   BUILD    the build folder, TRUEUP the program under test, both absolute
#   TMPDIR   an empty folder of its own, which must be empty again at the end
# and is stopped after SECONDS. BUILD=folder holds for the tests behind it.
#
# Besides each "not ok", one failure more is counted for the first of these that is true: running
# out of time, death by a signal, a status other than 0 without a "not ok", no plan, a plan that does
# not match, no test at all; and one for files left in TMPDIR or processes left running (those that
# still have that TMPDIR in their environment; they are killed).
set -u
cd "$(dirname "$0")/.." || exit 1

jobs=2
seconds=300
while getopts j:t: option; do
	case $option in
	j) jobs=$OPTARG ;;
	t) seconds=$OPTARG ;;
	*) exit 64 ;;
	esac
done
shift $((OPTIND - 1))

work=$(mktemp -d "${TMPDIR:-/tmp}/tu.XXXXXX") || exit 1
chmod 0711 "$work" # tests that run something as another user must be able to let it pass
trap 'chmod -R u+rwX "$work"; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

export CMOCKA_MESSAGE_OUTPUT=TAP LC_ALL=C.UTF-8 TZ=UTC
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1
unset MAKEFLAGS MAKELEVEL MFLAGS

# judge OUTPUT STATUS SECONDS: prints "passed failed skipped", then a line for each complaint
# ("! ...") and each skipped test ("- name: reason"). cmocka writes a skip as "not ok # SKIP".
judge() {
	awk -v status="$2" -v seconds="$3" '
	function complain(text) { failed++; complaints = complaints "! " text "\n" }
	/^1\.\.[0-9]+/ {
		planned = 1; plan += substr($1, 4)
		if ($1 == "1..0" && toupper($0) ~ /# SKIP/) {
			sub(/^[^#]*# [A-Za-z]+ ?/, ""); skipped++; all = 1; skips = skips "- all: " $0 "\n"
		}
		next
	}
	/^(not )?ok/ && toupper($0) ~ /# SKIP/ {
		seen++; skipped++; name = $0; sub(/^(not )?ok[ 0-9-]*/, "", name)
		sub(/# [Ss][Kk][Ii][Pp] */, "", name)
		skips = skips "- " name (note == "" ? "" : ": " note) "\n"; note = ""; next
	}
	/^ok/ { seen++; passed++; note = ""; next }
	/^not ok/ { seen++; failed++; note = ""; next }
	/^Bail out!/ { complain($0) }
	/^# / { note = substr($0, 3) }
	END {
		counted = failed
		if (status == 124 || status == 137) complain("stopped after " seconds " s")
		else if (status > 128) complain("killed by signal " status - 128)
		else if (status != 0 && !counted) complain("exit status " status " without a failed test")
		else if (!planned) complain("no plan")
		else if (plan != seen) complain(plan " tests planned, " seen + 0 " seen")
		else if (!seen && !all) complain("no test")
		print passed + 0, failed + 0, skipped + 0
		printf "%s%s", complaints, skips
	}' "$1"
}

# left_running FOLDER: pids of processes that have it as TMPDIR; those on their way out get a second.
left_running() {
	local tries pids
	for ((tries = 0; tries < 20; tries++)); do
		pids=$(grep -lsxzF "TMPDIR=$1" /proc/[0-9]*/environ | grep -o '[0-9]*')
		[ -n "$pids" ] || return
		sleep 0.05
	done
	echo "$pids"
}

# complain RESULT TEXT: one failure more.
complain() {
	awk -v text="$2" 'NR == 1 { print $1, $2 + 1, $3; print "! " text; next } { print }' \
		"$1" >"$1.new" && mv "$1.new" "$1"
}

# run_one NUMBER TEST NAME: leaves NUMBER.result (what judge prints) and shows a line for people.
run_one() {
	local out=$work/$1.out result=$work/$1.result dir=$work/$1 start=$EPOCHREALTIME status took
	local pids pid passed failed skipped
	mkdir "$dir"
	TMPDIR=$dir BUILD=$PWD/$build TRUEUP=$PWD/$build/trueup \
		timeout -k 10 "$seconds" "$2" </dev/null >"$out" 2>&1 9>&-
	status=$?
	took=$(((${EPOCHREALTIME/./} - ${start/./}) / 1000))
	judge "$out" $status "$seconds" >"$result"
	pids=$(left_running "$dir")
	for pid in $pids; do
		complain "$result" "left running: $pid $(tr '\0' ' ' <"/proc/$pid/cmdline")"
		kill -KILL "$pid"
	done
	[ -z "$(ls -A "$dir")" ] ||
		complain "$result" "left behind: $(cd "$dir" && find . -mindepth 1 | head -5 | tr '\n' ' ')"
	read -r passed failed skipped <"$result"
	{
		flock 9
		printf '%-46s %4d passed' "$3" "$passed"
		[ "$failed" = 0 ] || printf ' %d FAILED' "$failed"
		[ "$skipped" = 0 ] || printf ' %d skipped' "$skipped"
		printf '  %d.%03d s\n' $((took / 1000)) $((took % 1000))
		if [ "$failed" != 0 ]; then
			sed 's/^/    | /' "$out" | tail -n 200
			sed -n 's/^!/    !/p' "$result"
		fi
	} 9>>"$work/lock"
}

# what_failed NUMBER: the same once more in few words, for whoever sees the end of a long run only.
what_failed() {
	{
		sed -n '/# [Ss][Kk][Ii][Pp]/d; s/^not ok[ 0-9-]*//p' "$work/$1.out"
		sed -n 's/^! //p' "$work/$1.result"
	} | head -n 5
}

number=0
running=0
names=()
build=${BUILD:-build}
for argument; do
	case $argument in
	BUILD=*) build=${argument#BUILD=}; continue ;;
	esac
	if [ "$running" -ge "$jobs" ]; then
		wait -n
		running=$((running - 1))
	fi
	case $argument in
	*/*) ;;
	*) argument=./$argument ;;
	esac
	# A script has one name in all builds.
	name=${argument#"$PWD/"}
	case $name in build/* | "$build"/*) ;; *) [ "$build" = build ] || name="$name ($build)" ;; esac
	run_one $number "$argument" "$name" &
	names[number]=$name
	number=$((number + 1))
	running=$((running + 1))
done
wait

passed=0 failed=0 skipped=0
for ((i = 0; i < number; i++)); do
	p=0 f=1 s=0
	[ ! -s "$work/$i.result" ] || read -r p f s <"$work/$i.result"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	[ "$s" = 0 ] || sed -n "s|^- |skipped: ${names[i]}: |p" "$work/$i.result"
	[ "$f" = 0 ] || what_failed "$i" | sed "s|^|failed: ${names[i]}: |"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
