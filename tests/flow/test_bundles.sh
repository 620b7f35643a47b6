#!/bin/bash
# Shared configuration: what a deployment gets from its bundles, who takes up a change, and who says
# where a field comes from.
# shellcheck source-path=SCRIPTDIR/../..
. tests/support/tap.sh
. tests/support/flow.sh

bundle() {
	put "$1" "kind: ConfigBundle" "name: $2" "config: $3"
}

new_config one
product web
# web NAME TYPE - a version whose image has something to say itself.
web() {
	put "projects/shop/products/web-$1.yaml" "kind: Version" "product: web" "name: $1" "type: $2" \
		"images:" "  - name: web" "    image: local/web:1" "    config: {env: {OWN: image, LEVEL: image}}"
}
web 1.0.0 incremental
web edge rolling
bundle bundles/common.yaml common '{env: {LEVEL: info, REGION: eu, LINES: "one\nand\ttwo"}}'
bundle projects/shop/bundles/limits.yaml limits '{resources: {memory: 64Mi}}'
deploy frozen web 1.0.0 one "bundles: [common, limits]" "prefix: frozen" "config: {env: {MINE: a}}"
deploy moving web edge one "bundles: [limits, common]" "prefix: moving"
push "two deployments with bundles"
settings
start_daemon
settle

# ---- what they get ----

field() { "$trueup" explain --merged "$1" --repo "$config" --json | jq -r --arg f "$2" '.slots[].containers[].fields[] | select(.field == $f) | "\(.value) \(.file):\(.line)"'; }
check_same "a field of the image" "image projects/shop/products/web-1.0.0.yaml:8" "$(field frozen env.OWN)"
check_same "a bundle comes over it" "info bundles/common.yaml:3" "$(field frozen env.LEVEL)"
check_same "the deployment comes over both" "a projects/shop/stages/production/frozen.yaml:9" "$(field frozen env.MINE)"
check_same "a bundle of the project" "64Mi projects/shop/bundles/limits.yaml:3" "$(field moving resources.memory)"
"$trueup" explain --merged shop/production/frozen --repo "$config" >"$flow/text"
check "as text, too" grep -qE '^  env\.LEVEL +info +bundles/common\.yaml:3$' "$flow/text"
check_same "a value is one line, whatever is in it" "one\nand two" \
	"$(sed -nE 's/^  env\.LINES +(.*[^ ]) +bundles\/common.yaml:3$/\1/p' "$flow/text")"
check_same "the full name means the same" "$(head -n 1 "$flow/text")" "shop/production/frozen on one:"
check_same "of a commit" "info bundles/common.yaml:3" "$("$trueup" explain --merged frozen --repo "$config" --rev main --json |
	jq -r '.slots[0].containers[0].fields[] | select(.field == "env.LEVEL") | "\(.value) \(.file):\(.line)"')"
check_same "nobody of that name" 66 "$(exit_of "$trueup" explain --merged frosen --repo "$config")"
check "and a hint" grep -q "did you mean frozen" <("$trueup" explain --merged frosen --repo "$config" 2>&1)
check_same "--json needs --merged" 64 "$(exit_of "$trueup" explain Deployment --json)"
check "both are synced" is_synced

# ---- a bundle changes ----

bundle bundles/common.yaml common '{env: {LEVEL: warn, REGION: eu}}'
push "another level"
plan --format json >"$flow/plan"
check_same "the plan holds what is frozen, and says where the change stands" "frozen bundles/common.yaml 3" \
	"$(jq -r '.held[] | "\(.deployment) \(.file) \(.line)"' "$flow/plan")"
settle
statuses() { "$trueup" deployment --json --state "$state" | jq -r --arg d "$1" '[.deployments[] | select(.deployment == $d) | .status] | join(" ")'; }
check_same "what is rolling takes it up" "obsolete successful" "$(statuses moving)"
check_same "what is frozen does not" successful "$(statuses frozen)"
check "and all is synced" is_synced

# ---- two that disagree ----

bundle projects/shop/bundles/limits.yaml limits '{resources: {memory: 64Mi}, env: {REGION: us}}'
push "limits say another region"
check_same "the commit is refused" 65 "$(exit_of "$trueup" plan --repo "$config" --state "$state" --config "$flow_config")"
settle
check_same "the project is, whose change no longer fits" in-use "$(ask '[.rejected[].diagnostics[].code] | unique | join(" ")')"
check "for the reason that the bundles clash" grep -q "set env.REGION differently" <(status --json)
check "what runs goes on" test "$(slot moving status)" = successful
bundle projects/shop/bundles/limits.yaml limits '{resources: {memory: 64Mi}}'
bundle projects/shop/bundles/region.yaml region '{env: {REGION: us}}'
deploy moving web edge one "bundles: [limits, common, region]" "prefix: moving" "config: {env: {REGION: us-1}}"
push "the deployment decides"
settle
check_same "then it is accepted" us-1 "$(field moving env.REGION | cut -d' ' -f1)"
check "and synced" is_synced
stop_daemon

done_testing
