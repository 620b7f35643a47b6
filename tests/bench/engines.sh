#!/bin/bash
# engines.sh - figures of container engines, side by side on the same engine: bare calls, trueup, and
# what else is installed. Run by run.sh, below tests/support/engines.sh.
#
# Twenty containers of one image, which the engine has already; their stop signal is KILL. For each
# there are four figures: first apply, no-op, one changed, one recreated. One changed is beside the old
# one, as trueup does it where nothing forbids it; one recreated is in its place, as the others do it.
# Then two hundred containers: how long one takes to run again after it was killed.
#
#	bare calls	tests/bench/engine_calls.c says which; the at-once ones are the floor
#	trueup apply	a whole process, from its start to its end
#	trueup run	a daemon, from the moment at which the branch moves to the one at which its log
#			says that the last deployment is successful; the no-op pass from the question for
#			it (tests/bench/pass.c) to its answer
#	trueup sync	a whole process that asks that daemon and waits for the answer
#	others		a whole process; three runs, fewer of what is slow
#
# All take turns, so that what else the machine does falls on each of them.
# shellcheck source-path=SCRIPTDIR/../..
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(realpath "${BUILD:-build}")
. tests/support/tap.sh
. tests/support/flow.sh
. tests/bench/figures.sh

CONTAINERS=20
MANY=${BENCH_MANY:-200}
OTHERS_RUNS=3   # at the most
OTHERS_MS=60000 # of all steps of one of them: whoever has had so much does not run again
image=$(cat "$TRUEUP_ENGINES/registry")/web:1
engine='' socket=''
declare -A took    # what and step -> the milliseconds of each run
declare -A refused # what lacks a row -> why

exec 8>>"$TRUEUP_ENGINES/lock"
flock 8

# ---- the engine ----

api() { curl -s --unix-socket "$socket" "http://engine/v1.41$1" "${@:2}"; }
# removed LIST FILTER PATH - what the filter finds in the list is deleted, eight at a time.
removed() {
	api "$1" | jq -r "$2" | xargs -r -P 8 -I '{}' curl -s -X DELETE --unix-socket "$socket" \
		"http://engine/v1.41$3" >/dev/null
}
foreign='.Name | IN("bridge", "host", "none", "podman")' # networks that engines bring along
# The image stays, by the name that it has of its registry.
clean_once() {
	removed '/containers/json?all=1' '.[].Id' '/containers/{}?force=1'
	removed /networks ".[] | select($foreign | not).Id" '/networks/{}'
	removed /volumes '.Volumes[]?.Name' '/volumes/{}'
	removed /images/json '.[].RepoTags[]? | select(startswith("trueup.invalid/"))' '/images/{}'
	left=$(
		api '/containers/json?all=1' | jq -c '.[] | [.Names, .State]'
		api /networks | jq -c ".[] | select($foreign | not) | .Name"
	)
	[ -z "$left" ]
}
# Docker can keep the place of a container in a network that is gone with the container.
free_networks() {
	local network container
	for network in $(api /networks | jq -r ".[] | select($foreign | not).Id"); do
		for container in $(api "/networks/$network" | jq -r '.Containers // {} | .[].Name'); do
			api "/networks/$network/disconnect" -H 'Content-Type: application/json' \
				-d "{\"Container\": \"$container\", \"Force\": true}" >/dev/null
		done
	done
}
# What is still in use goes the next time.
clean() {
	local left try
	for try in 1 2 3; do
		! clean_once || return
		sleep $try
		free_networks
	done
	echo "$engine: this could not be removed: $left"
}
bench_end() {
	stop_daemon
	for engine in docker podman; do
		socket=$TRUEUP_ENGINES/$engine/sock
		[ -e "$TRUEUP_ENGINES/$engine/why" ] || clean_once
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
	if ! "$@" >"$flow/out" 2>&1; then
		refused[$what]="$step failed: $(grep . "$flow/out" | tail -n 1)"
		return 1
	fi
	note "$what" "$step" "$(ms_since "$start")"
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
	timed "trueup apply" first apply && timed "trueup apply" no-op apply &&
		move changed && timed "trueup apply" changed apply &&
		move recreated && timed "trueup apply" recreated apply
	clean
}

