# figures.sh - a row for each figure: on standard output, and as JSON in the file $BENCH_ROWS; and
# what times and memory are measured by.
# shellcheck shell=bash

runs=${BENCH_RUNS:-5}

median() { printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
# scaled NUMBER FACTOR
scaled() { awk -v n="$1" -v f="$2" 'BEGIN { printf "%.1f", n * f }'; }

# figure NAME UNIT GOAL VALUE... - GOAL "" is none; the median of the values is the figure. Where
# $floor is set, the row says how many times that it is.
floor=
figure() {
	local name=$1 unit=$2 goal=$3 median met=- ratio=
	shift 3
	median=$(median "$@")
	[ -z "$goal" ] || met=$(awk -v v="$median" -v g="$goal" 'BEGIN { print v <= g ? "yes" : "NO" }')
	[ -z "$floor" ] || ratio=$(awk -v v="$median" -v f="$floor" 'BEGIN { printf "%.2f", v / f }')
	jq -cn --arg name "$name" --arg unit "$unit" --arg met "$met" --argjson value "${median:-null}" \
		--argjson goal "${goal:-null}" --argjson ratio "${ratio:-null}" '{$name, $value, $unit, $goal, met: (if $goal == null then null else $met == "yes" end), $ratio, runs: $ARGS.positional | map(tonumber)}' --args "$@" >>"$BENCH_ROWS"
	printf '%-58s %10s %-6s %10s  %-3s%s\n' "$name" "$median" "$unit" "${goal:--}" "$met" "${ratio:+  $ratio x}"
}

now_us() { echo "${EPOCHREALTIME/[.,]/}"; }
ms_since() { awk -v us=$(($(now_us) - $1)) 'BEGIN { printf "%.1f", us / 1000 }'; }

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
