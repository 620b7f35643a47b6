#!/bin/bash
# What runs before a container, on Docker and Podman nodes: in order, on the same volume, each time
# the container is made anew and never else; a release whose init container fails, a reconciler and
# an engine that end in the middle of one, an image whose tag moves. Both engines are nodes of one
# repository, and each step holds for both.
# shellcheck source-path=SCRIPTDIR/../.. disable=SC2016,SC2317
. tests/support/tap.sh
. tests/support/flow_engines.sh

# ---- the repository ----

# entry NAME COMMAND [LINE...]: one of `init`, which sees the volume below /before
entry() {
	local name=$1 command=$2
	shift 2
	printf '%s\n' "  - name: $name" "    image: main/shop/web:2" \
		"    command: [sh, -c, \"$command\"]" \
		"    volumes: [{name: data, path: /before${shared:+, shared: true}}]" "${@/#/    }"
}
# release ENGINE VERSION PARENT: what it runs before its container is read
release() {
	local engine=$1 version=$2 parent=$3 lines
	mapfile -t lines
	put "projects/shop/products/$engine-$version.yaml" "kind: Version" "product: $engine" \
		"name: $version" "type: incremental" ${parent:+"parent: $parent"} "images:" \
		"  - name: $engine" "    image: main/shop/web:1" "    config:" \
		"      env: {RELEASE: $version}" \
		"      command: [sh, -c, \"trap 'exit 0' TERM; cat /data/order; sleep 1000 & wait\"]" \
		"      volumes: [{name: data, path: /data${shared:+, shared: true}}]" \
		"      init:" "${lines[@]/#/      }"
	deploy "$engine" "$engine" "$version" "$engine"
}

# ---- questions ----

id_of() { inspect "$1" "shop-production-$1" .Id; }
ids() { each id_of; }
runs_as() {
	[ "$(inspect "$1" "shop-production-$1" \
		'"\(.State.Running) \(.Config.Env | map(select(startswith("RELEASE="))) | first)"')" = \
		"true RELEASE=$2" ]
}
all_run_as() { each runs_as "$1"; }
alone() { [ "$(names "$1")" = "/shop-production-$1" ]; }
all_alone() { each alone; }
# What the volume says of who ran, each in a letter.
order() { api "$1" "/containers/shop-production-$1/archive?path=/data/order" | tar -xO; }
orders() { each order | tr -d '\n'; }
# each engine has the same to say
all() { local engine; for engine in "${engines[@]}"; do printf %s "$1"; done; }
said() { "$trueup" why "$1" --state "$state" | grep -q -- "$2"; }
init_of() { echo "shop-production-$1.init-$2"; }
init_runs() { [ "$(inspect "$1" "$(init_of "$1" "$2")" .State.Running)" = true ]; }
inits_run() { each init_runs "$1"; }
init_id() { inspect "$1" "$(init_of "$1" "$2")" .Id; }
# It may go on: a file for which it waits, put there by hand.
let_go() {
	tar -cC "$flow" go | api "$1" "/containers/shop-production-$1/archive?path=/data" \
		-X PUT -H 'Content-Type: application/x-tar' --data-binary @-
}
touch "$flow/go"
WAITS='until [ -e /before/go ]; do sleep 0.1; done; rm /before/go'

# ---- in order, each time a container is made ----

flow_deadline=60s shared=yes
new_config
put registries/main.yaml "kind: Registry" "name: main" "type: v2" "url: http://127.0.0.1:5000"
for engine in "${engines[@]}"; do
	engine_node "$engine"
	product "$engine"
	{
		entry first 'printf $LETTER >>/before/order' 'env: {LETTER: a}'
		entry second 'sleep 0.5; printf b >>/before/order'
		entry third '[ -z $RELEASE ]; printf c >>/before/order'
	} | release "$engine" 1.0.0 ''
done
push "First version"
settings
start_daemon
settle
check "a container starts when what runs before it has" wait_until "it" all_run_as 1.0.0
check_same "in order, on the container's volume" "$(all abc)" "$(orders)"
check "what has done its work is gone" wait_until "it to go" all_alone

