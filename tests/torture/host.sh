# host.sh - two deployments on a host node, the commits that torture goes through, and the oracles.
# After tests/support/tap.sh and flow.sh.
#
#	$empty -> $one -> $two -> $back (a revert of $two) ; $one -> $gone
#
# `web` is created, upgraded, rolled back and removed; `side` is created and never changes. Both
# run a script that does nothing. A foreign process that says it is `web`, though it lives
# elsewhere, and a foreign folder in the data root must come through untouched.
# shellcheck shell=bash

# Whatever is killed when, on however busy a machine: what is right comes up in the end.
export flow_deadline=5m

data=$flow/data
cp "$trueup" "$flow/trueup" # a build in the meantime must not change what is tortured
trueup=$flow/trueup

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

# A git that was ended with the script it belonged to may have left its lock.
at() {
	rm -f "$config"/*.lock "$config"/refs/heads/*.lock
	git -C "$config" update-ref refs/heads/main "$1"
}

# ---- a fresh start ----

# What is not ours and must never be touched.
foreign_begin() {
	mkdir -p "$flow/elsewhere" "$data/not-ours"
	echo precious >"$data/not-ours/file"
	(cd "$flow/elsewhere" && TRUEUP_DIR=$flow/elsewhere exec sleep 100000) &
	foreign=$!
}

# fresh - nothing runs, nothing is known.
fresh() {
	end_ours
	rm -rf "$state" "$data"
	mkdir -p "$data/not-ours"
	echo precious >"$data/not-ours/file"
}

# pids of everything that belongs to the data root: supervisors and workloads.
ours() {
	{
		grep -lsaz "^TRUEUP_DIR=$data/" /proc/[0-9]*/environ
		grep -lsazx "$data" /proc/[0-9]*/cmdline
	} | grep -o '[0-9]\+' | sort -u
}
end_ours() {
	local pids tries
	for ((tries = 0; tries < 100; tries++)); do
		pids=$(ours)
		[ -n "$pids" ] || return 0
		# shellcheck disable=SC2086
		kill -9 $pids 2>/dev/null
		sleep 0.01
	done
}

# ---- oracles: each prints what is wrong, nothing when all is well ----

# releases - "folder release" of every workload process that runs, sorted.
releases() {
	local file
	for file in $(grep -lsaz "^TRUEUP_DIR=$data/" /proc/[0-9]*/environ); do
		tr '\0' '\n' 2>/dev/null <"$file" |
			awk -F= '$1 == "TRUEUP_DIR" { sub(/.*\//, "", $2); dir = $2 } $1 == "RELEASE" { release = $2 }
				END { if (dir != "") print dir, release }'
	done | sort
}
supervisors() { grep -lsazx supervise /proc/[0-9]*/cmdline | xargs -r grep -lsazx "$data" | wc -l; }

# await WANTED - a workload that was itself killed is started again by its supervisor, after a second
# and then ever later; that is no reconciler's business.
await() {
	local tries
	for ((tries = 0; tries < 50; tries++)); do
		[ -n "$(comm -23 <(echo "$1") <(releases))" ] || return 0
		sleep 0.1
	done
}

# converged WANTED - all oracles after one more apply; WANTED is what `releases` must say.
converged() {
	local wanted=$1 log=$flow/again exit now before
	timeout 60 "$trueup" apply --repo "$config" --state "$state" --config "$flow_config" \
		>"$log" 2>&1
	exit=$?
	[ $exit = 0 ] || { echo "unconverged: apply ended with $exit: $(head -c 300 "$log" | tr '\n' ' ')"; return; }
	is_synced || echo "unconverged: status does not say synced"
	await "$wanted"
	now=$(releases)
	[ -z "$(comm -23 <(echo "$wanted") <(echo "$now"))" ] ||
		echo "lost: $(comm -23 <(echo "$wanted") <(echo "$now") | tr '\n' ',')"
	[ -z "$(comm -13 <(echo "$wanted") <(echo "$now"))" ] ||
		echo "doubled: $(comm -13 <(echo "$wanted") <(echo "$now") | tr '\n' ',')"
	[ "$(supervisors)" = "$(grep -c . <<<"$wanted")" ] || echo "doubled: $(supervisors) supervisors"
	kill -0 "$foreign" 2>/dev/null || echo "foreign: the process is gone"
	[ "$(cat "$data/not-ours/file" 2>/dev/null)" = precious ] || echo "foreign: the folder was touched"
	"$trueup" audit --verify --state "$state" >/dev/null 2>&1 || echo "audit: the chain is broken"
	before=$(ours)
	timeout 60 "$trueup" apply --repo "$config" --state "$state" --config "$flow_config" \
		>"$log" 2>&1 || echo "unconverged: a second apply ended with $?"
	grep -q ': ' "$log" && echo "unconverged: a second apply did something: $(head -n 1 "$log")"
	[ "$before" = "$(ours)" ] || echo "unconverged: a second apply restarted something"
}

