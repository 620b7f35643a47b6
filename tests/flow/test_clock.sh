#!/bin/bash
# The wall clock jumps by ten years, either way, under a running reconciler: what waits goes on waiting, what
# is pushed is deployed at once, and only what is shown is wrong.
. tests/support/tap.sh
. tests/support/flow.sh

so=$flow/wall_clock.so
export WALL_CLOCK=$flow/off
echo 0 >"$WALL_CLOCK"
if ! ${CC:-cc} -std=gnu17 -D_GNU_SOURCE -I. -Ireconciler -shared -fPIC -o "$so" tests/flow/wall_clock.c 2>"$flow/cc"; then
	skip "a wall clock that jumps" "no shared object can be made here: $(head -n 1 "$flow/cc")"
	done_testing
fi
flow_wrap="env LD_PRELOAD=$so ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0"
years() { echo $(($1 * 365 * 24 * 3600)) >"$WALL_CLOCK"; }
started_in() { "$trueup" audit --json --state "$state" | jq -r '.[-1].at' | cut -c1-3; }
failed() { records | grep -c failed; }

begun() { [ "$(records | tail -n 1)" = "1.1.0 inProgress" ] && [ "$(world one | wc -l)" = 2 ]; }

settings
new_config one
product web
version web 1.0.0 ""
version web 1.1.0 1.0.0 "healthCheck: {command: [check]}"
version web 1.2.0 1.1.0
export flow_deadline=10m
deploy web web 1.0.0 one
push "1.0.0"
start_daemon
settle

decade=$(date +%Y | cut -c1-3)
for jump in 10 -10; do
	behave one '{"images": {"local/web:1.1.0": {"healthyAfterMs": 3600000}}}'
	years 0
	deploy web web 1.1.0 one "note: jump of $jump years"
	push "it waits for its health"
	check "a release waits for its health" wait_until "it to begin" begun
	years $jump
	"$trueup" sync --state "$state" >/dev/null
	wait_until "a look" in_force
	check_same "when the clock jumps by $jump years its deadline does not pass" 0 "$(failed)"
	behave one '{}'
	check "and it is successful when it is healthy" wait_until "1.1.0" eval 'is web status successful && is web version 1.1.0'
	check_same "which is on record at the time that the clock shows" "$decade" \
		"$(($(started_in) - jump / 10))"
	deploy web web 1.0.0 one "note: jump of $jump years"
	push "back"
	check "a push is seen and deployed at once" wait_until "1.0.0" is web version 1.0.0
	settle
	check "all is well" is_synced
	before=$(runs one)
	years 0
	settle
	check_same "the way back of the clock changes nothing" "$before" "$(runs one)"
done
years 10
stop_daemon
start_daemon
settle
check_same "nor does a start ten years later" "$before" "$(runs one)"
check_same "no record is lost" 3 "$(records | wc -l)"
check "all is well" is_synced
check "the audit chain is whole" "$trueup" audit --verify --state "$state"

done_testing
