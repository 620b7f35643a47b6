#!/bin/bash
# trueup init: a configuration that is sound as it is written, all of it or nothing, and the next lines
# that it prints do what they say.
# shellcheck source-path=SCRIPTDIR/../..
. tests/support/tap.sh
. tests/support/flow.sh

cd "$flow" || exit 1
init() { "$trueup" init "$@"; }
files() { (cd "$1" && find . -name .git -prune -o -type f -print | sort); }

# ---- a folder that is not there yet ----

check_same "a new folder" 0 "$(init new >next 2>/dev/null; echo $?)"
check_same "is a repository on main" main "$(git -C new symbolic-ref --short HEAD)"
check_same "its README has a screen at most" yes "$([ "$(grep -c . new/README.md)" -le 12 ] && echo yes)"
check_same "three lines come next" 3 "$(grep -c . next)"
check_same "the first: it is sound" "0 errors" "$("$trueup" validate new 2>&1 | grep -o '[0-9]* errors')"
check_same "without a single remark" "" "$("$trueup" validate new 2>/dev/null)"
check_same "the others work" 2 "$(PATH=$(dirname "$trueup"):$PATH TRUEUP_STATE=$state bash -ec "$(cat next)" >plan.txt 2>&1; echo $?)"
check "and end with a plan" grep -q '^1 to create, ' plan.txt
check "what is asked for is committed" test -z "$(git -C new status --porcelain)"

# ---- folders that are there ----

mkdir empty "odd 'name'" here
check_same "an empty folder" 0 "$(exit_of init empty/)"
check_same "has the same files" "$(files new)" "$(files empty)"
check_same "an odd name is quoted" "trueup validate 'odd '\\''name'\\'''" "$(init "odd 'name'" 2>/dev/null | head -n 1)"
check_same "the folder one is in" 0 "$(cd here && exit_of init .)"
before=$(files empty)
check_same "once more is a conflict" 73 "$(exit_of init empty)"
check "with the way out" grep -q 'is not empty: name a folder that is, or one that is not there yet' <(init empty 2>&1)
mkdir taken
echo mine >taken/organization.yaml
check_same "somebody's file is a conflict" 73 "$(exit_of init taken)"
check_same "and stays alone as it was" "mine ./organization.yaml" "$(cat taken/organization.yaml) $(files taken)"
check_same "nothing changed in the other" "$before" "$(files empty)"
check_same "a file is a conflict" 73 "$(exit_of init next)"

# ---- inside of a repository ----

git init -q around
check_same "a folder of a repository" 0 "$(exit_of init around/config)"
check "is none itself" test ! -e around/config/.git
check_same "and sound" 0 "$(exit_of "$trueup" validate around/config)"
mkdir around/second
check_same "the third line pushes" "git -C around/second push" "$(init around/second 2>/dev/null | tail -n 1)"

# ---- nothing is left behind ----

# The longest file is the last one: all others are written before this limit is met.
short_of_room() { (trap '' XFSZ; exec prlimit --fsize=600 "$trueup" init "$1"); }
mkdir full
check_same "no room in a new folder" 1 "$(exit_of short_of_room fresh)"
check "leaves none, under no name" test -z "$(compgen -G 'fresh*')"
check_same "no room in an empty one" 1 "$(exit_of short_of_room full)"
check "leaves it empty" test -z "$(ls -A full)"
check_same "nothing above it" 66 "$(exit_of init nowhere/config)"
check_same "nothing may be written above it" 1 "$(exit_of init /sys/config)"
check_same "no name" 64 "$(exit_of init "")"

# ---- for programs ----

check_same "as JSON" '{"folder":"json","repository":true,"files":8,"next":3}' \
	"$(init json --json | jq -c '{folder, repository, files: (.files | length), next: (.next | length)}')"
check_same "with the files that there are" "$(files json)" \
	"$(init again --json | jq -r '.files[] | "./" + .' | sort)"

done_testing
