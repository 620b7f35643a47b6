#!/bin/bash
# The daemon as a process: what wakes it, what ends it, what it finds when it is back.
. tests/support/tap.sh
. tests/support/flow.sh

# Neither polling nor a full look can help: only what is seen at once does.
settings
test_eq() { [ "$(ask "$2")" = "$1" ]; }

new_config one
product web
version web 1.0.0 ""
version web 1.1.0 1.0.0
deploy web web 1.0.0 one
push "1.0.0"

check_same "commands that need a daemon say that there is none" 69 "$(exit_of "$trueup" sync --state "$state")"
start_daemon
settle
check_same "it deploys what is there" "successful" "$(slot web status)"

# ---- pushes are seen ----

deploy web web 1.1.0 one
push "1.1.0"
check "a push is seen without a poll" wait_until "1.1.0" is web version 1.1.0
check_same "the log says once when its plan was ready" 1 \
	"$(grep -ac "plan ready commit=$(head_commit) ms=[0-9.]*$" "$flow/log")"

git -C "$config" pack-refs --all
deploy web web 1.1.0 one "note: packed"
push "after pack-refs"
check "a push over a packed ref is seen" wait_until "the commit" in_force
deploy web web 1.1.0 one "note: packed again"
git -C "$work" commit -qam "packed" && git -C "$work" push -q origin HEAD:refs/heads/aside
git -C "$config" update-ref refs/heads/main "$(head_commit)" && git -C "$config" pack-refs --all
check "so is one that is packed at once" wait_until "the commit" in_force

# ---- one at a time ----

second() { "$trueup" run --repo "$config" --state "$state" 2>"$flow/second"; }
check_same "a second daemon on the same state is told to go" 75 "$(exit_of second)"
check "and who is there" grep -q "in use by process $daemon: trueup run" "$flow/second"
check_same "apply while a daemon runs, too" 75 "$(exit_of apply)"
check_same "plan does not care" 0 "$(exit_of plan)"

# ---- settings ----

port=81
version web 1.2.0 1.1.0 "ports: [{container: $port, host: $port}]"
deploy web web 1.2.0 one
push "a host port"
check "what the settings do not allow is refused" wait_until "the refusal" test_eq policy .rejected[0].diagnostics[0].code
settings "policy: {hostPorts: [\"$port\"]}"
kill -HUP "$daemon"
check "SIGHUP reads the settings again" wait_until "1.2.0" is web version 1.2.0
check "and nothing is refused any more" wait_until "synced" is_synced
printf '%s\n' "kind: Settings" "interval: never" >"$flow_config"
kill -HUP "$daemon"
check "settings with errors change nothing" wait_until "the complaint" grep -q "not reloaded" "$flow/log"
check "the daemon goes on" "$trueup" sync --state "$state"
settings "policy: {hostPorts: [\"$port\"]}"

# ---- ends ----

before=$(runs one)
start=$SECONDS
stop_daemon
check "SIGTERM ends it within ten seconds" test $((SECONDS - start)) -le 10
check_same "what runs is left alone" "$before" "$(runs one)"
check "the socket is gone" test ! -e "$state/control.sock"
check_same "the end is a good one" 1 "$(grep -c ' stopped' "$flow/log")"

start_daemon
settle
check_same "a restart changes no container" "$before" "$(runs one)"
check_same "and makes no record" 3 "$(records | wc -l)"
kill_daemon
check "after kill -9 the socket lies there" test -e "$state/control.sock"
check_same "and is nobody's" 69 "$(exit_of "$trueup" sync --state "$state")"
deploy web web 1.2.0 one "config: {env: {MORE: yes-please}}"
version web 1.3.0 1.2.0 "ports: [{container: $port, host: $port}]"
deploy web web 1.3.0 one
push "while it was away"
start_daemon
settle
check_same "the next one goes on from there" "1.3.0 successful" "$(slot web version) $(slot web status)"

# Killed at moments that nobody chose: it converges, and what was done stays done.
for round in 1 2 3 4 5; do
	[ $((round % 2)) = 0 ] && replica=1.2.0 || replica=1.3.0
	deploy web web $replica one "note: round $round"
	push "round $round"
	wait_until "the push to be seen" in_force
	kill_daemon
	start_daemon
done
settle
check_same "after five kills in the middle all is well" "true 1.3.0" "$(ask '"\(.synced) \(.deployments[0].version)"')"
check_same "with one container" shop-production-web "$(world one)"
before=$(runs one)
settle
check_same "which stays" "$before" "$(runs one)"
stop_daemon

# ---- logs ----

: >"$flow/log"
settings "log: json" "policy: {hostPorts: [\"$port\"]}"
start_daemon
settle
stop_daemon
check "logs can be JSON, line by line" jq -es 'length > 2 and all(has("time") and has("level") and has("event"))' "$flow/log"

done_testing
