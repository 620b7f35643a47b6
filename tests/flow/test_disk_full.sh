#!/bin/bash
# The state directory's disk is full: what runs is left alone, nothing new begins, that is said, and with
# room again the reconciler goes on by itself. In a mount namespace of its own, on a small tmpfs.
if [ -z "${DISK_FULL_APART:-}" ] && unshare -m true 2>/dev/null; then
	DISK_FULL_APART=1 exec unshare -m "$0"
fi
. tests/support/tap.sh
. tests/support/flow.sh

disk=$flow/disk state=$flow/disk/state
mkdir "$disk"
if ! mount -t tmpfs -o size=4m tmpfs "$disk" 2>/dev/null; then
	skip "a full disk" "file systems cannot be mounted here"
	done_testing
fi
fill() { dd if=/dev/zero of="$disk/filler" bs=4k 2>/dev/null; }
make_room() { rm "$disk/filler"; }
complaints() { grep -c ' error *ledger ' "$flow/log"; }

settings
new_config one
product web
version web 1.0.0 ""
version web 1.1.0 1.0.0
deploy web web 1.0.0 one
push "1.0.0"
start_daemon
settle
before=$(runs one)

# ---- under a running reconciler ----

fill
deploy web web 1.1.0 one
push "1.1.0"
check "a full disk is said" wait_until "a complaint" grep -q 'ledger error=.*no space left' "$flow/log"
check_same "sync --wait is told so" 1 "$(exit_of "$trueup" sync --wait --timeout 60s --state "$state")"
check "in words" grep -q 'no space left' <("$trueup" sync --wait --timeout 60s --state "$state" 2>&1)
check_same "what cannot be written down is not promised" 1 "$(exit_of "$trueup" pause shop --state "$state")"
check_same "it is said once, however often it is tried" 1 "$(complaints)"
check_same "nothing that runs was touched" "$before" "$(runs one)"
pid=$daemon
make_room
check "with room again it goes on by itself" wait_until "1.1.0" is web version 1.1.0
check "as the same process" kill -0 "$pid"
check_same "what was pushed meanwhile is in force" "$(head_commit)" "$(ask .commit)"
check "all is well" wait_until "synced" is_synced
check_same "nothing is paused that was not promised" 66 "$(exit_of "$trueup" resume shop --state "$state")"
stop_daemon

# ---- apply ----

before=$(runs one)
fill
deploy web web 1.0.0 one
push "back to 1.0.0"
check_same "apply on a full disk is an error" 1 "$(exit_of apply)"
check "and says which" grep -q 'no space left' <(apply 2>&1)
check_same "nothing that runs was touched" "$before" "$(runs one)"
check_same "a plan can be made" 2 "$(exit_of plan)"
make_room
check "with room it works" apply
check_same "and is what was wanted" 1.0.0 "$(slot web version)"
check "the audit chain is whole" "$trueup" audit --verify --state "$state"

umount "$disk"
done_testing
