# host.sh - two deployments on a host node, the commits that torture goes through, and the oracles.
# After tests/support/tap.sh and flow.sh.
#
#	$empty -> $one -> $two -> $back (a revert of $two) ; $one -> $gone
#
# `web` is created, upgraded, rolled back and removed; `side` is created and never changes. Both
# run a script that does nothing. A foreign process that says it is `web`, though it lives
# elsewhere, and a foreign folder in the data root must come through untouched.
# shellcheck shell=bash

data=$flow/data

# An image is a folder with a script: it says when it was started, and does nothing.
host_image() {
	mkdir -p "$flow/images/$1/$2"
	cat >"$flow/images/$1/$2/run" <<'END'
#!/bin/sh
exec sleep 100000
END
	chmod 755 "$flow/images/$1/$2/run"
	echo "$2" >"$flow/images/$1/$2/release"
}

host_version() {
	put "projects/shop/products/web-$1.yaml" "kind: Version" "product: web" "name: $1" \
		"type: incremental" ${2:+"parent: $2"} "images:" "  - name: web" "    image: local/web:$1" \
		"    config:" "      command: [./run]" "      env: {RELEASE: $1}" "      stopSignal: SIGKILL"
}

# commit MESSAGE - and its id.
commit() {
	push "$1"
	head_commit
}

host_repository() {
	new_config
	git -C "$work" config commit.gpgSign false
	put nodes/here.yaml "kind: Node" "name: here" "driver: host" "imageRoot: $flow/images" \
		"dataRoot: $data"
	printf '%s\n' "kind: Settings" "repo: $config" "policy:" "  hostDriver:" \
		"    imageRoots: [$flow/images]" >"$flow/settings.yaml"
	[ "$(id -u)" != 0 ] || echo "    users: [root]" >>"$flow/settings.yaml"
	flow_config=$flow/settings.yaml
	host_image web 1.0.0
	host_image web 1.1.0
	empty=$(commit "nothing yet")
	product web
	host_version 1.0.0
	host_version 1.1.0 1.0.0
	deploy web web 1.0.0 here
	deploy side web 1.0.0 here "prefix: side"
	one=$(commit "1.0.0")
	deploy web web 1.1.0 here
	two=$(commit "1.1.0")
	revert
	back=$(head_commit)
	git -C "$work" reset -q --hard "$one"
	git -C "$work" rm -q projects/shop/stages/production/web.yaml
	git -C "$work" commit -q -m "take web down"
	git -C "$work" push -q origin HEAD:refs/heads/gone
	gone=$(head_commit)
}

at() { git -C "$config" update-ref refs/heads/main "$1"; }