kill_it() { api "$1" "/containers/shop-production-$1/kill?signal=KILL" -X POST; }
before=$(ids)
each kill_it
check "what was killed is started again" wait_until "it to run" all_run_as 1.0.0
settle
check_same "as it is" "$before" "$(ids)"
check_same "and nothing runs before it once more" "$(all abc)" "$(orders)"
remove_it() { api "$1" "/containers/shop-production-$1?force=1" -X DELETE; }
each remove_it
check "what was removed is made anew" wait_until "it to run" all_run_as 1.0.0
settle
check_same "and what runs before it runs again" "$(all abcabc)" "$(orders)"
check "and goes" wait_until "it to go" all_alone

# ---- one that fails ----

for engine in "${engines[@]}"; do
	{
		entry first 'printf d >>/before/order'
		entry migrate 'echo no such table; exit 4'
		entry never 'printf x >>/before/order'
	} | release "$engine" 1.1.0 1.0.0
done
before=$(ids)
push "Second version, whose migration fails"
settle
check "a release fails with what runs before its container" each record_is 1.1.0 failed
check "which is named" each said 'init-migrate'
check "with its status" each said 'exited with code 4'
check "and what it wrote" each said 'no such table'
check_same "the one before serves as it did" "$before" "$(ids)"
check "and nothing else is left" wait_until "it to go" all_alone
check_same "what stands behind it did not run" "$(all abcabcd)" "$(orders)"

# ---- in the middle ----

long=$(printf 'a%.0s' {1..63})
for engine in "${engines[@]}"; do
	entry "$long" "$WAITS; printf e >>/before/order" | release "$engine" 1.2.0 1.1.0
done
push "Third version, whose migration takes long"
check "it runs beside what serves" wait_until "it to run" inits_run "$long"
check "which goes on" each runs_as 1.0.0
by_digest() {
	inspect "$1" "$(init_of "$1" "$long")" .Config.Image |
		grep -qx '127.0.0.1:5000/shop/web@sha256:[0-9a-f]*'
}
check "by digest" each by_digest
before=$(each init_id "$long")
kill_daemon
start_daemon
check "a reconciler that was killed finds it" wait_until "the record" each record_is 1.2.0 inProgress
sync_now() { "$trueup" sync --state "$state" >/dev/null; }
check "and looks" sync_now
check_same "and does not begin again" "$before" "$(each init_id "$long")"
each restart_engine
check "after its engine was started anew it runs" wait_until "it to run" inits_run "$long"
check "and what serves does" wait_until "it to run" all_run_as 1.0.0
each let_go
check "the release goes on when it has ended" wait_until "the release" all_run_as 1.2.0
check "and is successful" wait_until "the record" each record_is 1.2.0 successful
check "and alone" wait_until "it to go" all_alone
check_same "and it ran to its end once" "$(all abcabcde)" "$(orders)"

# ---- a volume of its own: what serves makes way first ----

shared=
for engine in "${engines[@]}"; do
	entry adapt "$WAITS; printf f >>/before/order" | release "$engine" 1.3.0 1.2.0
done
push "Fourth version, with the volume for itself"
check "it runs" wait_until "it to run" inits_run adapt
stopped() { [ "$(inspect "$1" "shop-production-$1" .State.Running)" = false ]; }
check "when the one before has stopped" each stopped
each let_go
check "then its container does" wait_until "the release" all_run_as 1.3.0
check "and is alone" wait_until "it to go" all_alone

# ---- away, in the middle ----

for engine in "${engines[@]}"; do
	entry adapt "$WAITS" | release "$engine" 1.4.0 1.3.0
done
push "Fifth version"
check "it runs" wait_until "it to run" inits_run adapt
withdraw
all_gone() { each gone; }
check "a deployment that is removed takes it along" wait_until "it to go" all_gone
no_volumes() {
	[ "$(api "$1" /volumes | jq -r '.Volumes[].Name' | sort | tr '\n' ' ')" = \
		"shop-production-data trueup-owner " ]
}
check "and leaves no volume but the named one" each no_volumes

done_testing
