#!/bin/bash
# What runs before a container, where no engine is needed to see it: what it keeps in the ledger, what
# becomes of it when that is lost, how often it is run again, and what cannot be.
. tests/support/tap.sh
. tests/support/flow.sh

RUN_WELL='"local/migrate:1":{"exitAfterMs":0,"exitCode":0},"local/migrate:2":{"exitAfterMs":0,"exitCode":0}'

settings
new_config one
product web
version web 1.0.0 "" "init: [{name: migrate, image: \"local/migrate:1\"}]"
flow_deadline=60s deploy web web 1.0.0 one
behave one "{\"images\":{$RUN_WELL}}"
push "1.0.0"
start_daemon
settle
check "a release is successful when what runs before its container has ended" is web status successful
check_same "and it is gone" shop-production-web "$(world one)"
check "all is well" is_synced
check_same "what runs before is part of the release" "sha256" \
	"$(jq -r '.spec.config.init[0].image' "$flow/worlds/one/containers/shop-production-web.json" |
		sed 's/^local.migrate:1@//; s/:.*//')"

# ---- a lost ledger ----

before=$(runs one)
release=$("$trueup" deployment:info web --json --state "$state" | jq -r .releaseId)
stop_daemon
rm "$state"/ledger.db*
start_daemon
settle
check_same "a lost ledger runs nothing again" "$before" "$(runs one)"
check_same "what runs is adopted as the same release" "$release" \
	"$("$trueup" deployment:info web --json --state "$state" | jq -r .releaseId)"
check "all is well" is_synced
version web 1.0.0 "" "init: [{name: migrate, image: \"local/migrate:2\"}]"
pushed "another migration in the same version"
check_same "it is frozen with its version" version-frozen "$(ask '.rejected[0].diagnostics[0].code')"
revert
version web 1.1.0 1.0.0 "init: [{name: migrate, image: \"local/migrate:2\"}]"
flow_deadline=60s deploy web web 1.1.0 one
pushed "in the next one"
check_same "which runs it" "1.1.0 successful" "$(slot web version) $(slot web status)"

# ---- of a release that succeeded, and then cannot ----

behave one '{"images":{"local/migrate:2":{"exitAfterMs":0,"exitCode":5,"output":"no database"}}}'
rm "$flow/worlds/one/containers/shop-production-web.json"
is_damped() { "$trueup" sync --state "$state" >/dev/null; [ "$(ask '.deployments[0].waiting.reason')" = retry ]; }
check "where it fails for a container that was removed, it is tried ever less often" \
	wait_until "the damper" is_damped
check "and the record stays what it is" is web status successful
behave one "{\"images\":{$RUN_WELL}}"
serves_again() { "$trueup" sync --state "$state" >/dev/null; [ "$(world one)" = shop-production-web ]; }
"$trueup" retry web --state "$state" >/dev/null 2>&1
check "until it does not fail" wait_until "the container" serves_again

# ---- what cannot be ----

stack=projects/shop/stages/production/wiki
put $stack/compose.yaml "services:" "  web:" "    image: local/wiki:1" "  web.init-one:" "    image: local/db:15"
put $stack/deployment.yaml "kind: Deployment" "name: wiki" "node: one" \
	"instances: {web: {config: {init: [{name: one, image: \"local/migrate:1\"}]}}}"
check_same "a name that a service has already" "name-taken" \
	"$("$trueup" validate "$work" 2>/dev/null | grep -o name-taken | sort -u)"
done_testing
