#!/bin/bash
# `trueup log`: what containers wrote, from plain hosts and from a node that pretends; the past, what
# comes, and the mistakes that people make.
# shellcheck source-path=SCRIPTDIR/../.. disable=SC2317
. tests/support/tap.sh
. tests/support/flow.sh

# A process that says what is put into $flow/say/NAME, line by line, until it is told to end.
speaker() {
	mkdir -p "$flow/images/$1/1"
	cat >"$flow/images/$1/1/run" <<-END
		#!/bin/sh
		echo "$1 is up"
		printf 'red \033[31malert\033[0m\n' >&2
		exec tail -n 0 -F "$flow/say/$1" 2>/dev/null
	END
	chmod 755 "$flow/images/$1/1/run"
	mkdir -p "$flow/say"
	: >"$flow/say/$1"
}
say() { echo "$2" >>"$flow/say/$1"; }

simple() {
	put "projects/shop/products/$1.yaml" "kind: Product" "name: $1" "type: simple" "images:" \
		"${@:2}"
}

new_config pretend
speaker web
speaker side
put nodes/here.yaml "kind: Node" "name: here" "driver: host" "imageRoot: $flow/images" \
	"dataRoot: $flow/data"
settings "policy:" "  hostDriver:" "    imageRoots: [$flow/images]" "    users: [root]"
simple pair "  - {name: web, image: \"local/web:1\", config: {command: [./run], stopSignal: SIGKILL}}" \
	"  - {name: side, image: \"local/side:1\", config: {command: [./run], stopSignal: SIGKILL}}"
simple toy "  - {name: box, image: \"local/toy:1\"}"
stage=projects/shop/stages/production
put $stage/pair.yaml "kind: Deployment" "name: pair" "product: pair" "node: here" "strategy: {minHealthy: 0s}"
put $stage/toy.yaml "kind: Deployment" "name: toy" "product: toy" "node: pretend" "strategy: {minHealthy: 0s}"
behave pretend '{"images": {"local/toy:1": {"output": "from the box"}}}'
push "Two deployments"

log() { "$trueup" log --state "$state" "$@"; }
lines_are() { [ "$(log "$@" 2>&1)" = "$wanted" ]; }

check_same "without a reconciler: 69" 69 "$(exit_of log pair)"
check "and the line to run where there is one" grep -q 'trueup log pair --state' <(log pair 2>&1)
start_daemon
settle

# ---- the past ----

wanted="shop-production-side | side is up
shop-production-side | red [31malert[0m
shop-production-web  | web is up
shop-production-web  | red [31malert[0m"
check "each line says whose it is, without control bytes" wait_until "four lines" lines_are pair
wanted="from the box"
check "where there is one container, the line is all" wait_until "the box" lines_are toy
check_same "so many of the last of each" 2 "$(log pair -n 1 | wc -l)"
check_same "none" 0 "$(log pair -n 0 | wc -l)"
check_same "all of a stage" 5 "$(log -p shop -s production | wc -l)"
check_same "of one node" "from the box" "$(log --node pretend)"
check_same "as JSON" \
	'{"at":null,"container":"shop-production-box","deployment":"shop/production/toy","line":"from the box","node":"pretend","stream":"stdout"}' \
	"$(log toy --json)"
check "where lines have no times, that is said" grep -q 'keeps no times' <(log toy --after 10m 2>&1)

# ---- what comes ----

follow() {
	log "$@" -f >"$flow/out" 2>"$flow/err" &
	follower=$!
}
unfollow() {
	kill "$follower" 2>/dev/null
	wait "$follower" 2>/dev/null
}
came() { grep -q "$1" "$flow/out"; }

follow pair -n 0
# until it listens nobody knows from when on
heard() { say web knock; came knock; }
check "a line that comes is told" wait_until "a knock" heard
say side "and another"
check "of whichever container" wait_until "the other" came '^shop-production-side | and another$'
check "what was there before is not, with -n 0" eval '! came "is up"'
simple pair "  - {name: web, image: \"local/web:1\", config: {command: [./run], stopSignal: SIGKILL, env: {A: b}}}" \
	"  - {name: side, image: \"local/side:1\", config: {command: [./run], stopSignal: SIGKILL}}"
pushed "A new web"
check "a release is followed" wait_until "the new one" came '^shop-production-web *| web is up$'
unfollow

follow toy
check "what cannot be followed is shown as far as it goes" wait_until "the box" came 'from the box'
check "and it is said" wait_until "a note" grep -q 'nothing can be followed' "$flow/err"
unfollow
log pair -f 2>/dev/null | head -n 1 >"$flow/first"
check_same "who reads no more ends it" 1 "$(wc -l <"$flow/first")"

follow pair
wait_until "a line" came 'is up'
stop_daemon
check "the end of the reconciler is the end of it" wait_until "the end" eval "! kill -0 $follower"
check "which is said" grep -q 'the reconciler ended' "$flow/err"
wait "$follower"
check_same "with 69" 69 $?
start_daemon
settle

# ---- mistakes ----

check_same "a deployment that is not there: 66" 66 "$(exit_of log pear)"
check "and which was meant" grep -q 'did you mean pair' <(log pair2 2>&1)
check_same "a scope without one: 66" 66 "$(exit_of log -s nowhere)"
check_same "a number that is none: 64" 64 "$(exit_of log pair -n many)"
check_same "a time that is none: 64" 64 "$(exit_of log pair --after yesterday)"
put projects/shop/stages/testing/stage.yaml "kind: Stage" "name: testing"
put projects/shop/stages/testing/toy.yaml "kind: Deployment" "name: toy" "product: toy" "node: pretend" "strategy: {minHealthy: 0s}"
pushed "Another toy"
check_same "a name that two have: 64" 64 "$(exit_of log toy)"
check "with the choices" grep -q 'shop/production/toy, shop/testing/toy' <(log toy 2>&1)
check_same "a full name is one" "from the box" "$(log shop/testing/toy)"

done_testing
