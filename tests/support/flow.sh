# flow.sh - a configuration repository, a reconciler on it, and questions about both. Begin with
#
#	. tests/support/tap.sh
#	. tests/support/flow.sh
#
# Everything lies in $flow, which goes at the end with every process that was started. Waiting is
# always for an event: `settle` for the end of a pass, `wait_until` for a condition with a deadline.
# shellcheck shell=bash

trueup=$(realpath "${TRUEUP:-build/trueup}")
flow=$(mktemp -d "${TMPDIR:-/tmp}/flow.XXXXXX")
config=$flow/config.git work=$flow/work state=$flow/state
daemon=
export GIT_CONFIG_GLOBAL=$flow/gitconfig GIT_CONFIG_NOSYSTEM=1 XDG_CONFIG_HOME=$flow
unset TRUEUP_STATE TRUEUP_CONFIG TRUEUP_REPO TRUEUP_PROJECT TRUEUP_STAGE

cat >"$GIT_CONFIG_GLOBAL" <<'END'
[user]
	name = Ann Example
	email = ann@example.org
[init]
	defaultBranch = main
[gc]
	auto = 0
END

flow_end() {
	local status=$?
	trap - EXIT
	stop_daemon
	end_workloads
	rm -rf "$flow"
	exit $status
}
trap flow_end EXIT

# Host workloads outlive the reconciler on purpose: end those that were started below $flow.
end_workloads() {
	local pids
	pids=$({
		grep -lsaF "$flow/" /proc/[0-9]*/cmdline
		grep -lsaz "^TRUEUP_DIR=$flow/" /proc/[0-9]*/environ
	} | grep -o '[0-9]\+' | grep -vx $$)
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill -9 $pids 2>/dev/null
}

# ---- the repository ----

# An organization with one node per argument (memory driver), a project shop with a stage production.
new_config() {
	local node
	git init -q --bare "$config"
	git clone -q "$config" "$work" 2>/dev/null
	git -C "$work" symbolic-ref HEAD refs/heads/main
	put organization.yaml "kind: Organization" "name: acme"
	put projects/shop/project.yaml "kind: Project" "name: shop"
	put projects/shop/stages/production/stage.yaml "kind: Stage" "name: production"
	for node in "$@"; do memory_node "$node"; done
}

# put PATH LINE... - writes a file of the work tree.
put() {
	local path=$work/$1
	shift
	mkdir -p "$(dirname "$path")"
	printf '%s\n' "$@" >"$path"
}

memory_node() {
	mkdir -p "$flow/worlds/$1"
	put "nodes/$1.yaml" "kind: Node" "name: $1" "driver: memory" "endpoint: file://$flow/worlds/$1"
}

# behave NODE JSON - how the memory node's containers behave, from one moment to the next.
behave() { printf '%s\n' "$2" >"$flow/behaviour.new" && mv "$flow/behaviour.new" "$flow/worlds/$1/behaviour.json"; }

product() { put "projects/shop/products/$1.yaml" "kind: Product" "name: $1" "type: complex"; }

# version PRODUCT NAME PARENT [LINE...] - an incremental version with one container `web`; the lines are
# its configuration.
version() {
	local product=$1 name=$2 parent=$3
	shift 3
	put "projects/shop/products/$product-$name.yaml" "kind: Version" "product: $product" \
		"name: $name" "type: incremental" ${parent:+"parent: $parent"} "images:" "  - name: web" \
		"    image: local/$product:$name" "    config:" "      env: {RELEASE: $name}" "${@/#/      }"
}

# deploy NAME PRODUCT VERSION NODE [LINE...] - with a deadline of $flow_deadline: short, for what is to
# fail; a test whose workloads must come up on a busy machine sets a long one.
deploy() {
	local name=$1 product=$2 version=$3 node=$4
	shift 4
	put "projects/shop/stages/production/$name.yaml" "kind: Deployment" "name: $name" \
		"product: $product" "version: $version" "node: $node" \
		"strategy: {minHealthy: 0s, deadline: ${flow_deadline:-6s}}" "$@"
}

