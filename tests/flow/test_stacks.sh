#!/bin/bash
# Compose files as they are: a folder in a stage that holds one, and a version whose images one is.
# shellcheck source-path=SCRIPTDIR/../..
. tests/support/tap.sh
. tests/support/flow.sh

stack=projects/shop/stages/production/wiki
new_config one two
put projects/shop/stages/production/stage.yaml "kind: Stage" "name: production" "nodes: [one]"
put $stack/compose.yaml "services:" "  web:" "    image: local/wiki:\${TAG}" "    depends_on: [db]" \
	"    volumes:" "      - ./conf:/etc/wiki:ro" "      - ./uploads:/srv/uploads" \
	"  db:" "    image: local/db:15" "    restart: always" "    volumes: [\"data:/var/lib/db\"]" \
	"volumes: {data: }"
put $stack/.env "TAG=3.1"
put $stack/conf/site.yml "title: {{ page }}"
put $stack/conf/node.yaml "kind: Node" "name: three" "driver: memory"
push "a stack"
settings
start_daemon
settle

# ---- it runs ----

check_same "its services run under the stack's own prefix" \
	"shop-production-wiki-db shop-production-wiki-web" "$(world one | xargs)"
in_web() { jq -r "$1" "$flow/worlds/one/containers/shop-production-wiki-web.json"; }
check_same "variables come from .env beside it" local/wiki:3.1 "$(in_web .spec.image)"
check_same "a folder of the commit is in the container, as it is written" "title: {{ page }}" \
	"$(in_web '.spec.config.files[] | select(.path == "/etc/wiki/site.yml").content')"
check_same "what is in it is no manifest" "one two" "$("$trueup" node --json --state "$state" | jq -r '[.[].name] | join(" ")')"
check_same "a path that is not in the commit is a volume" "shop-production-wiki-data shop-production-wiki-uploads" \
	"$(find "$flow/worlds/one/volumes" -name '*.json' -printf '%f\n' | sed 's/\.json$//' | sort | xargs)"
check "and all is synced" is_synced
check_same "explain says where a field stands" "always $stack/compose.yaml:10" \
	"$("$trueup" explain --merged wiki --repo "$config" --json |
		jq -r '.slots[0].containers[] | select(.name == "db").fields[] | select(.field == "restartPolicy") | "\(.value) \(.file):\(.line)"')"

# ---- what is mounted is part of the release ----

before=$(runs one)
put $stack/conf/site.yml "title: other"
git -C "$work" commit -qam "another title"
git -C "$work" push -q origin main:next
check_same "the plan replaces who mounts it, and says what the mounts are" "replace shop-production-wiki-web mount mount" \
	"$(plan --rev next --format json | jq -r '[(.steps[] | .action, .container), (.data[].reason)] | join(" ")')"
git -C "$work" push -q origin main
wait_until "it to be seen" in_force
settle
check_same "the other one runs on" "$(grep wiki-db <<<"$before")" "$(runs one | grep wiki-db)"
check_same "with the new file" "title: other" "$(in_web '.spec.config.files[] | select(.path == "/etc/wiki/site.yml").content')"
revert
wait_until "the revert to be seen" in_force
settle
check_same "git revert brings the old one back" "title: {{ page }}" \
	"$(in_web '.spec.config.files[] | select(.path == "/etc/wiki/site.yml").content')"
put $stack/.env "TAG=3.2"
pushed "another tag"
check_same "so does a variable" local/wiki:3.2 "$(in_web .spec.image)"

# ---- what cannot be had ----

before=$(runs one)
cp "$work/$stack/compose.yaml" "$flow/good.yaml"
sed -i 's/    image: local.db:15/    build: ./' "$work/$stack/compose.yaml"
check_same "validate shows it on the author's machine" "$stack/compose.yaml:9:5: error[compose-build]" \
	"$("$trueup" validate "$work" 2>/dev/null | grep -o "^$stack/compose.yaml:9:5: error\[compose-build\]")"
push "to be built"
wait_until "it to be seen" in_force
settle
check_same "the stage stays as it is" "$before" "$(runs one)"
check_same "status says why" "compose-build $stack/compose.yaml 9" \
	"$(ask '.rejected[].diagnostics[] | "\(.code) \(.file) \(.line)"')"
cp "$flow/good.yaml" "$work/$stack/compose.yaml"
pushed "mended"
check "mended, it is synced again" is_synced

# ---- a document beside it ----

put $stack/deployment.yaml "kind: Deployment" "name: wiki" "node: two" "prefix: wiki"
pushed "on another node, under another name"
check_same "a Deployment beside it says where" "wiki-db wiki-web" "$(world two | xargs)"
check_same "and it left the first" "" "$(world one | xargs)"
git -C "$work" rm -q -r "$stack"
pushed "no stack any more"
check_same "without its folder it is removed" "" "$(world two | xargs)"

# ---- versions ----

product web
put projects/shop/products/web/1/compose.yaml "services:" "  web:" "    image: local/web:1" "    environment: [LEVEL=info]"
put projects/shop/products/web/2/compose.yaml "services:" "  web:" "    image: local/web:2"
put projects/shop/products/web-versions.yaml "kind: Version" "product: web" "name: 1.0.0" "type: incremental" \
	"compose: web/1/compose.yaml"
deploy site web 1.0.0 one
pushed "a version that is a Compose file"
check_same "it is deployed" "local/web:1" "$(jq -r .spec.image "$flow/worlds/one/containers/shop-production-web.json")"
sed -i 's/LEVEL=info/LEVEL=debug/' "$work/projects/shop/products/web/1/compose.yaml"
check_same "it is frozen once it was" 1 "$(push "edited"; plan --format json | jq '[.refused[] | select(.code == "version-frozen")] | length')"
revert
put projects/shop/products/web-2.yaml "kind: Version" "product: web" "name: 2.0.0" "type: incremental" "parent: 1.0.0" \
	"compose: web/2/compose.yaml"
deploy site web 2.0.0 one
pushed "the next version"
check_same "the next version takes its place" "1.0.0 obsolete 2.0.0 successful" "$(records | grep -v '^-' | xargs)"
put projects/shop/products/web-2.yaml "kind: Version" "product: web" "name: 2.0.0" "type: incremental" "parent: 1.0.0" \
	"compose: web/3/compose.yaml"
check "a file that is not there is named" grep -qF "unknown-compose" <("$trueup" validate "$work" 2>/dev/null)
done_testing