daemon_empty() {
	rm -rf "$state" "$flow/log"
	move empty
	settings
	start_daemon
	settle
}
# moved WHAT STEP BRANCH N - until the log says N times more that a deployment is successful.
moved() {
	local size successes
	size=$(stat -c %s "$flow/log")
	move "$3"
	mapfile -t successes < <(timeout 120 tail -c +$((size + 1)) -F "$flow/log" 2>/dev/null |
		grep -am "$4" ' successful ')
	if [ ${#successes[@]} != "$4" ]; then
		refused[$1]="$2 failed: the log has ${#successes[@]} of $4 successes"
		return 1
	fi
	note "$1" "$2" $(($(date -d "${successes[-1]%% *}" +%s%3N) - $(stat -c %.3Y "$config/refs/heads/main" | tr -d .)))
}
# no_op_pass WHAT
no_op_pass() {
	local ms
	if ! ms=$("$BUILD/tests/bench/pass" "$state" 2>"$flow/out"); then
		refused[$1]="no-op failed: $(tail -n 1 "$flow/out")"
		return 1
	fi
	note "$1" no-op "$ms"
}
bench_daemon() {
	daemon_empty
	moved "trueup run" first all $CONTAINERS && settle && no_op_pass "trueup run" &&
		timed "trueup sync" no-op settle &&
		moved "trueup run" changed changed 1 && settle &&
		moved "trueup run" recreated recreated 1
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
		figure "$engine: trueup apply: ${step%:*}, requests" calls "" \
			"$(wc -l <"$BUILD/bench-$engine-${step%:*}.calls")"
	done
	counted "$BUILD/bench-$engine-pass.calls" pass "$BUILD/bench-$engine-pass.calls"
	figure "$engine: trueup run: no-op, requests" calls 1 "$pass_calls"
	clean
}
# pass FILE - what one more pass of a daemon adds to the file.
pass() {
	local before
	start_daemon
	settle
	settle
	before=$(wc -l <"$1")
	settle
	pass_calls=$(($(wc -l <"$1") - before))
	stop_daemon
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

# ---- others ----

# Each is written from a table "<name> <release>" of the containers on standard input.
compose_file() {
	local name release
	echo 'version: "2.4"'
	echo 'services:'
	while read -r name release; do
		printf '  %s: {image: "%s", command: [sleep, "100000"], restart: always, stop_signal: SIGKILL, environment: {RELEASE: "%s"}}\n' \
			"$name" "$image" "$release"
	done
}
playbook() {
	local name release
	printf '%s\n' '- hosts: localhost' '  connection: local' '  gather_facts: false' '  tasks:' \
		'    - community.docker.docker_network: {name: shop-production}' \
		'    - community.docker.docker_container:' "        image: $image" \
		'        name: "{{ item[0] }}"' '        env: {RELEASE: "{{ item[1] }}"}' \
		'        command: [sleep, "100000"]' '        restart_policy: always' '        stop_signal: SIGKILL' \
		'        networks: [{name: shop-production}]' '        networks_cli_compatible: true' \
		'      loop:'
	while read -r name release; do echo "        - [$name, \"$release\"]"; done
}
# write_for FORM - one file for each step, in $flow.
write_for() {
	local i
	for ((i = 0; i < CONTAINERS; i++)); do echo "d$i 1"; done >"$flow/table"
	"$1" <"$flow/table" >"$flow/first"
	sed -i '1s/1$/2/' "$flow/table"
	"$1" <"$flow/table" >"$flow/recreated"
	cp "$flow/first" "$flow/no-op"
}

has_compose() { docker compose version >/dev/null 2>&1 || why="docker has no plugin compose"; }
has_docker_compose() { command -v docker-compose >/dev/null || why="Debian's docker-compose is not installed"; }
has_ansible() {
	command -v ansible-playbook >/dev/null || why="Debian's ansible is not installed"
	[ -n "$why" ] || python3 -c 'import docker' 2>/dev/null || why="Debian's python3-docker is not installed"
}
run_compose() { DOCKER_HOST=unix://$socket timeout 120 docker compose -p shop -f "$flow/$1" up -d; }
run_docker_compose() { DOCKER_HOST=unix://$socket timeout 120 docker-compose -p shop -f "$flow/$1" up -d; }
run_ansible() {
	DOCKER_HOST=unix://$socket ANSIBLE_HOME=$flow/ansible ANSIBLE_LOCAL_TEMP=$flow/ansible \
		ANSIBLE_REMOTE_TEMP=$flow/ansible timeout 120 ansible-playbook -i localhost, \
		-e ansible_python_interpreter=/usr/bin/python3 "$flow/$1"
}

others() {
	other compose_file compose "docker compose"
	other compose_file docker_compose "docker-compose"
	other playbook ansible ansible
}
# spent NAME - milliseconds, until now.
spent() { echo "${took[$1 first]:-}${took[$1 no-op]:-}${took[$1 recreated]:-}" | awk '{ for (i = 1; i <= NF; i++) sum += $i } END { printf "%d\n", sum }'; }
# other FORM FUNCTION NAME - once through; a line says why where it cannot be.
other() {
	local form=$1 function=$2 name=$3 step why=''
	[ "$(spent "$name")" -lt $OTHERS_MS ] || return
	"has_$function"
	if [ -n "$why" ]; then
		refused[$name]=$why
		return
	fi
	write_for "$form"
	for step in first no-op recreated; do
		timed "$name" $step "run_$function" $step || break
	done
	clean
}

# ---- two hundred ----

# nanoseconds NAME ACTION - when the engine says that this happened last to the container of that name.
nanoseconds() {
	jq -r --arg name "$1" --arg action "$2" \
		'select(.Action == $action and .Actor.Attributes.name == $name) | .timeNano' "$flow/events" 2>/dev/null | tail -n 1 # the last line may not be whole yet
}
happened() { [ -n "$(nanoseconds "$@")" ]; }
# again NAME - kills it; prints the milliseconds from there until it was started again.
again() {
	local listener
	: >"$flow/events"
	curl -sN --unix-socket "$socket" >"$flow/events" \
		"http://engine/v1.41/events?since=$EPOCHREALTIME&filters=%7B%22type%22%3A%5B%22container%22%5D%7D" &
	listener=$!
	api "/containers/$1/kill?signal=KILL" -X POST
	wait_until "$1 to run again" happened "$1" start
	kill $listener
	wait $listener 2>/dev/null
	scaled $(($(nanoseconds "$1" start) - $(nanoseconds "$1" kill))) 0.000001
}
bench_many() {
	local i agains=()
	at docker "$MANY" || return
	daemon_empty
	moved many first all $MANY || { echo "$engine: $MANY containers: ${refused[many]}"; return; }
	settle
	for ((i = 0; i < runs; i++)); do
		no_op_pass many
		agains+=("$(again "d$((i * 7))-web")")
		settle
	done
	figure "$engine: $MANY containers: first apply" ms "" "${took[many first]}"
	# shellcheck disable=SC2086
	figure "$engine: $MANY containers: no-op" ms "" ${took[many no-op]}
	figure "$engine: $MANY containers: from docker kill to running" ms "" "${agains[@]}"
	stop_daemon
	clean
}

# ---- the table ----

# rows WHAT [GOAL-FACTOR] - its four figures beside those of the floor.
rows() {
	local what=$1 step goal values
	for step in first no-op changed recreated; do
		read -ra values <<<"${took[$what $step]:-}"
		[ ${#values[@]} -gt 0 ] && [ -n "${took[at once $step]:-}" ] || continue
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
	read -ra figures < <("$BUILD/tests/bench/engine_calls" "$socket" "$2" "$image" $CONTAINERS 2>"$flow/out")
	[ ${#figures[@]} = 4 ] || refused[$1]=$(tail -n 1 "$flow/out")
	for step in first no-op changed recreated; do
		[ ${#figures[@]} = 0 ] || note "$1" $step "${figures[0]}"
		figures=("${figures[@]:1}")
	done
	clean
}

# at ENGINE CONTAINERS - what follows is about that engine; fails where there is none.
at() {
	engine=$1 socket=$TRUEUP_ENGINES/$1/sock took=() refused=()
	if [ -e "$TRUEUP_ENGINES/$1/why" ]; then
		echo "$1: not measured: $(head -n 1 "$TRUEUP_ENGINES/$1/why")"
		return 1
	fi
	configure "$2"
	reach "$socket"
	api "/images/create?fromImage=${image%:*}&tag=${image##*:}" -X POST >/dev/null
}
bench_engine() {
	local i
	at "$1" $CONTAINERS || return
	for ((i = 0; i < runs; i++)); do
		bare "one by one" one-by-one
		bare "at once" at-once
		bench_apply
		bench_daemon
		[ $i -ge $OTHERS_RUNS ] || others
	done
	rows "one by one"
	rows "at once"
	rows "trueup apply"
	rows "trueup run" 1.05
	rows "trueup sync"
	for i in "docker compose" docker-compose ansible; do rows "$i"; done
	for i in "${!refused[@]}"; do echo "$engine: $i: not measured: ${refused[$i]}"; done
	bench_calls
	bench_memory
}

for each in ${BENCH_ENGINES-docker podman}; do bench_engine "$each"; done
bench_many
