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

# ---- apply has no watches: it looks ----

behave one '{"images": {"local/web:1.1.0": {"healthyAfterMs": 300}}}'
version web 1.1.0 1.0.0 "healthCheck: {command: [check]}"
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