# push MESSAGE - commits everything and pushes it; prints nothing.
push() {
	git -C "$work" add -A
	git -C "$work" commit -q -m "$1"
	git -C "$work" push -q origin main
}
head_commit() { git -C "$work" rev-parse HEAD; }
revert() {
	git -C "$work" revert --no-edit "${1:-HEAD}" >/dev/null
	git -C "$work" push -q origin main
}

# ---- the reconciler ----

# settings LINE... - neither polling nor full looks: what happens then was seen by an event.
settings() {
	flow_config=$flow/settings.yaml
	printf '%s\n' "kind: Settings" "interval: 1h" "lookInterval: 1h" "$@" >"$flow_config"
}

# start_daemon [ARG...] - and waits until it answers.
start_daemon() {
	# shellcheck disable=SC2086
	$flow_wrap "$trueup" run --repo "$config" --state "$state" ${flow_config:+--config "$flow_config"} \
		"$@" 2>>"$flow/log" &
	daemon=$!
	wait_until "the reconciler to answer" "$trueup" sync --state "$state"
}
stop_daemon() {
	[ -n "$daemon" ] || return 0
	kill "$daemon" 2>/dev/null
	wait "$daemon" 2>/dev/null
	daemon=
}
kill_daemon() {
	kill -9 "$daemon"
	wait "$daemon" 2>/dev/null
	daemon=
}

# settle - until a pass that began after this call is over.
settle() { "$trueup" sync --wait --timeout 60s --state "$state" >/dev/null; }
apply() { "$trueup" apply --repo "$config" --state "$state" ${flow_config:+--config "$flow_config"} "$@"; }
plan() { "$trueup" plan --repo "$config" --state "$state" ${flow_config:+--config "$flow_config"} "$@"; }
status() { "$trueup" status --state "$state" "$@"; }

# wait_until WHAT COMMAND... - tries it until it succeeds, for 60 s at most.
wait_until() {
	local what=$1 tries=0
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		if [ $tries -gt 1200 ] || { [ -n "$daemon" ] && ! kill -0 "$daemon" 2>/dev/null; }; then
			echo "# gave up waiting for $what"
			[ -f "$flow/log" ] && tail -n 20 "$flow/log" | sed 's/^/# /'
			return 1
		fi
		sleep 0.05
	done
}

# ---- questions ----

# ask FILTER - jq over status --json.
ask() { status --json | jq -r "$1"; }
is_synced() { [ "$(ask .synced)" = true ]; }
# slot NAME FIELD
slot() { ask ".deployments[] | select(.deployment == \"$1\") | .$2"; }
# records - "version status" of every record, newest last, one a line.
records() {
	"$trueup" deployment --json --state "$state" |
		jq -r '.deployments[] | "\(.version // "-") \(.status)"'
}
# exit_of COMMAND... - its exit status, its output thrown away.
exit_of() {
	"$@" >/dev/null 2>&1
	echo $?
}
# world NODE - the names of the containers on a memory node, sorted.
world() { find "$flow/worlds/$1/containers" -name '*.json' -printf '%f\n' 2>/dev/null | sed 's/\.json$//' | sort; }
# runs NODE - "name id start" of the containers on a memory node: the same text means that none was
# made anew or restarted.
runs() {
	find "$flow/worlds/$1/containers" -name '*.json' -exec jq -r '"\(.spec.name) \(.id) \(.startedMs)"' {} + |
		sort
}
# is NAME FIELD VALUE - for wait_until: a field of a slot has this value.
is() { [ "$(slot "$1" "$2")" = "$3" ]; }
# in_force - the daemon has judged the commit that was pushed last.
in_force() { [ "$(ask .commit)" = "$(head_commit)" ]; }
# pushed MESSAGE - push, and wait until the pass that it started is over.
pushed() {
	push "$1"
	wait_until "$1 to be seen" in_force
	settle
}
# has_container NODE NAME
has_container() { [ -e "$flow/worlds/$1/containers/$2.json" ]; }
