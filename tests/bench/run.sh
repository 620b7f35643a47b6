#!/bin/bash
# run.sh - figures, each the median of BENCH_RUNS (5) runs, as a table and in $BUILD/bench.json.
# A goal that is missed is shown, not failed: figures depend on the machine.
#
#	BENCH_ONLY="..."      of: push idle thousand manifests bombs engines
#	BENCH_ENGINES="..."   of: docker podman; "" leaves the two hundred containers
#	BENCH_MANY=n          instead of two hundred
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(realpath "${BUILD:-build}")
export TRUEUP=$BUILD/trueup
. tests/support/tap.sh
. tests/support/flow.sh
. tests/bench/figures.sh
export BENCH_ROWS=$flow/rows
: >"$BENCH_ROWS"

# anew - an empty place: no repository, no state, nothing running.
anew() {
	stop_daemon
	end_workloads
	rm -rf "$config" "$work" "$state" "$flow/worlds" "$flow/data" "$flow/log"
}
# many FROM TO LINE... - one deployment a file, name d<number>; the lines follow its name.
many() {
	local from=$1 to=$2
	shift 2
	mkdir -p "$work/projects/shop/stages/production"
	printf '%s\n' "$@" | awk -v from="$from" -v to="$to" -v dir="$work/projects/shop/stages/production" '
	{ rest = rest $0 "\n" }
	END {
		for (i = from; i <= to; i++) {
			file = dir "/d" i ".yaml"
			printf "kind: Deployment\nname: d%d\nprefix: d%d\n%s", i, i, rest >file
			close(file)
		}
	}'
}
memory_many() {
	anew
	new_config one
	product web
	version web 1.0.0 ""
	many 1 "$1" "product: web" "version: 1.0.0" "node: one" "strategy: {minHealthy: 0s}"
	push "$1 deployments"
}

# ---- push to the workload's process ----

bench_push() {
	local i start started values=() users=
	anew
	new_config
	mkdir -p "$flow/images/web/1.0.0"
	printf '#!/bin/sh\ndate +%%s%%N >"$TRUEUP_DIR/started.$RUN"\nexec sleep 100000\n' >"$flow/images/web/1.0.0/run"
	chmod 755 "$flow/images/web/1.0.0/run"
	put nodes/here.yaml "kind: Node" "name: here" "driver: host" "imageRoot: $flow/images" "dataRoot: $flow/data"
	[ "$(id -u)" != 0 ] || users="    users: [root]"
	printf '%s\n' "kind: Settings" "repo: $config" "policy:" "  hostDriver:" \
		"    imageRoots: [$flow/images]" "$users" >"$flow/settings.yaml"
	product web
	version web 1.0.0 "" "command: [./run]" "env: {RUN: \"0\"}" "stopSignal: SIGKILL"
	sed -i "s|type: incremental|type: rolling|" "$work/projects/shop/products/web-1.0.0.yaml"
	sed -i '/RELEASE/d' "$work/projects/shop/products/web-1.0.0.yaml"
	many 1 100 "product: web" "version: 1.0.0" "node: here" "strategy: {minHealthy: 0s}"
	push "100 deployments"
	flow_config=$flow/settings.yaml
	start_daemon
	settle
	for ((i = 1; i <= runs; i++)); do
		many 7 7 "product: web" "version: 1.0.0" "node: here" "strategy: {minHealthy: 0s}" \
			"config: {env: {RUN: \"$i\"}}"
		git -C "$work" commit -qam "run $i"
		git -C "$work" push -q origin HEAD:refs/heads/next
		settle
		started=$flow/data/d7-web/started.$i
		start=$(date +%s%N)
		git -C "$config" update-ref refs/heads/main refs/heads/next
		wait_until "the workload" test -s "$started"
		values+=("$(awk -v a="$start" -v b="$(cat "$started")" 'BEGIN { printf "%.1f", (b - a) / 1e6 }')")
	done
	figure "push to the workload's process, 100 deployments (host)" ms 100 "${values[@]}"
	flow_config=
	anew
}

# ---- idle ----

declare -A idle_kib

