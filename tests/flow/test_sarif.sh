#!/bin/bash
# validate and plan as SARIF 2.1.0, for code hosts: the form is held against a JSON Schema of exactly what
# is written, places count from the top of the repository, exit codes are those of the other formats.
# shellcheck source-path=SCRIPTDIR/../..
. tests/support/tap.sh
. tests/support/flow.sh

# sarif EXIT NAME COMMAND... - runs it; its output in $flow/log.sarif is valid, its exit status is EXIT.
sarif() {
	local wanted=$1 name=$2 code
	shift 2
	"$@" --format sarif >"$flow/log.sarif" 2>"$flow/talk"
	code=$?
	check_same "$name: exit" "$wanted" "$code"
	check_silent "$name: SARIF" /usr/bin/python3 -W ignore tests/support/json_valid.py \
		tests/data/sarif.schema.json "$flow/log.sarif"
}
# found - "level ruleId file:line" of each result; a rule by another index than its own is shown.
found() {
	jq -r '.runs[0] | .tool.driver.rules as $rules | .results[] |
		(.locations[0].physicalLocation // {}) as $place |
		"\(.level) \($rules[.ruleIndex].id) \($place.artifactLocation.uri // "-"):\($place.region.startLine // "-")" +
		(if $rules[.ruleIndex].id == .ruleId then "" else " is \(.ruleId)" end)' "$flow/log.sarif"
}
deployment=projects/shop/stages/production/web.yaml

# ---- nothing is wrong ----

new_config edge
product web
version web 1.0.0 ""
deploy web web 1.0.0 edge
push "Web 1.0.0"
sarif 0 "a sound folder" "$trueup" validate "$work"
check_same "has no results" "[]" "$(jq -c '.runs[0].results' "$flow/log.sarif")"
sarif 2 "a plan with changes" plan
check_same "neither has that" "[]" "$(jq -c '.runs[0].results' "$flow/log.sarif")"

# ---- a folder and a commit with errors ----

sed -i 's/^version: 1.0.0/version: 1.0.1/' "$work/$deployment"
push "Web 1.0.1, which there is not"
sarif 65 "a folder with an error" "$trueup" validate "$work"
check_same "names it" "error unknown-version $deployment:4" "$(found)"
check_same "underlines the value" "4:10-15" "$(jq -r '.runs[0].results[0].locations[0].physicalLocation.region |
	"\(.startLine):\(.startColumn)-\(.endColumn)"' "$flow/log.sarif")"
sarif 65 "a commit with an error" "$trueup" validate --repo "$config" --rev main
check_same "names it, too" "error unknown-version $deployment:4" "$(found)"
sarif 65 "its plan" plan
check_same "has the same in what is refused" "error unknown-version $deployment:4" "$(found)"
revert

# ---- places count from the top of the repository ----

mkdir "$work/below here"
cp -r "$work/organization.yaml" "$work/nodes" "$work/projects" "$work/below here"
printf 'kind: Stage\nname: other\n' >"$work/below here/projects/shop/stages/production/stage.yaml"
push "A configuration in a folder"
sarif 65 "a folder inside of a repository" "$trueup" validate "$work/below here"
check_same "with the way to it" below%20here/projects/shop/stages/production/stage.yaml "$(found | sed 's/.* \(.*\):.*/\1/' | uniq)"
sarif 65 "the same with --path" "$trueup" validate --repo "$config" --rev main --path "below here"
check_same "with the same way" below%20here/projects/shop/stages/production/stage.yaml "$(found | sed 's/.* \(.*\):.*/\1/' | uniq)"
sarif 65 "and a plan of it" plan --path "below here"
check_same "with it, too" below%20here/projects/shop/stages/production/stage.yaml "$(found | sed 's/.* \(.*\):.*/\1/' | uniq)"
revert

# ---- what is held ----

behave edge '{"images": {"local/web:1.1.0": {"exitAfterMs": 0, "exitCode": 1}}}'
apply >/dev/null 2>&1
version web 1.1.0 1.0.0
deploy web web 1.1.0 edge
push "Web 1.1.0, which ends at once"
apply >/dev/null 2>&1
sarif 0 "a plan after a failure" plan
check "says what is held" grep -qE '^note held ' <(found)
check "and the line to run" grep -qF ' trueup retry shop/production/web.' <(jq -r '.runs[0].results[].message.text' "$flow/log.sarif")
git -C "$work" rm -rq projects/shop/stages
push "No stages"
sarif 65 "a plan that removes all" plan
check "says that it is refused" grep -q '^error prune-guard ' <(found)

check_same "another format is refused" 64 "$(exit_of "$trueup" validate "$work" --format xml)"
check "with those there are" grep -q 'text, json, markdown or sarif' <(plan --format xml 2>&1)

done_testing
