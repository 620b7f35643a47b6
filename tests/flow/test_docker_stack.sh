#!/bin/bash
# A Compose file on Docker: its services reach each other by their names on a network of their own, over
# releases and what is done by hand, and nobody else does. On Podman they have the stage's alone.
# shellcheck source-path=SCRIPTDIR/../.. disable=SC2317
. tests/support/tap.sh
. tests/support/flow_engines.sh

stage=projects/shop/stages/production
# A service asks again and again where another one is, and says so when that changes: an address, or
# nothing.
asks() {
	cat <<-END
		  $1:
		    image: 127.0.0.1:5000/shop/web:1
		    stop_signal: SIGKILL
		    command:
		      - sh
		      - -c
		      - |
		        last=none
		        while sleep 0.2; do
		          now=\$\$(busybox nslookup $2 2>/dev/null | busybox sed -n '/^Name/,\$\$s/^Address[^0-9]*\(1: *\)\?\([0-9.]\{7,\}\).*/\2/p' | busybox tail -n 1)
		          [ "\$\$now" = "\$\$last" ] || echo "$2 is at '\$\$now'"
		          last=\$\$now
		        done
	END
}
# serves RELEASE
serves() {
	cat <<-END
		  web:
		    image: 127.0.0.1:5000/shop/web:1
		    stop_signal: SIGKILL
		    environment: {RELEASE: "$1"}
		    command: [sleep, "1000"]
	END
}
stack() {
	mkdir -p "$work/$stage/$1"
	{
		echo "services:"
		cat
	} >"$work/$stage/$1/compose.yaml"
	put "$stage/$1/deployment.yaml" "kind: Deployment" "name: $1" "strategy: {minHealthy: 0s}"
}

new_config
put registries/main.yaml "kind: Registry" "name: main" "type: v2" "url: http://127.0.0.1:5000"
for engine in "${engines[@]}"; do engine_node "$engine"; done
put $stage/stage.yaml "kind: Stage" "name: production" "nodes: [$(
	IFS=,
	echo "${engines[*]}"
)]"
{
	serves 1
	asks friend web
} | stack wiki
asks stranger web | stack blog
push "Two stacks"
settings
start_daemon
settle

log() { "$trueup" log --state "$state" "$@"; }
# said ENGINE STACK: what the service that asks said last
said() { log "$2" --node "$1" -n 1000 --json | jq -r .line | tail -n 1; }
# address ENGINE: that of web in the network of its stack, as the engine has it
address() { inspect "$1" shop-production-wiki-web '.NetworkSettings.Networks["shop-production..wiki"].IPAddress'; }
finds() {
	[ "$1" = podman ] && { is_absent "$1" "/networks/shop-production..wiki" && return; }
	[ "$(said "$1" wiki)" = "web is at '$(address "$1")'" ] && [ -n "$(address "$1")" ]
}
finds_nothing() { [ "$(said "$1" blog)" = "web is at ''" ]; }

check "a service finds another one by its name" wait_until "the friend" each finds
check "nobody else does" wait_until "the stranger" each finds_nothing
full_name() { inspect "$1" shop-production-wiki-web '.NetworkSettings.Networks["shop-production"].Aliases[]' | grep -qx shop-production-wiki-web; }
check "in the stage it answers to its full name" each full_name
check "all is well" wait_until "the end" is_synced

{
	serves 2
	asks friend web
} | stack wiki
pushed "A new release"
changed() { inspect "$1" shop-production-wiki-web '.Config.Env[]' | grep -qx RELEASE=2; }
check "a new release runs" wait_until "the release" each changed
check "and has the name now" wait_until "the friend" each finds

disconnect() {
	[ "$1" = docker ] || return 0
	post "$1" "/networks/shop-production..wiki/disconnect" \
		'{"Container": "shop-production-wiki-web", "Force": true}' >/dev/null
}
each disconnect
is_back() { [ "$1" = podman ] || { [ -n "$(address "$1")" ] && [ "$(address "$1")" != null ]; }; }
check "taken off its network by hand, it is brought back" wait_until "the mending" each is_back
check "under its name" wait_until "the friend" each finds

git -C "$work" rm -rqf $stage/wiki
pushed "No wiki"
has_no_network() { is_absent "$1" "/networks/shop-production..wiki"; }
check "the network goes with the last service" wait_until "the end" each has_no_network
has_network() { [ "$1" = podman ] || api "$1" "/networks/shop-production..blog" >/dev/null; }
check "that of the other stack stays" each has_network

done_testing
