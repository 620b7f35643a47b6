#!/bin/bash
# The daemon on repositories that have to be fetched: over SSH and HTTPS, with credentials from the state
# directory; what is wrong with them is said, changes nothing, and is over when it is put right.
. tests/support/tap.sh
. tests/support/flow.sh
. tests/support/git_servers.sh

trap 'stop_servers "$flow"; flow_end' EXIT
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || { skip "remotes" "no nginx"; done_testing; }

new_config one
product web
version web 1.0.0 ""
version web 1.1.0 1.0.0
version web 1.2.0 1.1.0
deploy web web 1.0.0 one
push "1.0.0"
start_sshd "$flow"
mkdir "$flow/repos" && ln -s "$config" "$flow/repos/config.git"
start_nginx "$flow" "$flow/repos"
credentials=$state/credentials/git

# remote_settings - polls: a remote has no events of its own.
remote_settings() {
	settings "credentials: git" "$@"
	sed -i 's/^interval: .*/interval: 1s/' "$flow_config"
}
# write FILE TEXT... - a credential, readable for nobody else
write() {
	local file=$credentials/$1
	shift
	mkdir -p "$credentials" && chmod 700 "$state" "$state/credentials" "$credentials"
	printf '%s\n' "$@" >"$file" && chmod 600 "$file"
}
local_config=$config
live_sync() { "$trueup" sync --state "$state" >/dev/null; }
has_problem() { [ "$(ask .problem)" != null ]; }

# ---- SSH ----

remote_settings
mkdir -p "$credentials" && chmod 700 "$state" "$state/credentials" "$credentials"
write id_ed25519 "$(cat "$flow/ssh/client/id_ed25519")"
write known_hosts "$(cat "$flow/ssh/client/known_hosts")"
config=ssh://$(id -un)@127.0.0.1:$SSH_PORT$local_config
start_daemon
settle
check_same "over SSH what is there is deployed" "1.0.0 successful" "$(slot web version) $(slot web status)"
deploy web web 1.1.0 one
push "1.1.0"
check "a poll finds a push" wait_until "1.1.0" is web version 1.1.0
before=$(runs one)
write known_hosts "[127.0.0.1]:$SSH_PORT $(cut -d' ' -f1,2 "$flow/ssh/client/id_ed25519.pub")"
live_sync
check "another host key is said" wait_until "the problem" has_problem
check_same "and changes nothing" "$before" "$(runs one)"
write known_hosts "$(cat "$flow/ssh/client/known_hosts")"
live_sync
check "put right it goes on without a restart" wait_until "synced" is_synced
stop_daemon

# ---- HTTPS: the same repository, moved to another address ----

write username ann
write password wr0ng
write ca.pem "$(cat "$flow/https/ca.pem")"
config=https://127.0.0.1:$HTTPS_PORT/git/config.git
deploy web web 1.2.0 one
push "1.2.0"
start_daemon
check "a wrong password is said" wait_until "the problem" has_problem
check_same "and it is not synced" false "$(ask .synced)"
check_same "what is there stays" "$before" "$(runs one)"
rm "$flow/worlds/one/containers/shop-production-web.json"
check "and is looked after meanwhile" wait_until "it to be mended" has_container one shop-production-web
check "the password stands in no log" sh -c "! grep -qF wr0ng '$flow/log'"
write password s3cret
live_sync
check "the right one is taken without a restart" wait_until "1.2.0" is web version 1.2.0
check "all is well" wait_until "synced" is_synced
stop_servers "$flow"
check "a server that is gone is said" wait_until "the problem" has_problem
check_same "and changes nothing" "1.2.0 successful" "$(slot web version) $(slot web status)"
check "no secret is in the state but where it belongs" sh -c "! grep -rqF s3cret '$state' --exclude-dir=credentials"

done_testing
