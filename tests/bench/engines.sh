#!/bin/bash
# engines.sh - figures of container engines, side by side on the same engine: bare calls, trueup, and
# what else is installed. Run by run.sh, below tests/support/engines.sh.
#
# Twenty containers of one image, which the engine has already; their stop signal is KILL. For each
# there are four figures: first apply, no-op, one changed, one recreated. One changed is beside the old
# one, as trueup does it where nothing forbids it; one recreated is in its place, as the others do it.
#
#	bare calls	tests/bench/engine_calls.c says which; the at-once ones are the floor
#	trueup apply	a whole process, from its start to its end
#	trueup run	a daemon, from the moment at which the branch moves until its log says that the
#			last deployment is successful; the no-op pass is as long as a `trueup sync --wait`
#	others		a whole process
#
# All take turns, so that what else the machine does falls on each of them.
# shellcheck source-path=SCRIPTDIR/../..
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(realpath "${BUILD:-build}")
. tests/support/tap.sh
. tests/support/flow.sh
. tests/bench/figures.sh

CONTAINERS=20
image=$(cat "$TRUEUP_ENGINES/registry")/web:1
engine='' socket=''
declare -A took # what and step -> the milliseconds of each run

exec 8>>"$TRUEUP_ENGINES/lock"
flock 8

# ---- the engine ----

api() { curl -s --unix-socket "$socket" "http://engine/v1.41$1" "${@:2}"; }
# removed LIST FILTER PATH - what the filter finds in the list is deleted, eight at a time.
removed() {
	api "$1" | jq -r "$2" | xargs -r -P 8 -I '{}' curl -s -X DELETE --unix-socket "$socket" \
		"http://engine/v1.41$3" >/dev/null
}
# The image stays, by the name that it has of its registry.
clean() {
	removed '/containers/json?all=1' '.[].Id' '/containers/{}?force=1'
	removed /networks '.[] | select(.Name | IN("bridge", "host", "none", "podman") | not).Id' '/networks/{}'
	removed /volumes '.Volumes[]?.Name' '/volumes/{}'
	removed /images/json '.[].RepoTags[]? | select(startswith("trueup.invalid/"))' '/images/{}'
}
bench_end() {
	stop_daemon
	for engine in docker podman; do
		socket=$TRUEUP_ENGINES/$engine/sock
		[ -e "$TRUEUP_ENGINES/$engine/why" ] || clean
	done
	flow_end
}
trap bench_end EXIT

# ---- taking the time ----

# note WHAT STEP MS
note() { took[$1 $2]+="$3 "; }
# timed WHAT STEP COMMAND...
timed() {
	local what=$1 step=$2 start
	shift 2
	start=$(now_us)
	"$@" >"$flow/out" 2>&1 || { echo "$engine: $what: $step failed: $(tail -n 3 "$flow/out")" >&2; return 1; }
	note "$what" "$step" "$(ms_since "$start")"
}

# pss_of PID - of it and its descendants, in KiB, into $pss. Starts nothing: it is called often.
pss_of() {
	local key value kids='' kid sum=0
	while read -r key value _; do
		[ "$key" != Pss: ] || sum=$value
	done 2>/dev/null <"/proc/$1/smaps_rollup"
	read -r kids 2>/dev/null <"/proc/$1/task/$1/children"
	for kid in $kids; do
		pss_of "$kid"
		sum=$((sum + pss))
	done
	pss=$sum
}
# peak_of COMMAND... - the most that it and its descendants take while it runs, in MiB.
peak_of() {
	local pid peak=0
	"$@" >"$flow/out" 2>&1 &
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		pss_of $pid
		[ "$pss" -le $peak ] || peak=$pss
		sleep 0.01
	done
	wait $pid
	scaled $peak 0.0009765625
}

# ---- the configuration ----

bench_version() { # NAME PARENT
	put "projects/shop/products/web-$1.yaml" "kind: Version" "product: web" "name: $1" \
		"type: incremental" ${2:+"parent: $2"} "images:" "  - name: web" "    image: main/shop/web:1" \
		"    config:" "      command: [sleep, \"100000\"]" "      env: {RELEASE: $1}" \
		"      stopSignal: SIGKILL"
}
# deployed NUMBER VERSION [STRATEGY]
deployed() {
	put "projects/shop/stages/production/d$1.yaml" "kind: Deployment" "name: d$1" "prefix: d$1" \
		"product: web" "version: $2" "node: here" "strategy: {minHealthy: 0s${3:+, type: $3}}"
}
branch() { git -C "$work" add -A && git -C "$work" commit -qm "$1" && git -C "$work" push -q origin "HEAD:refs/heads/$1"; }
# configure CONTAINERS - the branches empty, all, changed, recreated, one on top of the other.
configure() {
	local i
	rm -rf "$config" "$work"
	new_config
	put registries/main.yaml "kind: Registry" "name: main" "type: v2" "url: http://${image%%/*}"
	# a link: to the engine, or to whoever counts what it is asked
	put nodes/here.yaml "kind: Node" "name: here" "driver: docker" "endpoint: unix://$flow/engine"
	product web
	bench_version 1.0.0 ""
	bench_version 1.1.0 1.0.0
	branch empty
	for ((i = 0; i < $1; i++)); do deployed $i 1.0.0; done
	deployed 1 1.0.0 recreate
	branch all
	deployed 0 1.1.0
	branch changed
	deployed 1 1.1.0 recreate
	branch recreated
}
move() { git -C "$config" update-ref refs/heads/main "refs/heads/$1"; }
# reach SOCKET - that is where the node is.
reach() { ln -sfn "$1" "$flow/engine"; }

