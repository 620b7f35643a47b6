#!/bin/bash
# Docker and Podman nodes under a running reconciler: pushed, replaced, mended, failed, reverted,
# adopted, removed. Both engines are nodes of one repository, and each step holds for both.
# shellcheck source-path=SCRIPTDIR/../.. disable=SC2317
. tests/support/tap.sh
. tests/support/flow_engines.sh

id_of() { inspect "$1" "shop-production-$1" .Id; }
is_up() { [ "$(inspect "$1" "shop-production-$1" .State.Running)" = true ]; }
has_env() { inspect "$1" "shop-production-$1" '.Config.Env[]' | grep -qx "$2"; }
ids() { each id_of; }

# ---- the repository ----

# web ENGINE VERSION PARENT [LINE...]: a version that says what it is until it is told to end.
web() {
	local engine=$1 version=$2 parent=$3
	shift 3
	put "projects/shop/products/$engine-$version.yaml" "kind: Version" "product: $engine" \
		"name: $version" "type: incremental" ${parent:+"parent: $parent"} "images:" \
		"  - name: $engine" "    image: main/shop/web:${tag:-1}" "    config:" \
		"      env: {RELEASE: $version}" \
		"      command: [sh, -c, \"trap 'exit 0' TERM; echo up; sleep 1000 & wait\"]" "${@/#/      }"
}
first_version() { web "$1" 1.0.0 '' 'volumes: [{name: data, path: /data, shared: true}]'; }
deployed() { deploy "$1" "$1" "$2" "$1"; }

flow_deadline=30s
new_config
put registries/main.yaml "kind: Registry" "name: main" "type: v2" "url: http://127.0.0.1:5000"
for engine in "${engines[@]}"; do
	engine_node "$engine"
	product "$engine"
	first_version "$engine"
	deployed "$engine" 1.0.0
done
push "First version"
settings
start_daemon
settle

check "what is pushed runs" each is_up
check "as it was written" each has_env RELEASE=1.0.0
check "its record is successful" wait_until "the record" each record_is 1.0.0 successful
image_of() {
	inspect "$1" "shop-production-$1" .Config.Image | grep -qx '127.0.0.1:5000/shop/web@sha256:[0-9a-f]*'
}
check "by digest, from the host of the Registry that the image names" each image_of
marked() { api "$1" /volumes/trueup-owner | jq -e '.Labels["dev.trueup.owner"] | startswith("acme/")'; }
check "the node is marked" each marked

before=$(ids)
settle
check_same "a second pass changes nothing" "$before" "$(ids)"

# ---- a new version, beside the old one ----
second() { web "$1" 1.1.0 1.0.0 'volumes: [{name: data, path: /data, shared: true}]'; deployed "$1" 1.1.0; }
tag=2 each second
push "Second version"
settle
check "a new version takes the place of the old one" each has_env RELEASE=1.1.0
alone() { [ "$(names "$1")" = "/shop-production-$1" ]; }
check "which is gone, and the new one has its name" each alone
answers() {
	inspect "$1" "shop-production-$1" '.NetworkSettings.Networks["shop-production"].Aliases[]' |
		grep -qx "shop-production-$1"
}
check "and answers to it" each answers

# ---- changed by hand ----
kill_it() { api "$1" "/containers/shop-production-$1/kill?signal=KILL" -X POST; }
each kill_it
mended() { each is_up; }
check "what was killed runs again, told by the engine's events" wait_until "it to run again" mended
unplug() {
	api "$1" /networks/shop-production/disconnect -H 'Content-Type: application/json' \
		-d "{\"Container\":\"shop-production-$1\",\"Force\":true}"
}
settle
each unplug >/dev/null
plugged() { each answers && each is_up && each alone; }
check "what lost its network gets it back" wait_until "the network" plugged
settle

# ---- what fails ----
third() { web "$1" 1.2.0 1.1.0 'restartPolicy: "no"'; deployed "$1" 1.2.0; }
break_it() {
	sed -i 's/command: .*/command: [sh, -c, "echo no database; exit 3"]/' \
		"$work/projects/shop/products/$1-1.2.0.yaml"
}
each third
each break_it
push "Third version, which ends at once"
settle
check "a version that ends is failed" wait_until "the record" each record_is 1.2.0 failed
serves_before() { has_env "$1" RELEASE=1.1.0 && is_up "$1"; }
check "the one before serves again" wait_until "the one before" each serves_before
said() {
	"$trueup" why "$1" --state "$state" | grep -q 'no database'
}
check "what the failed one wrote is kept" each said

# ---- back ----
git -C "$work" revert --no-edit HEAD >/dev/null
git -C "$work" revert --no-edit HEAD~2 >/dev/null
git -C "$work" push -q origin main
settle
check "a revert brings the first version back" wait_until "it to be back" each has_env RELEASE=1.0.0
check "and the one after it is downgraded" wait_until "the record" each record_is 1.1.0 downgraded

# ---- killed, and without a ledger ----
before=$(ids)
kill_daemon
start_daemon
settle
check_same "a reconciler that was killed finds everything as it was" "$before" "$(ids)"
kill_daemon
rm -f "$state"/ledger*
start_daemon
settle
check_same "so does one that has lost its ledger" "$before" "$(ids)"

# ---- the engine ends, and is started again ----
each restart_engine
all_up() { each is_up; }
check "after its engine was started anew a workload runs" wait_until "it to run" all_up
settle
check_same "and is the one that it was" "$before" "$(ids)"
each kill_it
check "what is killed then is mended: events are heard again" wait_until "it to run again" all_up

# ---- away ----
withdraw
check "a deployment that is removed takes containers and network along" each gone
kept() { api "$1" /volumes/shop-production-data >/dev/null; }
check "its volume stays" each kept

stop_daemon
done_testing
