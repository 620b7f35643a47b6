#!/bin/bash
# What fails on Docker and Podman nodes: releases that cannot be, registries and engines that go
# away, changes made by hand. What served goes on serving, and the record says what was wrong. Both
# engines are nodes of one repository, and each step holds for both.
# shellcheck source-path=SCRIPTDIR/../.. disable=SC2317
. tests/support/tap.sh
. tests/support/flow_engines.sh

# ---- the repository ----

SLEEP="trap 'exit 0' TERM; echo up; sleep 1000 & wait"
DEAF="exec sleep 1000" # a first process without a handler is not ended by TERM

# release ENGINE WHAT VERSION COMMAND [LINE...]: a version of one product, which runs a line of shell.
release() {
	local engine=$1 what=$2 version=$3 command=$4 before="parent: ${parent:-1.0.0}"
	shift 4
	[ "$version" != 1.0.0 ] || before=
	put "projects/shop/products/$engine-$what-$version.yaml" "kind: Version" \
		"product: $engine-$what" "name: $version" "type: incremental" ${before:+"$before"} \
		"images:" "  - name: $engine-$what" "    image: ${image:-main/shop/web:1}" \
		"    config:" "      env: {RELEASE: $version}" \
		"      command: [sh, -c, \"$command\"]" "${@/#/      }"
}

# deployed ENGINE WHAT VERSION [LINE...]
deployed() {
	local engine=$1 what=$2 version=$3
	shift 3
	put "projects/shop/stages/production/$engine-$what.yaml" "kind: Deployment" \
		"name: $engine-$what" "product: $engine-$what" "version: $version" "node: $engine" \
		"strategy: {minHealthy: ${healthy:-0s}, deadline: ${deadline:-60s}}" "$@"
}

# first ENGINE WHAT [LINE...]: a product with a version that works, deployed.
first() {
	local engine=$1 what=$2
	shift 2
	product "$engine-$what"
	release "$engine" "$what" 1.0.0 "${runs:-$SLEEP}" "$@"
	deployed "$engine" "$what" 1.0.0
}

# ---- questions ----

container() { echo "shop-production-$1-$2"; }
# life ENGINE WHAT: another text when it was made anew, started again or touched in between
life() { inspect "$1" "$(container "$1" "$2")" '"\(.Id) \(.State.StartedAt) \(.State.Running)"'; }
id_of() { inspect "$1" "$(container "$1" "$2")" .Id; }
runs_as() { # ENGINE WHAT VERSION
	[ "$(inspect "$1" "$(container "$1" "$2")" \
		'"\(.State.Running) \(.Config.Env | map(select(startswith("RELEASE="))) | first)"')" = \
		"true RELEASE=$3" ]
}
# is_failed ENGINE WHAT
is_failed() { record_is "$1-$2" 1.1.0 failed; }
why_says() { # ENGINE WHAT PATTERN
	local said
	said=$("$trueup" why "$1-$2" --state "$state")
	grep -E -- "$3" <<<"$said" || { echo "$said"; return 1; }
}
# alone ENGINE WHAT: nothing of another record is left
alone() { [ "$(names "$1" | tr / '\n' | grep -c -- "-$1-$2")" = 1 ]; }
# remember COMMAND...: what it prints for each engine now
declare -A remembered
remember() { remembered[$*]=$(each "$@"); }
is_as_before() { [ "$(each "$@")" = "${remembered[$*]}" ]; }

# ---- releases that cannot be ----

