#!/bin/bash
# Images that nothing needs any more leave the node; those that a rollback leads to stay.
. tests/support/tap.sh
. tests/support/flow.sh

settings "keepReleases: 1"
new_config one
product web
before=
for name in 1.0.0 1.1.0 1.2.0 1.3.0; do
	version web $name "$before"
	before=$name
done
deploy web web 1.0.0 one
push "1.0.0"

# The tags of the images that are on the node.
tags() { jq -r .image "$flow"/worlds/one/images/*.json 2>/dev/null | sed 's/.*://' | sort | xargs; }

few() { [ "$(tags | wc -w)" -le 1 ]; }

start_daemon
settle
for name in 1.1.0 1.2.0; do
	deploy web web $name one
	pushed "$name"
done
check_same "the image that serves stays, and that of one release before" "1.1.0 1.2.0" "$(tags)"
check_same "which is in the audit log" 1 \
	"$("$trueup" audit --json --state "$state" | jq '[.[] | select(.action == "image-remove")] | length')"
"$trueup" pause shop --state "$state" >/dev/null
deploy web web 1.3.0 one
push "1.3.0"
"$trueup" resume shop --state "$state" >/dev/null
check "and so on" wait_until "1.0.0 and 1.1.0 to go" eval '[ "$(tags)" = "1.2.0 1.3.0" ]'
deploy web web 1.1.0 one
pushed "back to one whose image is gone"
check_same "it is fetched again" "1.1.0 successful" "$(ask '.deployments[0] | "\(.version) \(.status)"')"
settle
check "and stays" grep -qw 1.1.0 <(tags)
rm "$work/projects/shop/stages/production/web.yaml"
pushed "nothing is left"
check "when the deployment goes its images go" wait_until "no images but one kept" few

done_testing