# ---- scenarios ----

both="shop-production-web 1.0.0
side-web 1.0.0"
upgraded="shop-production-web 1.1.0
side-web 1.0.0"
only_side="side-web 1.0.0"

# scenario NAME - sets `before` (commits applied first), `target` and `wanted`.
scenario() {
	case $1 in
	create) before="" target=$one wanted=$both ;;
	replace) before=$one target=$two wanted=$upgraded ;;
	rollback) before="$one $two" target=$back wanted=$both ;;
	remove) before=$one target=$gone wanted=$only_side ;;
	esac
}

# What is killed: `apply`, or `run`, which sees the commit come and is told to stop when all is settled.
killed=apply

# traced N PREPARE - the killer on what is to be killed.
traced() {
	local options=(--repo "$config" --state "$state" --config "$flow_config") until
	if [ $killed = apply ]; then
		timeout 60 "$killer" "$1" "$2 && git -C '$config' update-ref refs/heads/main $target" \
			"$trueup" apply "${options[@]}"
	else
		until="until '$trueup' sync --state '$state'; do sleep 0.01; done
			git -C '$config' update-ref refs/heads/main $target
			'$trueup' sync --wait --state '$state'"
		timeout 60 "$killer" -u "$until" "$1" "$2" "$trueup" run "${options[@]}"
	fi
}

# one_kill N - runs the scenario from a fresh start, with a kill at write N (0: none); leaves the
# killer's last line in $said.
one_kill() {
	local commit prepare="git -C '$config' update-ref refs/heads/main $empty"
	fresh
	for commit in $before; do
		prepare="git -C '$config' update-ref refs/heads/main $commit &&
			'$trueup' apply --repo '$config' --state '$state' --config '$flow_config' >/dev/null 2>'$flow/before'"
		[ "$commit" = "${before##* }" ] || { eval "$prepare" || return 1; }
	done
	ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 traced "$1" "$prepare" >"$flow/traced" 2>&1
	at "$target" # who was killed before the push finds it later
	said=$(tail -n 1 "$flow/traced")
	case $said in killer:*counted*) return 0 ;; esac
	return 1
}

# kills NAME POINTS - up to POINTS kills (0: at every write), spread evenly; prints complaints and
# adds a line to $table.
kills() {
	local name=$1 points=$2 begun=$SECONDS calls step n complaints kills=0 good=0 lost=0 doubled=0 other=0
	scenario "$name"
	one_kill 0 || { echo "$killed, $name: cannot be traced: $said"; return 1; }
	calls=${said#killer: } calls=${calls%% *}
	step=1000
	[ "$points" = 0 ] || [ "$points" -ge "$calls" ] || step=$((calls * 1000 / points))
	for ((n = 1000; n / 1000 <= calls; n += step)); do
		one_kill $((n / 1000)) || { echo "$killed, $name $((n / 1000)): $said: $(tail -n 3 "$flow/before")"; other=$((other + 1)); continue; }
		kills=$((kills + 1))
		complaints=$(converged "$wanted")
		if [ -z "$complaints" ]; then good=$((good + 1)); else
			lost=$((lost + $(grep -c ^lost: <<<"$complaints")))
			doubled=$((doubled + $(grep -c ^doubled: <<<"$complaints")))
			other=$((other + 1))
			echo "$killed, $name, write $((n / 1000)) of $calls (${said#*, }): $complaints"
		fi
		[ -z "${progress:-}" ] || [ $((kills % 50)) != 0 ] || echo "# $killed, $name: $kills kills, $good converged" >&2
	done
	table+=$(printf '%-7s %-10s %7d %6d %9d %5d %7d %4ds' "$killed" "$name" "$calls" $kills $good \
		$lost $doubled $((SECONDS - begun)))$'\n'
	[ $other = 0 ]
}
