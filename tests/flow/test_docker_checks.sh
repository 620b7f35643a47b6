#!/bin/bash
# Checks by http and tcp on docker nodes, made by the reconciler: they gate a release, tell when
# something begins to fail in the middle, and bring the one before back. A reconciler for each
# engine, on the machine that the engine is on.
# shellcheck source-path=SCRIPTDIR/../.. disable=SC2317
. tests/support/tap.sh
. tests/support/flow_engines.sh

# ---- the repository ----

# serving ENGINE VERSION PARENT FOLDER [LINE...]: answers GET /health where FOLDER is www.
serving() {
	local engine=$1 version=$2 parent=$3 folder=$4
	shift 4
	put "projects/shop/products/$engine-$version.yaml" "kind: Version" "product: $engine" \
		"name: $version" "type: incremental" ${parent:+"parent: $parent"} "images:" \
		"  - name: $engine" "    image: main/shop/web:1" "    config:" \
		"      env: {RELEASE: $version}" "      stopSignal: SIGKILL" \
		"      command: [sh, -c, \"busybox mkdir /tmp/www /tmp/none; echo ok >/tmp/www/health; \
trap 'busybox rm /tmp/www/health' USR1; trap 'echo ok >/tmp/www/health' USR2; \
busybox httpd -f -p 8080 -h /tmp/$folder & while true; do wait; done\"]" "${@/#/      }"
}
http='healthCheck: {http: {path: /health, port: 8080}, interval: 200ms, retries: 2}'
tcp='healthCheck: {tcp: {port: 8081}, interval: 200ms, retries: 2}'

container() { inspect "$1" "shop-production-$1" "$2"; }
release() { container "$1" '.Config.Env[]' | grep -qx "RELEASE=$2"; }
# health ENGINE: as status tells it
health() {
	status --json | jq -r '[.. | objects | select(.containers?) | .containers[].health] | .[0]'
}
is_health() { [ "$(health)" = "$1" ]; }
is_app_healthy() {
	status --json | jq -e '[.. | objects | select(.name? == "shop-production-site")] |
		any(.health == "healthy")'
}
says() { "$trueup" why "$1" --state "$state" | grep -qF "$2"; }
signal() { api "$1" "/containers/shop-production-$1/kill?signal=$2" -X POST; }

play() {
	local engine=$1 before
	flow_wrap="nsenter --net=/proc/$(cat "$TRUEUP_ENGINES/$engine/machine")/ns/net"
	rm -rf "$config" "$work" "$state"
	new_config
	put registries/main.yaml "kind: Registry" "name: main" "type: v2" "url: http://127.0.0.1:5000"
	engine_node "$engine"
	product "$engine"
	flow_deadline=30s
	serving "$engine" 1.0.0 '' www "$http"
	deploy "$engine" "$engine" 1.0.0 "$engine"
	push "First version"
	settings
	start_daemon
	settle
	check "$engine: a release is successful once its check passes" \
		wait_until "the record" record_is "$engine" 1.0.0 successful
	check "$engine: and healthy" wait_until "health" is_health healthy
	before=$(container "$engine" .Id)

	signal "$engine" USR1
	check "$engine: what begins to fail is told" wait_until "ill health" is_health unhealthy
	check "$engine: with what was got" \
		wait_until "why" says "$engine" "GET /health on port 8080: status 404, wanted 200-399"
	signal "$engine" USR2
	check "$engine: and is healthy again" wait_until "health" is_health healthy
	check_same "$engine: the container is the same" "$before" "$(container "$engine" .Id)"

	flow_deadline=6s
	serving "$engine" 1.1.0 1.0.0 none "$http"
	deploy "$engine" "$engine" 1.1.0 "$engine"
	push "Second version, which never passes"
	settle
	check "$engine: a release whose check never passes is failed" \
		wait_until "the record" record_is "$engine" 1.1.0 failed
	check "$engine: for what the check got" says "$engine" "status 404, wanted 200-399"
	check "$engine: the one before serves" release "$engine" 1.0.0
	check_same "$engine: and was never touched" "$before" "$(container "$engine" .Id)"

	serving "$engine" 1.2.0 1.1.0 www "$tcp"
	deploy "$engine" "$engine" 1.2.0 "$engine"
	push "Third version, whose port nobody listens at"
	settle
	check "$engine: so is one whose port accepts nothing" \
		wait_until "the record" record_is "$engine" 1.2.0 failed
	check "$engine: for what that got" says "$engine" "Connection refused"
	flow_deadline=30s
	serving "$engine" 1.3.0 1.2.0 www "${tcp/8081/8080}"
	deploy "$engine" "$engine" 1.3.0 "$engine"
	push "Fourth version, which listens"
	settle
	check "$engine: one that accepts is successful" \
		wait_until "the record" record_is "$engine" 1.3.0 successful

	put projects/shop/stages/production/stage.yaml "kind: Stage" "name: production" "nodes: [$engine]"
	put projects/shop/stages/production/site.yaml "kind: App" "name: site" "image: main/shop/web:1" \
		"network: {ports: [8080], healthCheck: {path: /which}}" \
		"tasks: {site: {command: [busybox, httpd, -f, -p, '8080', -h, /]}}"
	push "An app, whose network says how it is checked"
	settle
	check "$engine: so is an app" wait_until "its health" is_app_healthy
	stop_daemon
}
for engine in "${engines[@]}"; do play "$engine"; done
done_testing
