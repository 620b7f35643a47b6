#!/bin/bash
# `trueup log` of containers on Docker and Podman: both streams, times, a terminal, and a release that
# is followed from the container that goes to the one that comes.
# shellcheck source-path=SCRIPTDIR/../.. disable=SC2317
. tests/support/tap.sh
. tests/support/flow_engines.sh

# It says which release it is, on both streams, and then what stands in its mailbox, as it comes.
speaker() {
	put "projects/shop/products/$1.yaml" "kind: Product" "name: $1" "type: simple" "images:" \
		"  - name: $1" "    image: main/shop/web:1" "    config:" "      env: {RELEASE: $2}" \
		"      stopSignal: SIGKILL" \
		"      command: [sh, -c, 'echo out \$RELEASE; echo err \$RELEASE >&2; true >/box; exec tail -f /box']"
	put "projects/shop/products/$1-tty.yaml" "kind: Product" "name: $1-tty" "type: simple" "images:" \
		"  - name: $1-tty" "    image: main/shop/web:1" "    config:" "      tty: true" \
		"      stopSignal: SIGKILL" "      command: [sh, -c, 'echo on a terminal; exec sleep 1000']"
}
place() {
	local name
	for name in "$1" "$1-tty"; do
		put "projects/shop/stages/production/$name.yaml" "kind: Deployment" "name: $name" \
			"product: $name" "node: $1" "strategy: {minHealthy: 0s}"
	done
}

new_config
put registries/main.yaml "kind: Registry" "name: main" "type: v2" "url: http://127.0.0.1:5000"
for engine in "${engines[@]}"; do
	engine_node "$engine"
	speaker "$engine" 1
	place "$engine"
done
push "First version"
settings
start_daemon
settle

log() { "$trueup" log --state "$state" "$@"; }
say() {
	local exec
	exec=$(post "$1" "/containers/shop-production-$1/exec" \
		"{\"Cmd\": [\"sh\", \"-c\", \"echo '$2' >>/box\"]}" | jq -r .Id)
	post "$1" "/exec/$exec/start" '{"Detach": true}' >/dev/null
}

# ---- the past ----

has_both() { [ "$(log "$1" | sort | tr '\n' ,)" = "err 1,out 1," ]; }
check "both streams are told" wait_until "both" each has_both
streams() { log "$1" --json | jq -r '"\(.stream) \(.line)"' | sort | tr '\n' ,; }
are_told_apart() { [ "$(streams "$1")" = "stderr err 1,stdout out 1," ]; }
check "and told apart" each are_told_apart
has_times() { log "$1" --json | jq -es 'length == 2 and all(.at | test("^20..-..-..T..:..:..[.]...Z$"))'; }
check "each line has its time" each has_times
has_last() { [ "$(log "$1" -n 1 | wc -l)" = 1 ]; }
check "so many of the last" each has_last
is_after() { [ -z "$(log "$1" --after 2100-01-01T00:00:00Z)" ] && [ "$(log "$1" --after 1h | wc -l)" = 2 ]; }
check "only what was written later" each is_after
is_bare() { [ "$(log "$1-tty")" = "on a terminal" ]; }
check "what comes from a terminal is told as well" wait_until "the terminal" each is_bare

# ---- what comes ----

declare -A followers
begin() {
	log "$1" -f >"$flow/$1.out" 2>"$flow/$1.err" &
	followers[$1]=$!
}
came() { grep -q "$2" "$flow/$1.out"; }
times() { [ "$(grep -c "$2" "$flow/$1.out")" = "$3" ]; }
each begin
check "what was written before comes first" wait_until "the past" each came "out 1"
each say "here you are"
check "then what comes" wait_until "a line" each came "here you are"
check "once" each times "here you are" 1
for engine in "${engines[@]}"; do speaker "$engine" 2; done
pushed "Second version"
check "the container that comes is followed" wait_until "the new one" each came "out 2"
each say "and here"
check "as it writes" wait_until "a line" each came "and here"
restart() { post "$1" "/containers/shop-production-$1/restart?t=0" >/dev/null; }
each restart
again() { times "$1" "out 2" 2; }
check "one that is started again is followed on" wait_until "the second start" each again
each say "and again"
check "as it writes again" wait_until "a line" each came "and again"
check "nothing was told twice" each times "and here" 1
quiet() { [ ! -s "$flow/$1.err" ] || { sed "s/^/# $1: /" "$flow/$1.err"; false; }; }
check "nothing went wrong on the way" each quiet
for engine in "${engines[@]}"; do
	kill "${followers[$engine]}"
	wait "${followers[$engine]}" 2>/dev/null
done

done_testing
