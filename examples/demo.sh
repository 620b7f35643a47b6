#!/bin/bash
# demo.sh - the main job, as a user would do it with plain git: push, push, revert, see.
# usage: [BUILD=build] [KEEP=1] [PORT=18080] demo.sh      KEEP=1 leaves it running
set -euo pipefail

trueup=$(realpath "${BUILD:-build}/trueup")
example=$(realpath "$(dirname "$0")/01-first-push")
place=$(mktemp -d "${TMPDIR:-/tmp}/trueup-demo.XXXXXX")
port=${PORT:-18080}
daemon=

bold= dim= plain=
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; fi
step() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
show() { printf '%s$ %s%s\n' "$dim" "$*" "$plain"; }
say() { printf '%s\n' "$*"; }
fail() { printf '\ndemo failed: %s\n' "$*" >&2; [ -f "$place/log" ] && tail -n 20 "$place/log" >&2; exit 1; }

# Stops what the demo started, and nothing else: the reconciler, then its workloads by their own
# manifests, so that nothing is left running.
finish() {
	status=$?
	trap - EXIT INT TERM
	if [ "${KEEP:-}" = 1 ] && [ $status = 0 ]; then
		step "left running, to play with (KEEP=1)"
		say "  repository   $place/config.git      (your clone: $place/work)"
		say "  state        export TRUEUP_STATE=$place/state"
		say "  try          cd $place/work && \$EDITOR projects/shop/... && git commit -a && git push"
		say "               $trueup status;  $trueup why storefront;  $trueup plan"
		say "  to end it    kill $daemon, then remove $place"
		exit 0
	fi
	if [ -n "$daemon" ] && kill -0 "$daemon" 2>/dev/null; then
		(cd "$place/work" && git rm -q projects/shop/stages/production/storefront.yaml &&
			git commit -qm "Take the storefront down" && git push -q) >/dev/null 2>&1 &&
			"$trueup" sync --wait --state "$place/state" >/dev/null 2>&1 || true
		kill "$daemon" 2>/dev/null || true
		wait "$daemon" 2>/dev/null || true
	fi
	rm -rf "$place"
	exit $status
}
trap finish EXIT
trap 'exit 130' INT TERM

ask() { # one HTTP request, with what bash has
	exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
	printf 'GET / HTTP/1.0\r\n\r\n' >&3
	tail -n 1 <&3
	exec 3>&-
}
serves() { case $(ask 2>/dev/null) in *"$1"*) return 0 ;; esac; return 1; }
wait_pass() { "$trueup" sync --wait --timeout 30s --state "$place/state" >/dev/null; }
status() { show trueup status; "$trueup" status --state "$place/state" || true; }
records() { show trueup deployment; "$trueup" deployment --state "$place/state"; }
push() { git -C "$place/work" add -A; git -C "$place/work" commit -qm "$1"; show "git commit -m \"$1\" && git push"; git -C "$place/work" push -q; }
record_is() { # version status
	"$trueup" deployment --json --state "$place/state" |
		tr -d '\n' | tr '{' '\n' | grep "\"version\": *\"$1\"" | tail -n 1 | grep -q "\"status\": *\"$2\"" ||
		fail "version $1 is not $2"
}

say "${bold}trueup: what is pushed is what runs.${plain} Everything is in $place"

step "A configuration repository and settings"
cp -r "$example/images" "$place/images"
git init -q --bare -b main "$place/config.git"
git clone -q "$place/config.git" "$place/work" 2>/dev/null
git -C "$place/work" checkout -q -b main 2>/dev/null || true
git -C "$place/work" config user.name "Ann Example"
git -C "$place/work" config user.email ann@example.org
cp -r "$example/config/." "$place/work/"
sed -i "s|/srv/trueup/|$place/|" "$place/work/nodes/here.yaml"
sed -i "s/18080/$port/g" "$place/work/projects/shop/products/storefront.yaml"
users=
if [ "$(id -u)" = 0 ]; then users="    users: [root]      # we are root here: without this line nothing may run as root"; fi
cat >"$place/settings.yaml" <<SETTINGS
kind: Settings
repo: $place/config.git
policy:               # deny by default; never in the repository
  hostDriver:
    imageRoots: [$place/images]
$users
SETTINGS
say "The settings say what the repository may ask of this machine:"
sed 's/^/    /' "$place/settings.yaml"
show trueup run --config settings.yaml --state state
"$trueup" run --config "$place/settings.yaml" --state "$place/state" >"$place/log" 2>&1 &
daemon=$!
disown

step "git push: 1.0.0"
push "Storefront 1.0.0"
for _ in $(seq 300); do [ -S "$place/state/control.sock" ] && break; kill -0 "$daemon" || fail "the reconciler ended"; sleep 0.1; done
wait_pass || fail "1.0.0 did not come up"
serves "1.0.0" || fail "1.0.0 does not serve"
say "http://127.0.0.1:$port/ says: $(ask)"

step "git push: 1.1.0, its child"
cp "$example/next/storefront-1.1.0.yaml" "$place/work/projects/shop/products/"
sed -i "s/18080/$port/g" "$place/work/projects/shop/products/storefront-1.1.0.yaml"
sed -i 's/^version: 1.0.0/version: 1.1.0/' "$place/work/projects/shop/stages/production/storefront.yaml"
push "Storefront 1.1.0"
wait_pass || fail "1.1.0 did not come up"
say "http://127.0.0.1:$port/ says: $(ask)"
status
records
serves "1.1.0" || fail "1.1.0 does not serve"
record_is 1.0.0 obsolete
record_is 1.1.0 successful

step "git revert: the way back"
show "git revert HEAD && git push"
git -C "$place/work" revert --no-edit HEAD >/dev/null
git -C "$place/work" push -q
wait_pass || fail "1.0.0 did not come back"
say "http://127.0.0.1:$port/ says: $(ask)"
records
serves "1.0.0" || fail "1.0.0 does not serve again"
record_is 1.1.0 downgraded
record_is 1.0.0 successful

step "A version that was deployed is frozen"
say "Ann edits 1.0.0 itself. Before she pushes, she looks:"
sed -i 's/GREETING: Hello/GREETING: Goodbye/' "$place/work/projects/shop/products/storefront.yaml"
git -C "$place/work" commit -qam "Change 1.0.0 in place"
show trueup plan --rev HEAD
code=0
"$trueup" plan --repo "$place/work" --rev HEAD --config "$place/settings.yaml" --state "$place/state" || code=$?
[ $code = 65 ] || fail "the plan should have been refused (65), not $code"
git -C "$place/work" reset -q --hard HEAD~1

step "Somebody kills the process"
pid=
for process in /proc/[0-9]*; do # whose environment says that it is our workload, and is not its supervisor
	if { tr "\0" "\n" <"$process/environ" | grep -q "^TRUEUP_DIR=$place/"; } 2>/dev/null; then pid=${process#/proc/}; fi
done
[ -n "$pid" ] || fail "the workload's process was not found"
show "kill -9 $pid"
kill -9 "$pid"
for _ in $(seq 300); do if serves "1.0.0"; then break; fi; sleep 0.1; done
serves "1.0.0" || fail "the process did not come back"
say "http://127.0.0.1:$port/ says: $(ask)"

step "Done: pushed, upgraded, rolled back, protected, mended"
