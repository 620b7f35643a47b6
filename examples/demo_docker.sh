#!/bin/bash
# demo_docker.sh - the second example, as a user would do it with plain git, on an engine of its own
# that tests/support/engines.sh has started. usage: make demo DRIVER=docker
set -euo pipefail

trueup=$(realpath "${BUILD:-build}/trueup")
example=$(realpath "$(dirname "$0")/02-docker")
engines=${TRUEUP_ENGINES:?run it by tests/support/engines.sh}
place=$(mktemp -d "${TMPDIR:-/tmp}/trueup-demo.XXXXXX")
daemon=

bold= dim= plain=
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; fi
step() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
show() { printf '%s$ %s%s\n' "$dim" "$*" "$plain"; }
say() { printf '%s\n' "$*"; }
fail() { printf '\ndemo failed: %s\n' "$*" >&2; [ -f "$place/log" ] && tail -n 20 "$place/log" >&2; exit 1; }
finish() {
	status=$?
	trap - EXIT INT TERM
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
	[ -z "$daemon" ] || wait "$daemon" 2>/dev/null || true
	rm -rf "$place"
	exit $status
}
trap finish EXIT
trap 'exit 130' INT TERM

[ ! -e "$engines/docker/why" ] || { say "There is no Docker Engine here: $(cat "$engines/docker/why")"; exit 0; }

api() { curl -s --fail --unix-socket "$engines/docker/sock" "http://engine/v1.41$1" "${@:2}"; }
containers() {
	show docker ps
	api /containers/json | jq -r '.[] | "    \(.Names[0][1:])  \(.Image | .[0:48])…  \(.Status)"'
}
id_of() { api "/containers/$1/json" | jq -r .Id; }
log_of() { api "/containers/$1/logs?stdout=1&tail=1" | tail -c +9; }
await() { for _ in $(seq 300); do if "$@" >/dev/null 2>&1; then return; fi; sleep 0.1; done; return 1; }
says() { [ "$(log_of shop-prod-web)" = "$1" ]; }
wait_pass() { "$trueup" sync --wait --timeout 60s --state "$place/state" >/dev/null; }
push() { git -C "$place/work" add -A; git -C "$place/work" commit -qm "$1"; show "git commit -m \"$1\" && git push"; git -C "$place/work" push -q; }

say "${bold}trueup on Docker: what is pushed is what runs.${plain} Everything is in $place"

step "A configuration repository"
git init -q --bare -b main "$place/config.git"
git clone -q "$place/config.git" "$place/work" 2>/dev/null
git -C "$place/work" checkout -q -b main 2>/dev/null || true
git -C "$place/work" config user.name "Ann Example"
git -C "$place/work" config user.email ann@example.org
cp -r "$example/config/." "$place/work/"
sed -i "s|/srv/trueup/docker.sock|$engines/docker/sock|" "$place/work/nodes/here.yaml"
show trueup run --repo config.git --state state
"$trueup" run --repo "$place/config.git" --state "$place/state" >"$place/log" 2>&1 &
daemon=$!
await test -S "$place/state/control.sock" || fail "the reconciler does not answer"

step "git push: 1.0.0"
push "Storefront 1.0.0"
wait_pass || fail "1.0.0 did not come up"
containers
await says "3 left" || fail "web did not find store"
say "web asked store by its name, and was told: $(log_of shop-prod-web)"
web=$(id_of shop-prod-web)

step "git push: 1.1.0, in which only store is another one"
cp "$example/next/storefront-1.1.0.yaml" "$place/work/projects/shop/products/"
sed -i 's/^version: 1.0.0/version: 1.1.0/' "$place/work/projects/shop/stages/production/storefront.yaml"
push "Storefront 1.1.0"
wait_pass || fail "1.1.0 did not come up"
containers
await says "2 left" || fail "web was not told of the new store"
say "store was replaced beside the old one, under the same name; web now hears: $(log_of shop-prod-web)"
[ "$web" = "$(id_of shop-prod-web)" ] || fail "web was replaced, too"
say "web was not touched: it is the container that it was"

step "Somebody kills store, and takes web off the network"
show "docker kill shop-prod-store; docker network disconnect shop-production shop-prod-web"
api /containers/shop-prod-store/kill -X POST
api /networks/shop-production/disconnect -H 'Content-Type: application/json' -d '{"Container":"shop-prod-web","Force":true}' >/dev/null
mended() {
	[ "$(api /containers/shop-prod-store/json | jq .State.Running)" = true ] &&
		api /containers/shop-prod-web/json | jq -e '.NetworkSettings.Networks["shop-production"]'
}
await mended || fail "nobody mended it"
wait_pass || fail "it is not well again"
containers

step "git revert: the way back"
show "git revert HEAD && git push"
git -C "$place/work" revert --no-edit HEAD >/dev/null
git -C "$place/work" push -q
wait_pass || fail "1.0.0 did not come back"
await says "3 left" || fail "1.0.0 does not serve"
show trueup deployment
"$trueup" deployment --state "$place/state"

step "Done: pushed, upgraded one by one, mended, rolled back"