# ---- trueup ----

bench_apply() {
	rm -rf "$state"
	move all
	timed "trueup apply" first apply
	timed "trueup apply" no-op apply
	move changed
	timed "trueup apply" changed apply
	move recreated
	timed "trueup apply" recreated apply
	clean
}

daemon_empty() {
	rm -rf "$state" "$flow/log"
	move empty
	settings
	start_daemon
	settle
}
# moved BRANCH N - until the log says N times more that a deployment is successful.
moved() {
	local size
	size=$(stat -c %s "$flow/log")
	move "$1"
	timeout 120 tail -c +$((size + 1)) -F "$flow/log" 2>/dev/null | grep -am "$2" ' successful ' | wc -l |
		grep -qx "$2"
}
bench_daemon() {
	daemon_empty
	timed "trueup run" first moved all $CONTAINERS
	settle
	timed "trueup run" no-op settle
	timed "trueup run" changed moved changed 1
	settle
	timed "trueup run" recreated moved recreated 1
	stop_daemon
	clean
}

# ---- counting ----

# counted FILE COMMAND... - what it asks the engine meanwhile goes to the file.
counted() {
	local file=$1 counter
	shift
	rm -f "$flow/counter"
	: >"$file"
	"$BUILD/tests/bench/engine_count" "$flow/counter" "$socket" "$file" &
	counter=$!
	wait_until "who counts" test -S "$flow/counter"
	reach "$flow/counter"
	"$@" >/dev/null 2>&1
	kill $counter
	wait $counter 2>/dev/null
	reach "$socket"
}
# bench_calls - what a whole process asks; the requests stay to be read.
bench_calls() {
	local step
	rm -rf "$state"
	for step in first:all no-op:all changed:changed recreated:recreated; do
		move "${step#*:}"
		counted "$BUILD/bench-$engine-${step%:*}.calls" apply
		figure "$engine: trueup apply: ${step%:*}, requests" calls "$([ "${step%:*}" = no-op ] && echo 1)" \
			"$(wc -l <"$BUILD/bench-$engine-${step%:*}.calls")"
	done
	clean
}

# ---- memory ----

bench_memory() {
	local i values=()
	rm -rf "$state"
	move all
	figure "$engine: trueup apply: memory at the peak (PSS)" MiB 20 "$(peak_of apply)"
	stop_daemon
	start_daemon
	settle
	sleep 2
	for ((i = 0; i < runs; i++)); do
		pss_of "$daemon"
		values+=("$(scaled "$pss" 0.0009765625)")
		sleep 0.2
	done
	figure "$engine: trueup run: memory when idle (PSS)" MiB 10 "${values[@]}"
	stop_daemon
	clean
}

# ---- the table ----

# rows WHAT [GOAL-FACTOR] - its four figures beside those of the floor.
rows() {
	local what=$1 step goal values
	for step in first no-op changed recreated; do
		read -ra values <<<"${took[$what $step]:-}"
		[ ${#values[@]} -gt 0 ] || continue
		# shellcheck disable=SC2086
		floor=$(median ${took[at once $step]})
		goal=
		[ -z "${2:-}" ] || { [ $step = no-op ] && goal=20 || goal=$(scaled "$floor" "$2"); }
		figure "$engine: $what: $step" ms "$goal" "${values[@]}"
	done
	floor=
}

bare() { # WHAT HOW
	local figures step
	read -ra figures < <("$BUILD/tests/bench/engine_calls" "$socket" "$2" "$image" $CONTAINERS)
	for step in first no-op changed recreated; do
		note "$1" $step "${figures[0]}"
		figures=("${figures[@]:1}")
	done
	clean
}

bench_engine() {
	local i
	engine=$1 socket=$TRUEUP_ENGINES/$1/sock
	if [ -e "$TRUEUP_ENGINES/$1/why" ]; then
		echo "$1: not measured: $(head -n 1 "$TRUEUP_ENGINES/$1/why")"
		return
	fi
	took=()
	configure $CONTAINERS
	reach "$socket"
	api "/images/create?fromImage=${image%:*}&tag=${image##*:}" -X POST >/dev/null
	for ((i = 0; i < runs; i++)); do
		bare "one by one" one-by-one
		bare "at once" at-once
		bench_apply
		bench_daemon
	done
	rows "one by one"
	rows "at once"
	rows "trueup apply"
	rows "trueup run" 1.05
	bench_calls
	bench_memory
}

for each in ${BENCH_ENGINES:-docker podman}; do bench_engine "$each"; done
