#!/bin/bash
# Workloads of the host while reconcilers come and go: they run on untouched, the next reconciler takes
# them up as they are, and one that does not own the node keeps its hands off.
. tests/support/tap.sh
. tests/support/flow.sh
. tests/torture/host.sh

host_repository
printf '%s\n' "interval: 1h" "lookInterval: 1h" >>"$flow_config"
foreign_begin
# What runs, process by process: the same text means that nothing was restarted.
same_as_before() { check_same "$1" "$before" "$(ours)"; }
supervisor_of() {
	grep -lsaxz "$data" /proc/[0-9]*/cmdline | xargs -r grep -lsaxz -e "$1" -e "$1.next" | grep -o '[0-9]\+'
}
records_n() { records | wc -l; }

# ---- it goes, they stay ----

at "$one"
start_daemon
settle
check_same "both deployments run" "$(sort <<<"$both")" "$(releases)"
before=$(ours)
stop_daemon
same_as_before "SIGTERM of the reconciler touches no process"
start_daemon
settle
same_as_before "the next one takes them up without a restart"
check "all is well" is_synced
kill_daemon
same_as_before "kill -9 of the reconciler touches no process"
start_daemon
settle
same_as_before "and the next one takes them up again"
check "all is well" is_synced
check_same "no record was made for that" 2 "$(records_n)"
kill -9 "$(supervisor_of side-web)"
check "what died is mended by it" wait_until "two supervisors" eval '[ "$(supervisors)" = 2 ] && is_synced'
check_same "what did not die was left alone" 2 "$(comm -12 <(echo "$before") <(ours) | wc -l)"

# ---- two reconcilers, one node ----

before=$(ours)
first=$daemon state=$flow/other
start_daemon
settle
check "a second one sees whose node it is" grep -q '^it belongs to the reconciler acme/' <(ask '.nodes[0].error')
check_same "and makes no record" 0 "$(records_n)"
same_as_before "nor does it touch a process"
at "$two"
settle
state=$flow/state
settle
check_same "a push is carried out by the first" "$(sort <<<"$upgraded")" "$(releases)"
before=$(ours)
state=$flow/other
settle
check_same "the second has still made no record" 0 "$(records_n)"
stop_daemon
state=$flow/state daemon=$first
settle
same_as_before "and has touched nothing"
check "all is well for the first" is_synced

# ---- told to stop in the middle of a rollout ----

end_stubborn() {
	local pids
	pids=$(grep -lsaxz "TRUEUP_DIR=$data/stubborn-web" /proc/[0-9]*/environ | grep -o '[0-9]\+')
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill -9 $pids 2>/dev/null
}
# It is asked to stop, says so in a file, and goes on.
host_image web 2.0.0
cat >"$flow/images/web/2.0.0/run" <<'END'
#!/bin/sh
trap 'echo >"$TRUEUP_DIR/asked"' TERM
while :; do
	sleep 100000 &
	wait
done
END
git -C "$work" reset -q --hard "$two"
git -C "$work" push -q origin +HEAD:main
put projects/shop/products/web-2.0.0.yaml "kind: Version" "product: web" "name: 2.0.0" \
	"type: incremental" "parent: 1.1.0" "images:" "  - name: web" "    image: local/web:2.0.0" \
	"    config:" "      command: [./run]" "      env: {RELEASE: 2.0.0}" "      stopTimeout: 10m"
deploy stubborn web 2.0.0 here "prefix: stubborn"
pushed "one that does not stop"
check_same "it runs" successful "$(slot stubborn status)"
git -C "$work" rm -q projects/shop/stages/production/stubborn.yaml
push "it is to go"
check "it is asked to stop" wait_until "the question" test -e "$data/stubborn-web/asked"
before=$(releases)
start=$SECONDS
stop_daemon
check "SIGTERM ends the reconciler within ten seconds in the middle of that" test $((SECONDS - start)) -le 10
check_same "and leaves all that runs" "$before" "$(releases)"
start_daemon
check "the next one goes on with it" wait_until "the stop" eval 'end_stubborn; [ "$(releases)" = "$(sort <<<"$upgraded")" ]'
settle
check "all is well" wait_until "synced" is_synced
check_same "one supervisor each" 2 "$(supervisors)"

# ---- a supervisor is killed in the middle of a rollout ----

host_image web 2.1.0
printf '%s\n' '#!/bin/sh' '[ -e "$TRUEUP_DIR/well" ]' >"$flow/images/web/2.1.0/check"
chmod 755 "$flow/images/web/2.1.0/check"
put projects/shop/products/web-2.1.0.yaml "kind: Version" "product: web" "name: 2.1.0" \
	"type: incremental" "parent: 2.0.0" "images:" "  - name: web" "    image: local/web:2.1.0" \
	"    config:" "      command: [./run]" "      env: {RELEASE: 2.1.0}" "      stopSignal: SIGKILL" \
	"      healthCheck: {command: [./check], interval: 100ms}"
deploy slow web 2.1.0 here "prefix: slow"
push "one that takes its time"
slow_runs() { grep -q '^slow-web' <<<"$(releases)" && [ "$(supervisors)" = 3 ]; }
check "it is started" wait_until "its process" slow_runs
slow=$(supervisor_of slow-web)
kill -9 "$slow"
slow_anew() { slow_runs && [ "$(supervisor_of slow-web)" != "$slow" ]; }
check "its supervisor dies: it is started again" wait_until "another supervisor" slow_anew
touch "$data/slow-web/well"
check "and it is successful yet" wait_until "health" is slow status successful
check_same "no record failed" 0 \
	"$("$trueup" deployment --json --state "$state" | jq '[.deployments[] | select(.status == "failed")] | length')"
git -C "$work" rm -q projects/shop/stages/production/slow.yaml
pushed "it is to go"

check "the foreign process is there" kill -0 "$foreign"
check_same "so is the foreign folder" precious "$(cat "$data/not-ours/file")"
check "the audit chain is whole" "$trueup" audit --verify --state "$state"
stop_daemon
end_ours
kill "$foreign"

done_testing