bench_idle() {
	local i values=() calls
	memory_many "$1"
	start_daemon
	settle
	sleep 2
	for ((i = 0; i < runs; i++)); do
		pss_of "$daemon"
		idle_kib[$1]=$pss
		values+=("$(awk -v k="${idle_kib[$1]}" 'BEGIN { printf "%.1f", k / 1024 }')")
		sleep 0.2
	done
	figure "memory of the idle daemon, $1 deployments (PSS)" MiB "$2" "${values[@]}"
	# Each poll of a local repository is ten: the branch is read (4), a tenth of jitter drawn, the
	# lock and the ledger are looked for (3), the timer set, and waited. The rest is strace's coming.
	timeout -s INT "${BENCH_IDLE:-60}" strace -c -f -p "$daemon" -o "$flow/strace" 2>/dev/null
	calls=$(awk '$NF == "total" { print $4 == "total" ? $3 : $(NF - (NF > 5 ? 2 : 1)) }' "$flow/strace")
	figure "system calls of the idle daemon a minute, $1 deployments" calls "" \
		$((${calls:-0} * 60 / ${BENCH_IDLE:-60}))
}

# bench_idle_each - what a deployment takes of it.
bench_idle_each() {
	figure "... for each deployment (900 of them)" KiB 4 \
		"$(awk -v k=$((idle_kib[1000] - idle_kib[100])) 'BEGIN { printf "%.2f", k / 900 }')"
}

# ---- 1,000 deployments ----

bench_thousand() {
	local i start first=() again=()
	memory_many 1000
	for ((i = 0; i < runs; i++)); do
		rm -rf "$state" "$flow/worlds/one"
		mkdir -p "$flow/worlds/one"
		start=$(now_us)
		apply >/dev/null 2>&1 || echo "apply failed"
		first+=("$(ms_since "$start")")
		start=$(now_us)
		apply >/dev/null 2>&1
		again+=("$(ms_since "$start")")
	done
	figure "first apply of 1,000 deployments (memory driver)" ms "" "${first[@]}"
	figure "no-op apply of 1,000 deployments (memory driver)" ms "" "${again[@]}"
}

# ---- 10,000 manifests ----

# took EVENT - milliseconds of the last log line "EVENT".
took() { grep -a " $1 " "$flow/log" | tail -n 1 | sed -n 's/.* ms=\([0-9.]*\).*/\1/p'; }
# await_log EVENT - until the log says so; whoever waits takes no processor's time.
await_log() { timeout 60 tail -n +1 -F "$flow/log" 2>/dev/null | grep -aqm 1 " $1 "; }
# first_load - a reconciler on a state of its own; nothing but it runs until its plan is ready.
first_load() {
	rm -rf "$state" "$flow/log" "$flow/worlds/one"
	mkdir -p "$flow/worlds/one"
	: >"$flow/log"
	"$trueup" run --repo "$config" --state "$state" 2>>"$flow/log" &
	daemon=$!
	await_log "plan ready"
	settle
}
# move COMMIT - main moves there, and all that follows comes to its end.
move() {
	git -C "$config" update-ref refs/heads/main "$1"
	settle
}

# beside FLOOR NAME VALUE... - milliseconds, at most half as many again as libraries alone need.
beside() {
	floor=$1
	figure "$2" ms "$(scaled "$1" 1.5)" "${@:3}"
	floor=
}
# readers_of - how many children share a first load: one a processor, at most four.
readers_of() { awk -v n="$(nproc)" 'BEGIN { print (n > 4 ? 4 : n) }'; }

