# flow_engines.sh - flow.sh with container engines as nodes. Begin with
#
#	. tests/support/tap.sh
#	. tests/support/flow_engines.sh
#
# Where there are no engines the test is skipped as a whole. ${engines[@]} are those that run here;
# they are shared with other tests, and held until the script ends, which leaves nothing on them.
# shellcheck shell=bash source-path=SCRIPTDIR/../.. disable=SC2317

if [ -z "${TRUEUP_ENGINES:-}" ]; then
	skip "docker nodes" "no engines: run it by tests/support/engines.sh"
	done_testing
	exit
fi
exec 8>>"$TRUEUP_ENGINES/lock"
flock 8
. tests/support/flow.sh

engines=()
for engine in docker podman; do
	if [ -e "$TRUEUP_ENGINES/$engine/why" ]; then
		skip "nodes of $engine" "$(head -n 1 "$TRUEUP_ENGINES/$engine/why")"
	else
		engines+=("$engine")
	fi
done

# each COMMAND...: with each engine put behind its first word
each() {
	local command=$1 engine
	shift
	for engine in "${engines[@]}"; do "$command" "$engine" "$@" || return; done
}

# ---- questions to the engines themselves ----

# api ENGINE PATH [CURL-OPTION...]
api() {
	local engine=$1 path=$2
	shift 2
	curl -s --fail --unix-socket "$TRUEUP_ENGINES/$engine/sock" "http://engine/v1.41$path" "$@"
}
# post ENGINE PATH [JSON]: something done by hand
post() { api "$1" "$2" -X POST -H 'Content-Type: application/json' -d "${3:-}"; }
# inspect ENGINE CONTAINER FILTER
inspect() { api "$1" "/containers/$2/json" | jq -r "$3"; }
names() { api "$1" '/containers/json?all=1' | jq -r '.[].Names[0]' | sort | tr -d '\n'; }
is_absent() { ! api "$1" "$2" >/dev/null; }

# The first process of an engine; it is started again when it ends.
engine_pid() { pgrep -o -f -- "^(dockerd|podman) --[a-z-]*root $TRUEUP_ENGINES/$1/"; }
restart_engine() {
	local old
	old=$(engine_pid "$1")
	kill "$old"
	wait_until "the engine to end" eval "! kill -0 $old"
	wait_until "the engine to be back" api "$1" /version
}

# ---- the repository ----

engine_node() {
	put "nodes/$1.yaml" "kind: Node" "name: $1" "driver: docker" \
		"endpoint: unix://$TRUEUP_ENGINES/$1/sock"
}

# record_is DEPLOYMENT VERSION STATUS
record_is() {
	"$trueup" deployment --json --state "$state" | jq -e --arg d "$1" --arg v "$2" --arg s "$3" \
		'[.. | objects | select(.deployment? == $d and .version? == $v)] | any(.status == $s)'
}

# ---- away ----

# withdraw - no engine has its deployment any more.
withdraw() {
	local engine
	for engine in "${engines[@]}"; do
		git -C "$work" rm -q "projects/shop/stages/production/$engine.yaml"
	done
	push "Away"
	settle
}
# gone ENGINE - nothing of the stage is left there but volumes.
gone() { [ -z "$(names "$1")" ] && is_absent "$1" /networks/shop-production; }

# ---- a registry behind a gate that can be shut ----

declare -A gates
open_gate() {
	: >"$flow/gate-$1"
	nsenter --net --target "$(engine_pid "$1")" /usr/bin/python3 tests/support/registry_gate.py \
		5002 5000 "$flow/orders" >"$flow/gate-$1" &
	gates[$1]=$!
	wait_until "the gate" grep -q listening "$flow/gate-$1"
}
shut_gate() {
	[ -n "${gates[$1]:-}" ] || return 0
	kill "${gates[$1]}"
	wait "${gates[$1]}" 2>/dev/null
	gates[$1]=
}
# A layer that no engine has: made on one of them, pushed, forgotten.
push_big() {
	local engine=$1 digest
	post "$engine" "/images/create?fromImage=127.0.0.1:5000/shop/web&tag=1" >/dev/null
	post "$engine" "/containers/create?name=maker" '{"Image":"127.0.0.1:5000/shop/web:1",
		"Cmd":["sh","-c","busybox head -c 3000000 /dev/urandom >/big"]}' >/dev/null
	post "$engine" /containers/maker/start
	post "$engine" /containers/maker/wait >/dev/null
	post "$engine" "/commit?container=maker&repo=127.0.0.1:5000/shop/big&tag=1" >/dev/null
	digest=$(api "$engine" /images/127.0.0.1:5000/shop/big:1/push -X POST \
		-H 'X-Registry-Auth: e30=' | grep -o 'sha256:[0-9a-f]*' | tail -n 1)
	api "$engine" /containers/maker -X DELETE
	api "$engine" /images/127.0.0.1:5000/shop/big:1 -X DELETE >/dev/null
	echo "$digest"
}

# ---- the end ----

clean_engine() {
	local name
	for name in $(names "$1" | tr / ' '); do api "$1" "/containers/$name?force=1" -X DELETE; done
	for name in $(api "$1" /volumes | jq -r '.Volumes[]?.Name'); do
		api "$1" "/volumes/$name" -X DELETE
	done
	for name in $(api "$1" /images/json | jq -r '.[].RepoTags[]?' | grep ^trueup.invalid/); do
		api "$1" "/images/$name?force=1" -X DELETE
	done >/dev/null
	for name in $(api "$1" /networks | jq -r '.[].Name' | grep ^shop-production); do
		api "$1" "/networks/$name" -X DELETE
	done
	true
}
end_engines() {
	local status=$?
	stop_daemon
	each shut_gate
	each clean_engine
	(exit "$status")
	flow_end
}
trap end_engines EXIT
