#!/bin/bash
# How far a pull is, on Docker and Podman nodes, while it comes through a gate that holds it up.
# shellcheck source-path=SCRIPTDIR/../.. disable=SC2317
. tests/support/tap.sh
. tests/support/flow_engines.sh

big=$(push_big "${engines[0]}")
bigger=$(push_big "${engines[0]}")

# works ENGINE VERSION DIGEST
works() {
	engine_node "$1"
	put "projects/shop/products/$1.yaml" "kind: Product" "name: $1" "type: simple" "images:" \
		"  - name: $1" "    image: gate/shop/big@$2" \
		"    config:" "      command: [sh, -c, \"trap 'exit 0' TERM; sleep 1000 & wait\"]"
	put "projects/shop/stages/production/$1.yaml" "kind: Deployment" "name: $1" \
		"product: $1" "node: $1" "strategy: {minHealthy: 0s, deadline: 3s}"
}
orders() { echo "$1" >"$flow/orders"; }

new_config
settings
put registries/gate.yaml "kind: Registry" "name: gate" "type: v2" "url: http://127.0.0.1:5002"
each works "$big"
orders hold
each open_gate
push "What comes slowly"
start_daemon

# ---- while it comes ----

pull_of() { ask ".deployments[] | select(.deployment == \"$1\").pull | $2"; }
is_pulling() { [ "$(pull_of "$1" '.layers > 1 and .layersDone < .layers and (.since | length) == 24')" = true ]; }
check "status says how far a pull is, though its engine says nothing more" \
	wait_until "the pulls" each is_pulling
names_it() { [ "$(pull_of "$1" .image)" = "gate/shop/big@$big" ]; }
check "and of which image" each names_it
orders drip
counts() { [ "$(pull_of "$1" '.bytes > 100000 and .total > .bytes')" = true ]; }
check "and how many bytes have come" wait_until "bytes" each counts
WORDS='pulling big: [0-9]+\.[0-9] of [0-9]+\.[0-9] MiB, layer [12] of [23]'
in_words() { status | grep -E "^shop/production/$1 .* $WORDS$"; }
check "in words, too" wait_until "the words" each in_words
why_of() { "$trueup" why "$1" --state "$state" | grep -E "^It is $WORDS \(since 2.*Z\)\.$"; }
check "also by why" each why_of
why_json() { [ "$("$trueup" why "$1" --json --state "$state" | jq '.slots[0].pull.layers > 0')" = true ]; }
check "and in its JSON" each why_json

# What changes while the bytes of all pulls do: nothing that is kept.
kept() { cat "$state"/ledger.db "$state"/ledger.db-wal | sha256sum; }
comes() { [ "$(pull_of "$1" .bytes)" -gt "${then[$1]}" ]; }
declare -A then
remember() { then[$1]=$(pull_of "$1" .bytes); }
is_not_kept() {
	local before
	each remember
	before=$(kept)
	wait_until "more bytes" each comes && [ "$(kept)" = "$before" ]
}
check "nothing of it is written down" wait_until "a moment without other news" is_not_kept
check "the log has it now and then" wait_until "a line" \
	grep -qE 'pulling.*MiB, layer [12] of [23]' "$flow/log"

# ---- a reconciler that is killed meanwhile, a registry that breaks off ----

orders hold
kill_daemon
is_nowhere() { [ "$(slot "$1" pull)" = null ]; }
check "nobody pulls where no reconciler runs" each is_nowhere
orders cut
start_daemon
waits() { [ "$(slot "$1" waiting.reason) $(slot "$1" pull)" = "registry null" ]; }
check "a pull that breaks off is over" wait_until "the wait" each waits
orders drip
check "it is begun again" wait_until "the pulls" each is_pulling
is_late() { [ "$(pull_of "$1" '.since[0:19] + "Z" | now - fromdate > 4')" = true ]; }
check "what it takes is not counted" wait_until "the deadline to pass" each is_late
orders pass
is_done() { [ "$(slot "$1" status) $(slot "$1" pull)" = "successful null" ]; }
check "when it is there the release gets its whole deadline" wait_until "it to run" each is_done

# ---- a registry that hangs, for longer than a pull may take without getting on ----

life() { inspect "$1" "shop-production-$1" '"\(.Id) \(.State.StartedAt) \(.State.Running)"'; }
serves=$(each life)
orders hold
each works "$bigger"
push "The next one"
check "the next one hangs" wait_until "the pulls" each is_pulling
gave_up() {
	grep "pull slot=shop/production/$1@$1 .*error=" "$flow/log" |
		grep "$bigger: registry 127\.0\.0\.1:5002 has stalled: less than 1 KiB/s for 1m, at .*layer [12] of 2"
}
check "it is given up after a minute, with the registry and how far it came" wait_until "the minute" each gave_up
check "what served goes on serving" [ "$(each life)" = "$serves" ]
check "while it is tried again" wait_until "the pulls" each is_pulling
stop_daemon

# ---- in the foreground ----

orders drip
apply >"$flow/applied" 2>"$flow/said" &
applies=$!
says() { grep -qE "^shop/production/$1@$1: pulling: gate/shop/big@$bigger: [0-9.]+ of [0-9.]+ MiB, layer [12] of [23]$" "$flow/said"; }
check "apply says how far it is" wait_until "a line" each says
orders pass
wait "$applies"
check_same "and comes to its end" 0 $?
few() { [ "$(grep -c "^shop/production/$1@$1: pulling" "$flow/said")" -le 3 ]; }
check "without saying it all the time" each few

done_testing
