#!/bin/bash
# The manners of the command line: help, typing errors, flags, nothing made by those who only look.
# shellcheck source-path=SCRIPTDIR/../..
. tests/support/tap.sh
. tests/support/flow.sh

commands=$("$trueup" help | awk '/^Commands/ { on = 1; next } /^$/ { on = 0 } on { print $1 }')

# ---- help ----

helpless() {
	local command
	for command in $commands; do
		"$trueup" help "$command" >"$flow/help" || echo "help $command: exit $?"
		"$trueup" "${command%%:*}" ${command##*:*} -h 2>&1 </dev/null | head -1 | grep -q . ||
			echo "$command -h says nothing"
		"$trueup" "$command" --help | cmp -s - "$flow/help" || echo "$command --help says another thing"
		sed -n 3p "$flow/help" | grep -qx Examples || echo "$command: examples do not come first"
		awk -v name="$command" 'length > 80 { print name ": " $0 }' "$flow/help"
	done
	"$trueup" help | awk 'length > 80'
	[ "$(wc -w <<<"$commands")" -gt 15 ] || echo "only these commands: $commands"
}
check_silent "every command has help: exit 0, examples first, 80 columns" helpless
check_same "no command at all is a usage error, with help" 64 "$(exit_of "$trueup")"
check "and nothing on standard output" test -z "$("$trueup" 2>/dev/null)"
check_same "help on nothing there is a usage error" 64 "$(exit_of "$trueup" help nothing)"
check_same "help takes a space for the colon" "$("$trueup" help deployment:info)" "$("$trueup" help deployment info)"
check "the version" grep -q '^trueup [0-9]' <("$trueup" --version)

# ---- typing errors ----

said() { "$trueup" "$@" 2>&1 >/dev/null </dev/null; }
# check_usage NAME TEXT ARG... - exit 64, and the text on standard error.
check_usage() {
	local name=$1 text=$2
	shift 2
	check_same "$name: exit" 64 "$(exit_of "$trueup" "$@")"
	check "$name: \"$text\"" grep -qF -- "$text" <(said "$@")
}
check_usage "an unknown command" "did you mean status?" statsu
check_usage "an unknown flag" "did you mean --state?" status --stat x
check_usage "an unknown setting" "did you mean --interval?" run --intervall 5s
check_usage "an unknown letter" "unknown flag -x" status -x
check_usage "a topic like a command" "did you mean deployment:info?" help deployment:inf
check_usage "a command like none" "unknown command zzzzzzzzzz" zzzzzzzzzz
check_usage "a flag that the command does not take" "sync does not take --rev" sync --rev x
check_usage "a surplus argument" "surplus argument two" why one two
check_usage "a missing argument" "why needs DEPLOYMENT" why
check_usage "a flag without its value" "--state needs DIR" status --state
check_usage "a value for a flag without one" "--json takes no value" status --json=yes
check_usage "a setting for a command that reads none" "does not take settings" status --interval 5s
check_usage "a shell there is no completion for" "bash, zsh or fish" completion tcsh

# ---- flags ----

plain=$("$trueup" status --state "$state" --json)
check_same "flags before the command are flags behind it" "$plain" "$("$trueup" --json --state "$state" status)"
check_same "a value may follow =" "$plain" "$("$trueup" status --json --state="$state")"
check_same "the environment names the state directory" "$plain" "$(TRUEUP_STATE=$state "$trueup" status --json)"
printf 'state: state\n' >"$flow/.trueup"
mkdir -p "$flow/below/here"
check_same "a .trueup file above does, too, from its own folder" \
	"no reconciler runs with the state directory $state" \
	"$(cd "$flow/below/here" && "$trueup" sync 2>&1 | sed -n 's/^trueup: \(.* directory [^:;,]*[^:;, ]\).*/\1/p')"
rm "$flow/.trueup"
mkdir -p "$flow/home/.config/trueup"
printf 'state: %s\n' "$state" >"$flow/home/.config/trueup/config"
check_same "and the user's own, after it" "$state" \
	"$(cd "$flow" && HOME=$flow/home XDG_CONFIG_HOME='' "$trueup" sync 2>&1 | sed -n 's/.* --state //p')"
check_same "a space instead of the colon" "$("$trueup" deployment:info 7 --state "$state" 2>&1)" \
	"$("$trueup" deployment info 7 --state "$state" 2>&1)"
check "behind -- a flag is an argument" grep -qF "surplus argument --json" <(said status --state "$state" -- --json)

# ---- the author's door ----

cp -r examples/01-first-push/config "$flow/author"
check_same "validate takes the configuration around the folder" 0 \
	"$(cd "$flow/author/projects/shop" && exit_of "$trueup" validate)"
check_same "and the folder that --path names" 0 "$(cd "$flow" && exit_of "$trueup" validate --path author)"
check_usage "a file is no configuration" "is a file: give the folder" validate "$flow/author/organization.yaml"
check_same "a folder that is not there" 66 "$(exit_of "$trueup" validate "$flow/nowhere")"
sed -i 's/^prefix:/prefx:/' "$flow/author/projects/shop/stages/production/storefront.yaml"
check_same "what is wrong is refused" 65 "$(exit_of "$trueup" validate "$flow/author")"
check_same "the count comes last" "6 files, 7 documents: 1 error; policy not checked: no settings were given (--config)" \
	"$("$trueup" validate "$flow/author" 2>&1 | tail -n 1)"
check_same "as JSON with the keys of a diagnostic" '["file","line","column","code","message","hint"]' \
	"$("$trueup" validate "$flow/author" --json 2>/dev/null | jq -c '.diagnostics[0] | keys_unsorted')"
mkdir "$flow/other"
touch "$flow/other/docker-compose.yaml"
check_same "a folder without any configuration: one error" "error[empty-tree]: there are no manifests" \
	"$(cd "$flow/other" && "$trueup" validate 2>/dev/null | head -n 1)"
check_same "not a list of what else is there" 2 "$("$trueup" validate "$flow/other" 2>/dev/null | grep -c .)"
git init -q "$flow/tree"
mkdir -p "$flow/tree/projects/shop"
check "a folder inside of a repository: its top is named" grep -qF "the one around it is $flow/tree" \
	<(said plan --repo "$flow/tree/projects/shop" --state "$state")

# ---- looking makes nothing ----

for command in status deployment version product node audit; do
	check_same "$command without a state directory" 0 "$(exit_of "$trueup" "$command" --state "$state")"
done
check_same "an empty status is JSON all the same" 0 "$(jq '.deployments | length' <<<"$plain")"
check_same "a deployment that is not there" 66 "$(exit_of "$trueup" why storefront --state "$state")"
check "nothing was made" test ! -e "$state"

# ---- nobody answers ----

for command in "sync" "sync --wait --timeout 1m" "retry storefront" "approve 3f2c1a9" "pause" "resume shop/production"; do
	# shellcheck disable=SC2086
	check_same "$command without a reconciler" 69 "$(exit_of "$trueup" $command --state "$state")"
	# shellcheck disable=SC2086
	check "and the whole line to run" grep -qxF "on the machine that runs it: trueup $command --state $state" \
		<(said $command --state "$state")
done
check "nothing was made by them either" test ! -e "$state"

# ---- colour ----

check "none in a pipe" test -z "$("$trueup" status --state "$state" | tr -cd '\033')"
# script(1) lends a terminal
on_terminal() { script -qec "$trueup status --state $state" /dev/null </dev/null; }
check "none with NO_COLOR" test -z "$(NO_COLOR=1 on_terminal | tr -cd '\033')"

# ---- completions and pages ----

check_silent "bash completion is a script" bash -n <("$trueup" completion bash)
complete_bash() { # LINE - the words it offers
	bash -c '. <("$1" completion bash); COMP_LINE=$2 COMP_POINT=${#2}; _trueup; echo "${COMPREPLY[@]}"' \
		- "$trueup" "$1"
}
check_same "it completes a command" validate "$(complete_bash "trueup val")"
check_same "behind a colon, too" info "$(complete_bash "trueup deployment:i")"
check_same "and a flag of the command" --offline "$(complete_bash "trueup plan --off")"
"$trueup" completion zsh >"$flow/_trueup"
check_silent "zsh completion is a script" zsh -n "$flow/_trueup"
# Outside of a terminal compadd says what fits the word at the cursor.
complete_zsh() { # WORD... - the words it offers for the last of these
	# shellcheck disable=SC2016
	zsh -fc 'compadd() { shift; print -r -- ${(M)@:#${words[CURRENT]}*} }; _files() { }
		words=(trueup ${@:2}) CURRENT=$#; . $1' - "$flow/_trueup" "$@"
}
check_same "it completes a command" validate "$(complete_zsh val)"
check_same "and a flag of the command" --offline "$(complete_zsh plan --off)"
"$trueup" completion fish >"$flow/trueup.fish"
check_silent "fish completion is a script" fish -n "$flow/trueup.fish"
complete_fish() { HOME=$flow fish -c 'source $argv[1]; complete -C $argv[2]' "$flow/trueup.fish" "$1" | cut -f 1; }
check_same "it completes a command" validate "$(complete_fish "trueup val")"
check_same "and a flag of the command" --offline "$(complete_fish "trueup plan --off")"
"$trueup" help man >"$flow/trueup.1"
check_silent "the man page is one" mandoc -T lint -W warning "$flow/trueup.1"
without_a_word() { # every command and flag has its place there
	local word
	for word in $commands $(for c in $commands; do "$trueup" help "$c"; done | grep -oE '^  .{4}--[a-z]+' | grep -oE -- '--.*' | sort -u); do
		grep -qF -- "${word//-/\\-}" "$flow/trueup.1" || echo "$word is not in the man page"
	done
}
check_silent "it has every command and flag" without_a_word
check "the schema is JSON" jq -e .oneOf <("$trueup" schema)
check "a field is explained" grep -q default <("$trueup" explain Deployment.strategy.deadline)

done_testing