# The port that is taken by something that is no container; nc ends with the engine's name space.
taken_by_process() {
	nsenter --net --target "$(engine_pid "$1")" busybox nc -ll -p 8101 -e true &
	strangers+=($!)
}
# And by a container that is not ours.
taken_by_container() {
	local image
	image=$(inspect "$1" "$(container "$1" held)" .Image)
	post "$1" "/containers/create?name=stranger" "{\"Image\":\"$image\",
		\"Cmd\":[\"sleep\",\"1000\"],\"ExposedPorts\":{\"80/tcp\":{}},\"StopSignal\":\"KILL\",
		\"HostConfig\":{\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"8102\"}]}}}"
	post "$1" /containers/stranger/start
}
strangers=()
end_strangers() {
	[ ${#strangers[@]} = 0 ] || kill "${strangers[@]}"
	wait "${strangers[@]}"
	strangers=()
} 2>/dev/null
trap 'end_strangers; end_engines' EXIT

new_config
put registries/gate.yaml "kind: Registry" "name: gate" "type: v2" "url: http://127.0.0.1:5002"
put registries/main.yaml "kind: Registry" "name: main" "type: v2" "url: http://127.0.0.1:5000"
EXCLUSIVE='volumes: [{name: DATA, path: /data}]'
works() {
	engine_node "$1"
	first "$1" loop
	first "$1" ill
	first "$1" alone "${EXCLUSIVE/DATA/$1-alone}"
	runs=$DEAF first "$1" image "stopTimeout: 1s"
	first "$1" port "${EXCLUSIVE/DATA/$1-port}" "networks: [back]"
	first "$1" held "${EXCLUSIVE/DATA/$1-held}"
}
each works
push "What works"
settings "policy: {hostPorts: [\"8100-8199\"]}"
start_daemon
settle
check "what works is up" wait_until "all to be successful" is_synced

each taken_by_process
each taken_by_container >/dev/null
for what in loop ill alone image port held; do remember life $what; done
remember id_of alone

HEALTH='healthCheck: {command: [sh, -c, "echo not me; exit 1"], interval: 1s, timeout: 1s, retries: 1}'
fails() {
	local deadline=8s healthy=3s
	release "$1" loop 1.1.0 "echo no database; sleep 1; exit 3"
	deployed "$1" loop 1.1.0
	release "$1" ill 1.1.0 "$SLEEP" "$HEALTH"
	deployed "$1" ill 1.1.0
	release "$1" alone 1.1.0 "$SLEEP" "$HEALTH" "${EXCLUSIVE/DATA/$1-alone}"
	deployed "$1" alone 1.1.0
	image=main/shop/none:1 release "$1" image 1.1.0 "$DEAF" "stopTimeout: 1s"
	deployed "$1" image 1.1.0
	release "$1" port 1.1.0 "$SLEEP" "${EXCLUSIVE/DATA/$1-port}" 'ports: [{container: 80, host: 8101}]'
	deployed "$1" port 1.1.0
	release "$1" held 1.1.0 "$SLEEP" "${EXCLUSIVE/DATA/$1-held}" 'ports: [{container: 80, host: 8102}]'
	deployed "$1" held 1.1.0
}
each fails
push "What fails"
settle

check "a host port that a process has is found" wait_until "the record" each is_failed port
check "and named" each why_says port "host port 8101"
check "before anything was stopped" is_as_before life port
check "so is one that a foreign container has" wait_until "the record" each is_failed held
check "and it is named with it" each why_says held "host port 8102.*stranger"
check "before anything was stopped, again" is_as_before life held

check "a crash loop is failed" wait_until "the record" each is_failed loop
check "with the code it ended with" each why_says loop "exit code 3"
check "and its last lines" each why_says loop '\| no database'
check "what served was not touched" is_as_before life loop
check "and what failed is gone" wait_until "it to go" each alone loop

check "a health check that fails is a failure" wait_until "the record" each is_failed ill
check "which the record names" each why_says ill "not healthy within 8s"
check "what served beside it was not touched" is_as_before life ill
check "where they cannot run side by side the old one is started again" \
	wait_until "it to run" each runs_as alone 1.0.0
check "the very same" is_as_before id_of alone

check "an image that is nowhere is a failure" wait_until "the record" each is_failed image
check "which names it" each why_says image "shop/none:1"
check "and nothing was touched" is_as_before life image

remember_tries() { "$trueup" deployment --json --state "$state" | jq '[.. | .tries? // empty] | add'; }
before=$(remember_tries)
settle
check_same "what failed is not tried again" "$before" "$(remember_tries)"
end_strangers

# ---- taken back, and changed by hand ----

for what in loop ill alone image port held; do remember life $what; done
revert
settle
for what in loop image port; do check "what failed is taken back: $what stays" is_as_before life $what; done

# by_hand ENGINE: one thing with each of them
by_hand() {
	post "$1" "/containers/$(container "$1" loop)/pause"
	post "$1" "/containers/$(container "$1" ill)/rename?name=mislaid-$1-ill"
	post "$1" "/containers/$(container "$1" image)/stop?t=0"
}
each by_hand
goes_on() { [ "$(inspect "$1" "$(container "$1" loop)" '"\(.State.Running) \(.State.Paused)"')" = "true false" ]; }
check "what was paused goes on" wait_until "it to go on" each goes_on
check "what was renamed is there under its name" wait_until "the name" each runs_as ill 1.0.0
check "and only there" wait_until "the other name to go" each alone ill
check "what was stopped runs" wait_until "it to run" each runs_as image 1.0.0

# ---- a registry that breaks off, and one that is away ----

big=$(push_big "${engines[0]}")
# asks_gate ENGINE WHAT VERSION REFERENCE
asks_gate() {
	local engine=$1 what=$2 version=$3
	image=gate/shop/big$4 release "$engine" "$what" "$version" "$SLEEP" "${@:5}"
	deployed "$engine" "$what" "$version" ${drift:+"drift: $drift"}
}
waits_for() { slot "$1-$2" '"\(.waiting.reason) \(.waiting.detail)"' | grep -E -- "$3"; }
slot() { ask ".deployments[] | select(.deployment == \"$1\") | $2"; }

echo cut >"$flow/orders"
each open_gate
remember life loop
each asks_gate loop 2.0.0 :1
push "From a registry that breaks off"
check "a pull that breaks off is waited for" wait_until "the wait" each waits_for loop "^registry .*EOF"
check "with the engine's words" each waits_for loop "shop/big"
check "and what serves goes on serving" is_as_before life loop
echo pass >"$flow/orders"
check "once it comes through the new version serves" wait_until "it to serve" each runs_as loop 2.0.0

each shut_gate
remember life image
deadline=2s each asks_gate image 2.0.0 :1 "stopTimeout: 1s"
drift=report each asks_gate ill 2.0.0 "@$big"
push "From a registry that is away"
check "what is there already needs no registry" wait_until "it to serve" each runs_as ill 2.0.0
check "what has to be asked for waits" wait_until "the wait" each waits_for image "^registry .*refused"
post "${engines[0]}" "/containers/$(container "${engines[0]}" loop)/kill?signal=KILL"
check "what runs is looked after meanwhile" wait_until "it to run" runs_as "${engines[0]}" loop 2.0.0
check "and what serves goes on serving" is_as_before life image
each open_gate
check "when the registry is back it goes on by itself" wait_until "it to serve" each runs_as image 2.0.0
each shut_gate

# ---- processes that hear no signal ----

told() { "$2" | grep -F "$(container "$1" image): its last stop took 1s: it did not end by SIGTERM"; }
check "a stop that took its whole time is told by status" wait_until "the hint" each told status
"$trueup" pause shop/production --state "$state" >/dev/null
another() { parent=2.0.0 release "$1" image 2.1.0 "$SLEEP" "stopTimeout: 1s"; deployed "$1" image 2.1.0; }
each another
push "Another one"
planned() {
	plan --json | jq -r '.steps[] | "\(.container) \(.hint)"' |
		grep -E "^$(container "$1" image) its last stop took 1s"
}
check "and by the next plan" each planned
for format in text markdown; do
	check "as $format, too" grep -qF "its last stop took 1s" <(plan --format $format | tr -s '\n ' ' ')
done

# ---- a network that is gone ----

# Podman does not remove a network of which a container is a member, Docker does once that is stopped.
lose_network() {
	post "$1" "/containers/$(container "$1" port)/stop?t=5"
	[ "$1" = docker ] || post "$1" /networks/shop-production.back/disconnect \
		"{\"Container\":\"$(container "$1" port)\",\"Force\":true}"
	api "$1" /networks/shop-production.back -X DELETE
}
each lose_network >/dev/null
check "the network is gone" each is_absent /networks/shop-production.back
"$trueup" resume shop/production --state "$state" >/dev/null
is_member() {
	[ "$(inspect "$1" "$(container "$1" port)" '"\(.State.Running) \(.NetworkSettings.Networks | keys | join(" "))"')" = \
		"true shop-production shop-production.back" ]
}
check "a network that is gone is made anew, with what was in it" wait_until "the network" each is_member

# ---- drift that is only reported, and what is changed again and again ----

settle
stop_by_hand() { post "$1" "/containers/$(container "$1" "$2")/stop?t=0"; }
each stop_by_hand ill
reported() { ask '.nodes[].drift[].container' | grep -qx "$(container "$1" ill)"; }
check "drift is told" wait_until "the drift" each reported
settle
is_down() { [ "$(inspect "$1" "$(container "$1" ill)" .State.Running)" = false ]; }
check "and left alone where the deployment says so" each is_down

is_damped() { waits_for "$1" loop "^retry mended [3-9] times in a row"; }
mended_or_damped() { is_damped "$1" || runs_as "$1" loop 2.0.0; }
# The first wait is but a second long: whoever misses it meets a longer one.
flaps() {
	local i
	for i in 1 2 3 4 5 6 7; do
		stop_by_hand "$1" loop
		wait_until "an answer" mended_or_damped "$1" || return
		! is_damped "$1" || return 0
	done
	return 1
}
check "what is changed again and again is put right less often" each flaps
check "but it is" wait_until "it to run" each runs_as loop 2.0.0

# ---- an engine that ends in the middle of a rollout, and comes back ----

goes_further() {
	local healthy=3s
	parent=2.0.0 image=gate/shop/big@$big release "$1" loop 3.0.0 "$SLEEP"
	deployed "$1" loop 3.0.0
}
is_done() { record_is "$1-loop" 3.0.0 successful; }
each goes_further
push "Third version"
has_next() { inspect "$1" "$(container "$1" loop).next" .State.Running | grep -qx true; }
check "the new one comes up beside the old one" wait_until "it to come up" each has_next
each restart_engine
check "after the engine was away the rollout goes on" wait_until "it to serve" each runs_as loop 3.0.0
check "to its end" wait_until "the old one to go" each alone loop
check "and its record is successful" wait_until "the record" each is_done

stop_daemon
done_testing
