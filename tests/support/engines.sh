#!/bin/bash
# engines.sh COMMAND... - runs a command while a Docker Engine, a Podman service and a registry for
# each are up for it, and ends with its status.
#
#   tests/support/engines.sh build/tests/unit/test_docker_contract
#
# The command finds in $TRUEUP_ENGINES, a folder:
#   docker/sock  podman/sock   sockets of the engines
#   docker/machine  ...        the id of a process that has the network of the engine's machine
#   docker/why   podman/why    instead, why there is none here
#   lock                       to be held (flock) by whoever uses them: they are shared
#   images                     the folder of the registries' images
#   registry                   where images are, as both engines call it: 127.0.0.1:5000/shop
#   closed                     the same images, for ann with the password "open: sesame"
# Images there: web:1, web:2 and web:3 (busybox; they sleep; /which says which it is; the third
# declares the volume /cache). What is called none:1 is not there.
#
# Each engine has a network, a mount table and processes of its own, so that it meets neither the
# other one nor any that the machine may have, and all of it ends when its first process does: that
# one dies with this script, however that ends. With $TRUEUP_ENGINES set, nothing is started.
set -u
[ $# -gt 0 ] || { sed -n '2,5s/^# //p' "$0"; exit 64; }
[ -z "${TRUEUP_ENGINES:-}" ] || exec "$@"

READY_S=60
REGISTRY=127.0.0.1:5000
CLOSED=127.0.0.1:5001
GATE=127.0.0.1:5002 # where a test may put registry_gate.py before it
work=$(mktemp -d "${TMPDIR:-/tmp}/engines.XXXXXX") || exit 1
pids=()

# Packages are looked for where Debian has them, not only where this user looks.
PATH=$PATH:/usr/sbin:/sbin

finish() {
	local pid
	for pid in "${pids[@]}"; do
		kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	rm -rf "$work" 2>/dev/null || { sleep 1; rm -rf "$work"; }
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# ask ENGINE PATH [CURL-OPTION...]: one request of the API, by the engine's socket.
ask() {
	local engine=$1 path=$2
	shift 2
	curl --silent --show-error --fail-with-body --max-time 60 --unix-socket "$work/$engine/sock" \
		"http://engine$path" "$@"
}

# missing PROGRAM...: says which of them are not installed.
missing() {
	local program
	for program; do
		command -v "$program" >/dev/null || printf ' %s' "$program"
	done
}

cannot() {
	echo "$2" >"$work/$1/why"
}

# apart ENGINE: runs $work/ENGINE/start in namespaces of its own, which end with this script.
apart() {
	setpriv --pdeathsig KILL unshare --net --mount --pid --fork --kill-child --mount-proc \
		bash "$work/$1/start" >"$work/$1/log" 2>&1 </dev/null &
	pids+=($!)
}

start_docker() {
	local dir=$work/docker
	cat >"$dir/start" <<-END
		# Podman's resolvers and locks live there, whatever it is told, and several runs may be on
		mount -t tmpfs tmpfs /run
		mount -t tmpfs tmpfs /dev/shm
		ip link set lo up
		docker-registry serve $work/registry.yml >/dev/null 2>&1 &
		docker-registry serve $work/closed.yml >/dev/null 2>&1 &
		# an engine that a test ends is started again
		while :; do
			dockerd --data-root $dir/data --exec-root $dir/exec --pidfile $dir/pid \\
				--host unix://$dir/sock --log-level warn --max-download-attempts 1
		done
	END
	apart docker
}

# Debian's Podman runs here with runc, without systemd, and within what this user may raise.
start_podman() {
	local dir=$work/podman
	cat >"$dir/containers.conf" <<-END
		[engine]
		runtime = "runc"
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		[containers]
		default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
	END
	cat >"$dir/registries.conf" <<-END
		[[registry]]
		location = "$REGISTRY"
		insecure = true
		[[registry]]
		location = "$CLOSED"
		insecure = true
		[[registry]]
		location = "$GATE"
		insecure = true
	END
	cat >"$dir/start" <<-END
		export CONTAINERS_CONF=$dir/containers.conf
		export CONTAINERS_REGISTRIES_CONF=$dir/registries.conf
		# Podman's resolvers and locks live there, whatever it is told, and several runs may be on
		mount -t tmpfs tmpfs /run
		mount -t tmpfs tmpfs /dev/shm
		ip link set lo up
		docker-registry serve $work/registry.yml >/dev/null 2>&1 &
		docker-registry serve $work/closed.yml >/dev/null 2>&1 &
		while :; do
			podman --root $dir/root --runroot $dir/run --tmpdir $dir/tmp \\
				--network-config-dir $dir/net system service --time=0 unix://$dir/sock
		done
	END
	apart podman
}

# ready ENGINE PATH: waits until it answers there.
ready() {
	local until=$((SECONDS + READY_S))
	while ! ask "$1" "$2" >/dev/null 2>&1; do
		if ! kill -0 "${pids[-1]}" 2>/dev/null || [ $SECONDS -ge $until ]; then
			cannot "$1" "it did not start: $(tail -n 3 "$work/$1/log" | tr '\n' ' ')"
			return 1
		fi
		sleep 0.1
	done
}

# bring_up ENGINE PROGRAM...
bring_up() {
	local engine=$1 lacks
	shift
	mkdir -p "$work/$engine"
	lacks=$(missing "$@" docker-registry curl unshare setpriv ip)
	if [ "$(id -u)" != 0 ]; then
		cannot "$engine" 'only root can start an engine of its own'
	elif [ -n "$lacks" ]; then
		cannot "$engine" "not installed:$lacks"
	else
		"start_$engine"
		echo "${pids[-1]}" >"$work/$engine/machine"
		ready "$engine" /version
	fi
	[ ! -e "$work/$engine/why" ]
}

# ---- images ----

make_tree() {
	mkdir -p "$work/tree/bin" "$work/tree/tmp" "$work/tree/etc"
	cp /bin/busybox "$work/tree/bin/"
	local program
	for program in sh sleep echo cat ls nc wget kill id env stat true false test touch; do
		ln -s busybox "$work/tree/bin/$program"
	done
	echo 'root:x:0:0::/:/bin/sh' >"$work/tree/etc/passwd"
}

# push ENGINE TAG: made from the tree, pushed, and forgotten by the engine.
push() {
	local engine=$1 tag=$2 id
	local changes='changes=CMD%20sleep%201000'
	[ "$tag" != 3 ] || changes+='&changes=VOLUME%20/cache'
	echo "web $tag" >"$work/tree/which"
	tar -C "$work/tree" -cf "$work/tree.tar" .
	id=$(ask "$engine" "/v1.41/images/create?fromSrc=-&$changes" -X POST -H 'Content-Type: application/x-tar' \
		--data-binary "@$work/tree.tar" | grep -o 'sha256:[0-9a-f]\{64\}' | head -n 1)
	ask "$engine" "/v1.41/images/$id/tag?repo=$REGISTRY/shop/web&tag=$tag" -X POST &&
		ask "$engine" "/v1.41/images/$REGISTRY/shop/web:$tag/push" -X POST \
			-H 'X-Registry-Auth: e30=' | grep -q digest &&
		ask "$engine" "/v1.41/images/$id?force=1" -X DELETE >/dev/null
}

fill_registry() {
	local tag
	make_tree
	for tag in 1 2 3; do
		push "$1" $tag || { echo "engines.sh: image $tag could not be pushed" >&2; return 1; }
	done
	rm -rf "$work/tree" "$work/tree.tar"
}

# ---- all of it ----

# configure NAME ADDRESS: a registry's configuration, and where its images are.
configure() {
	cat <<-END >"$work/$1.yml"
		version: 0.1
		log: {level: error}
		storage: {filesystem: {rootdirectory: $work/images}, cache: {}}
		http: {addr: "$2", secret: engines}
	END
	echo "$2/shop" >"$work/$1"
}
configure registry "$REGISTRY"
configure closed "$CLOSED"
echo "auth: {htpasswd: {realm: shop, path: $work/users}}" >>"$work/closed.yml"
# htpasswd -Bbn ann 'open: sesame'
echo 'ann:$2y$05$iQ5LCMs8wtnix2vl8q//GeKhia7kgoSKis9HSqWLjZr6Vl4besyuC' >"$work/users"
: >"$work/lock"
filled=
bring_up docker dockerd containerd runc iptables && fill_registry docker && filled=1
bring_up podman podman runc && { [ -n "$filled" ] || fill_registry podman; }

TRUEUP_ENGINES=$work "$@"
