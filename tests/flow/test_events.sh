#!/bin/bash
# What must not wait for an event that never comes.
. tests/support/tap.sh
. tests/support/flow.sh

new_config one
product web
version web 1.0.0 ""
push "an empty stage"
empty=$(head_commit)
put projects/shop/stages/production/web.yaml "kind: Deployment" "name: web" "product: web" \
	"version: 1.0.0" "node: one" "strategy: {minHealthy: 0s, deadline: 60s}"
push "1.0.0"

# ---- the image comes after the manifest ----

behave one '{"images": {"local/web:1.0.0": {"unknown": true}}}'
start_daemon
is_waiting() { [ "$(slot web waiting.reason)" = registry ]; }
check "a deployment waits for its image" wait_until "a wait for the image" is_waiting
behave one '{}'
is_successful() { [ "$(slot web status)" = successful ]; }
check "and goes on when the image is there" wait_until "the image to be used" is_successful
stop_daemon

# ---- a registry that is down, or wants another login: nothing is wrong with the release ----

# waits_with REASON WORDS: a look has found just that.
waits_with() { [ "$(slot web waiting.reason)" = "$1" ] && [[ "$(slot web waiting.detail)" == *"$2"* ]]; }
# It waits for longer than the deadline, is looked at after that, and waits since the same moment still.
outlast() { # RULE REASON
	local since
	behave one "{\"images\": {\"*\": {\"$1\": \"at first\"}}}"
	wait_until "a wait for the $2" waits_with "$2" "at first" || return 1
	since=$(slot web waiting.since)
	wait_until "more than the deadline" waits_since 2 || return 1
	behave one "{\"images\": {\"*\": {\"$1\": \"later\"}}}"
	wait_until "another look" waits_with "$2" later && [ "$(slot web wanted.status)" = inProgress ] &&
		[ "$(slot web waiting.since)" = "$since" ]
}
# In the moment of another try it does not wait.
waits_since() {
	local since
	since=$(date -d "$(slot web waiting.since)" +%s) && [ $(($(date +%s) - since)) -gt "$1" ]
}
version web 1.0.1 1.0.0
put projects/shop/stages/production/web.yaml "kind: Deployment" "name: web" "product: web" \
	"version: 1.0.1" "node: one" "strategy: {minHealthy: 0s, deadline: 1s}"
behave one '{"images": {"*": {"noRegistry": "time 0"}}}'
push "1.0.1"
start_daemon
check "while a registry is down the deadline stands still" outlast noRegistry registry
check "and while it wants another login" outlast noLogin credentials
behave one '{}'
is_new() { [ "$(slot web version) $(slot web status)" = "1.0.1 successful" ]; }
check "then the release goes on" wait_until "1.0.1" is_new

# back to what is known by its digest, but is not on the node any more
rm -f "$flow"/worlds/one/images/*
behave one '{"images": {"*": {"noRegistry": "time 0"}}}'
put projects/shop/stages/production/web.yaml "kind: Deployment" "name: web" "product: web" \
	"version: 1.0.0" "node: one" "strategy: {minHealthy: 0s, deadline: 1s}"
push "back to 1.0.0"
check "a pull waits for a registry, too" outlast noRegistry registry
check_same "and what runs is not touched" 1.0.1 "$(slot web version)"
stop_daemon
check_same "apply does not wait for a registry without end" 0 \
	"$(exit_of timeout 60 "$trueup" apply --repo "$config" --state "$state")"
behave one '{}'
start_daemon
is_back() { [ "$(slot web version) $(slot web status)" = "1.0.0 successful" ]; }
check "then the rollback goes on" wait_until "1.0.0" is_back

# ---- a registry that asks for a rest gets it ----

version web 1.0.2 1.0.1
put projects/shop/stages/production/web.yaml "kind: Deployment" "name: web" "product: web" \
	"version: 1.0.2" "node: one" "strategy: {minHealthy: 0s, deadline: 1s}"
behave one '{"images": {"*": {"noRegistry": "it wants 3s of rest", "restMs": 3000}}}'
push "1.0.2"
check "a registry that wants a rest is waited for" wait_until "the wait" waits_with registry "3s of rest"
since=$(date -d "$(slot web waiting.since)" +%s%3N)
behave one '{}'
is_rested() { [ "$(slot web version) $(slot web status)" = "1.0.2 successful" ]; }
check "and is asked again" wait_until "1.0.2" is_rested
check "when it is over, and not before" [ $(($(date -d "$(slot web finishedAt)" +%s%3N) - since)) -ge 3000 ]
stop_daemon

# ---- apply has no watches: it looks ----

behave one '{"images": {"local/web:1.1.0": {"healthyAfterMs": 300}}}'
version web 1.1.0 1.0.2 "healthCheck: {command: [check]}"
put projects/shop/stages/production/web.yaml "kind: Deployment" "name: web" "product: web" \
	"version: 1.1.0" "node: one" "strategy: {minHealthy: 0s, deadline: 10m}"
push "1.1.0"
check "apply sees a workload become healthy long before its deadline" timeout 60 "$trueup" apply \
	--repo "$config" --state "$state"

# ---- a commit that is refused needs no child ----

git -C "$config" update-ref refs/heads/main "$empty"
check_same "apply of a branch that went back ends" 65 \
	"$(exit_of timeout 30 "$trueup" apply --repo "$config" --state "$state")"

done_testing