bench_manifests() {
	local i old version deployment floors=() diffs=() loads=() plans=() versions=() deployments=()
	local events=() decodes=() files=()
	anew
	new_config one
	product web
	version web 1.0.0 ""
	deploy web web 1.0.0 one
	mkdir -p "$work/projects/shop/versions"
	awk -v dir="$work/projects/shop/versions" 'BEGIN {
		for (i = 1; i <= 9994; i++) {
			file = dir "/v" i ".yaml"
			printf "kind: Version\nproduct: web\nname: 2.0.%d\ntype: incremental\nparent: %s\nimages:\n  - name: web\n    image: local/web:2.0.%d\n    config:\n      env: {RELEASE: \"2.0.%d\", MODE: production}\n      restartPolicy: always\n      stopTimeout: 5s\n", i, (i == 1 ? "1.0.0" : "2.0." i - 1), i, i >file
			close(file)
		}
	}'
	push "10,000 manifests"
	git -C "$config" repack -adq
	old=$(head_commit)
	# The newest version, which may still change; then what runs gets that version.
	sed -i 's/MODE: production/MODE: test/' "$work/projects/shop/versions/v9994.yaml"
	git -C "$work" commit -qam "one version"
	version=$(git -C "$work" rev-parse HEAD)
	sed -i 's/version: .*/version: 2.0.9994/' "$work/projects/shop/stages/production/web.yaml"
	git -C "$work" commit -qam "one deployment"
	deployment=$(git -C "$work" rev-parse HEAD)
	git -C "$work" push -q origin HEAD:refs/heads/next
	for ((i = 0; i < runs; i++)); do
		read -r load diff event < <("$BUILD/tests/bench/floor" "$config" "$old" "$version")
		floors+=("$load") diffs+=("$diff") events+=("$event")
		read -r decode file < <("$BUILD/tests/bench/decode" "$config" "$old" "$version")
		decodes+=("$decode") files+=("$file")
		git -C "$config" update-ref refs/heads/main "$old"
		first_load
		loads+=("$(took "commit in force")")
		plans+=("$(took "plan ready")")
		move "$version"
		versions+=("$(took "plan ready")")
		move "$deployment"
		deployments+=("$(took "plan ready")")
		! grep -aq ' refused ' "$flow/log" || echo "a commit was refused: the figures are of another kind"
		stop_daemon
	done
	figure "libgit2 and libyaml alone: 10,000 manifests" ms "" "${floors[@]}"
	beside "$(median "${floors[@]}")" "first load of 10,000 manifests in $(readers_of) readers" "${loads[@]}"
	figure "... until the plan is ready" ms "" "${plans[@]}"
	figure "libyaml's events alone: 10,000 manifests in memory" ms "" "${events[@]}"
	beside "$(median "${events[@]}")" "... decoded and checked, in one process" "${decodes[@]}"
	figure "... one of them changed, decoded and checked" ms 5 "${files[@]}"
	figure "libgit2 alone: tree diff of one file in them" ms "" "${diffs[@]}"
	beside "$(median "${diffs[@]}")" "one version changed in 10,000 manifests, until planned" "${versions[@]}"
	figure "one deployment changed in 10,000 manifests, until planned" ms "" "${deployments[@]}"
}

# ---- files that were made to be expensive ----

bench_bombs() {
	local i name all names
	for ((i = 0; i < runs; i++)); do "$BUILD/tests/bench/bomb"; done >"$flow/bombs"
	mapfile -t names < <(cut -d ' ' -f 3- "$flow/bombs" | awk '!seen[$0]++')
	for name in "${names[@]}"; do
		mapfile -t all < <(awk -v n="$name" '{ t = $1; k = $2; sub(/^[^ ]+ [^ ]+ /, ""); if ($0 == n) print t }' "$flow/bombs")
		figure "bomb: $name" ms 50 "${all[@]}"
	done
	mapfile -t all < <(awk '{ if ($2 > most) most = $2 } END { printf "%.1f\n", most / 1024 }' "$flow/bombs")
	figure "bombs: most memory that one of them takes" MiB 16 "${all[@]}"
}

printf '%-58s %10s %-6s %10s  %s\n' figure median unit goal met
for part in ${BENCH_ONLY:-push idle thousand manifests bombs engines}; do
	case $part in
	push) bench_push ;;
	idle) bench_idle 100 10 && bench_idle 1000 30 && bench_idle_each ;;
	thousand) bench_thousand ;;
	manifests) bench_manifests ;;
	bombs) bench_bombs ;;
	engines) tests/support/engines.sh tests/bench/engines.sh ;;
	esac
done
jq -s --arg date "$(date -u +%FT%TZ)" --arg machine "$(uname -srm), $(nproc) processors" \
	--arg version "$("$trueup" --version | head -n 1)" '{$date, $machine, $version, figures: .}' "$BENCH_ROWS" >"$BUILD/bench.json"
echo "written: $BUILD/bench.json"
