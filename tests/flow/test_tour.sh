#!/bin/bash
# The tour in README.md, typed as it stands there, with a port and a home of its own.
. tests/support/tap.sh
. tests/support/flow.sh

port=$((20000 + $$ % 10000))
export HOME=$flow/home
mkdir "$HOME"
cp -r examples/01-first-push "$flow/example"
sed -i "s/18080/$port/g" "$flow"/example/config/projects/shop/products/*.yaml "$flow"/example/next/*.yaml

# step N - the block of that step.
step() {
	awk -v n="$1" '/^## / { tour = /as a user/; on = 0 } tour && /^\*\*[0-9]/ { on = index($0, "**" n ".") == 1 }
		/^```/ { code = !code; next } on && code' README.md |
		sed "s|PATH=\$PWD/build:\$PATH example=.*|PATH=${trueup%/*}:\$PATH example=$flow/example|; s/18080/$port/"
}
for n in 1 2 3 4 5 6 7 8; do step "$n" >"$flow/step$n"; done
check_same "the tour has eight steps" 8 "$(find "$flow" -name 'step*' -size +0 | wc -l)"

# take N - types it here, and keeps what it says.
# shellcheck source=/dev/null
take() { . "$flow/step$1" >"$flow/out$1" 2>&1; }
says() { grep -qE -- "$2" "$flow/out$1" || { cat "$flow/out$1"; return 1; }; }

take 1
check "1: the manifests are valid" says 1 ' 0 errors'
take 2
daemon=$! state=$HOME/tour/state
wait_until "the reconciler to answer" "$trueup" sync --state "$state"
take 3
check "3: it serves" says 3 'Hello from storefront 1\.0\.0'
check "3: and status says so" says 3 'storefront +1\.0\.0 +here +successful +healthy'
take 4
check "4: the plan shows the change" says 4 'Hello -> Welcome'
check "4: 1.0.0 is obsolete" says 4 '1\.0\.0 +here +obsolete'
take 5
check "5: 1.1.0 is downgraded" says 5 '1\.1\.0 +here +downgraded'
check "5: 1.0.0 serves" says 5 '1\.0\.0 +here +successful \*'
take 6
check "6: a frozen version is refused" says 6 'version-frozen'
take 7
check "7: why says that it failed" says 7 'failed at health'
check "7: after retry it serves" says 7 'storefront +1\.0\.1 +here +successful +healthy'
take 8
check "8: the guard holds" says 8 'prune-guard'
check "8: approve lets it" says 8 'approved '
check "nothing is left running" test -z "$(slot storefront status)"

done_testing
