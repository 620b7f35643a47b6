#!/bin/bash
# trueup import compose: manifests in place of a Compose file, that say the same and run.
# shellcheck source-path=SCRIPTDIR/../..
. tests/support/tap.sh
. tests/support/flow.sh

new_config one
cp -r examples/04-compose/config/projects/tools/stages/home/monitoring "$flow/monitoring"
sed -i 's/^  grafana:$/  # Dashboards for everybody.\n  grafana:/' "$flow/monitoring/compose.yaml"
import() { (cd "$work" && "$trueup" import compose "$@"); }

# ---- what is written ----

import ../monitoring/compose.yaml -p tools -s home >"$flow/said" 2>"$flow/sum"
check_same "it is done" 0 $?
check_same "four files are written" "project.yaml stage.yaml monitoring.yaml monitoring.yaml" \
	"$(grep '\.yaml$' "$flow/said" | sed 's|.*/||' | xargs)"
check "what is not the same is listed, with its place" grep -q \
	'^../monitoring/compose.yaml:12:9: note\[compose-import\]: .* names prometheus, which is reached as tools-home-monitoring-prometheus now' "$flow/said"
check_same "and counted" "2 containers, 4 files written, 3 things not carried over as it was (above)" "$(cat "$flow/sum")"
check "a comment stays before its container" grep -qzP '  # Dashboards for everybody.\n  - name: grafana\n' \
	"$work/projects/tools/products/monitoring.yaml"
check_same "the only node is taken" "node: one" "$(grep node "$work/projects/tools/stages/home/monitoring.yaml")"
check_same "it is valid as it is" "0 errors" "$("$trueup" validate "$work" 2>&1 | grep -o '[0-9]* errors')"
push "imported"
apply >/dev/null 2>&1
check_same "and runs under the names that the stack would have" \
	"tools-home-monitoring-grafana tools-home-monitoring-prometheus" "$(world one | xargs)"

# ---- what is in the way ----

before=$(cat "$work/projects/tools/products/monitoring.yaml")
check_same "once more is a conflict" 73 "$(exit_of import ../monitoring/compose.yaml -p tools -s home)"
check_same "and changes nothing" "$before" "$(cat "$work/projects/tools/products/monitoring.yaml")"
check_same "a file that is not there" 66 "$(exit_of import ../nothing.yaml -p tools -s home)"
check_same "without a stage" 64 "$(exit_of import ../monitoring/compose.yaml -p tools)"
check_same "a project that cannot be called so" 64 "$(exit_of import ../monitoring/compose.yaml -p Tools -s home)"
check_same "something else than Compose" 64 "$(cd "$work" && exit_of "$trueup" import helm x -p tools -s home)"
memory_node two
check_same "several nodes: it is asked" 64 "$(exit_of import ../monitoring/compose.yaml -p tools -s lab)"
check "with the way out" grep -q -- '--node NAME' <(import ../monitoring/compose.yaml -p tools -s lab 2>&1)
check "and nothing is made" test ! -e "$work/projects/tools/stages/lab"
mkdir "$flow/build"
printf 'services:\n  web:\n    build: .\n' >"$flow/build/compose.yaml"
check_same "nothing that could be carried over" 65 "$(exit_of import ../build/compose.yaml -p tools -s lab --node two)"
check "the reason is told" grep -q 'error\[compose-build\]' <(import ../build/compose.yaml -p tools -s lab --node two 2>/dev/null)
check "and nothing is made" test ! -e "$work/projects/tools/stages/lab"

# ---- some of it ----

printf 'name: mixed\nservices:\n  web: {build: .}\n  db: {image: "postgres:16", read_only: true}\n' >"$flow/build/compose.yaml"
(cd / && "$trueup" import compose "$flow/build/compose.yaml" -p tools -s lab --node two --out "$work" --json) >"$flow/json"
check_same "what can be is written, from anywhere" 0 $?
check_same "as JSON" "projects/tools/stages/lab/stage.yaml projects/tools/products/mixed.yaml projects/tools/stages/lab/mixed.yaml 1" \
	"$(jq -r '[.files[], .containers] | join(" ")' "$flow/json")"
check_same "with all that was not" "compose-build compose-refused" "$(jq -r '[.diagnostics[].code] | join(" ")' "$flow/json")"
check_same "a project that is there stays as it is" "kind: Project name: tools" "$(xargs <"$work/projects/tools/project.yaml")"
check_same "all of it is valid" "0 errors" "$("$trueup" validate "$work" 2>&1 | grep -o '[0-9]* errors')"
done_testing
