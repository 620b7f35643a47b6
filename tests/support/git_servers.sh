#!/bin/bash
# git_servers.sh - real servers for Git repositories, each on a free port of 127.0.0.1, without
# systemd and without anything outside one folder (but /run/sshd, which sshd wants of root).
#
#	. tests/support/git_servers.sh              as functions, or
#	tests/support/git_servers.sh FUNCTION ARG…  which prints NAME=VALUE lines
#
#	start_sshd DIR          SSH_PORT; the client's key is DIR/ssh/client/id_ed25519, what it has to
#	                        know DIR/ssh/client/known_hosts; SSH_KEYS="ed25519 ecdsa" are the host
#	                        keys, of which the first is the one that is known
#	start_nginx DIR REPOS   HTTPS_PORT, CANARY_PORT; DIR/https/ca.pem is the authority
#	    /git/NAME           git-http-backend on REPOS/NAME, for user ann with password s3cret
#	    /open/NAME          the same without a password
#	    /away/NAME          redirects to the canary, which writes what it gets to DIR/https/canary.log
#	    /moved/NAME         redirects to /git/NAME
#	    /garbage /broken    answers 200 with nonsense; 500
#	start_git_daemon DIR REPOS   GIT_PORT
#	stop_servers DIR        ends all of them and waits until they are gone
#
# Output of the servers goes to DIR/*/log. A failing start prints it and returns 1.

GIT_CORE=$(git --exec-path)

_port_is_free() {
	! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Below the range that the kernel hands out for outgoing connections.
free_port() {
	local port
	while port=$((10000 + (RANDOM * 32768 + RANDOM) % 20000)) && ! _port_is_free $port; do :; done
	echo $port
}

# wait_for CONDITION…: up to 10 s
_wait_for() {
	local i
	for ((i = 0; i < 1000; i++)); do
		"$@" && return
		sleep 0.01
	done
	return 1
}

_is_listening() {
	! _port_is_free "$1"
}

_is_gone() {
	! kill -0 "$1" 2>/dev/null || [ "$(cut -d' ' -f3 "/proc/$1/stat" 2>/dev/null)" = Z ]
}

# _background DIR LOG COMMAND…: started on its own, remembered for stop_servers
_background() {
	local dir=$1 log=$2
	shift 2
	setsid "$@" </dev/null >>"$log" 2>&1 3>&- 9>&- &
	echo $! >>"$dir/servers.pids"
}

_started() {
	_wait_for _is_listening "$1" || {
		echo "server on port $1 did not start:" >&2
		cat "$2" >&2
		return 1
	}
}

start_sshd() {
	local dir=$1/ssh type
	mkdir -p "$dir/client" && chmod 700 "$dir" "$dir/client"
	[ "$(id -u)" != 0 ] || mkdir -p -m 0755 /run/sshd
	SSH_PORT=$(free_port)
	for type in ${SSH_KEYS:-ed25519 ecdsa}; do
		[ -e "$dir/host_$type" ] || ssh-keygen -q -t $type -N '' -C '' -f "$dir/host_$type"
	done
	[ -e "$dir/client/id_ed25519" ] ||
		ssh-keygen -q -t ed25519 -N '' -C client -f "$dir/client/id_ed25519"
	cp "$dir/client/id_ed25519.pub" "$dir/authorized"
	{
		echo "Port $SSH_PORT"
		echo "ListenAddress 127.0.0.1"
		for type in ${SSH_KEYS:-ed25519 ecdsa}; do echo "HostKey $dir/host_$type"; done
		echo "AuthorizedKeysFile $dir/authorized"
		echo "PidFile none"
		echo "StrictModes no"
		echo "UsePAM no"
		echo "PasswordAuthentication no"
		echo "KbdInteractiveAuthentication no"
		echo "PermitRootLogin prohibit-password"
	} >"$dir/config"
	type=${SSH_KEYS:-ed25519}
	echo "[127.0.0.1]:$SSH_PORT $(cut -d' ' -f1,2 "$dir/host_${type%% *}.pub")" \
		>"$dir/client/known_hosts"
	chmod 600 "$dir/client"/*
	_background "$1" "$dir/log" "$(command -v sshd || echo /usr/sbin/sshd)" -D -e -f "$dir/config"
	_started "$SSH_PORT" "$dir/log"
}

_make_authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
		-addext 'subjectAltName=IP:127.0.0.1' -keyout "$2.key" -out "$2.pem" \
		2>/dev/null
}

_nginx_backend() {
	cat <<-END
		include /etc/nginx/fastcgi_params;
		fastcgi_param SCRIPT_FILENAME $GIT_CORE/git-http-backend;
		fastcgi_param GIT_PROJECT_ROOT $1;
		fastcgi_param GIT_HTTP_EXPORT_ALL "";
		fastcgi_param PATH_INFO \$1;
		fastcgi_param REMOTE_USER \$remote_user;
		fastcgi_pass unix:$2/fcgi.sock;
	END
}

_nginx_config() {
	local dir=$1 repos=$2
	cat <<-END
		$([ "$(id -u)" != 0 ] || echo 'user root;')
		worker_processes 1;
		daemon off;
		pid $dir/pid;
		error_log $dir/log;
		events {}
		http {
			client_body_temp_path $dir/body;
			proxy_temp_path $dir/proxy;
			fastcgi_temp_path $dir/fastcgi;
			uwsgi_temp_path $dir/uwsgi;
			scgi_temp_path $dir/scgi;
			client_max_body_size 0;
			log_format canary '\$request|\$http_authorization|';
			access_log $dir/access.log;
			ssl_certificate $dir/ca.pem;
			ssl_certificate_key $dir/ca.key;
			server {
				listen 127.0.0.1:$HTTPS_PORT ssl;
				location ~ ^/git(/.*)\$ {
					auth_basic git;
					auth_basic_user_file $dir/users;
					$(_nginx_backend "$repos" "$dir")
				}
				location ~ ^/open(/.*)\$ {
					$(_nginx_backend "$repos" "$dir")
				}
				location ~ ^/away(/.*)\$ {
					return 302 https://127.0.0.1:$CANARY_PORT/git\$1?\$args;
				}
				location ~ ^/moved(/.*)\$ {
					return 301 /git\$1?\$args;
				}
				location /garbage {
					default_type application/x-git-upload-pack-advertisement;
					return 200 "001e# service=git-upload-pack\n0000zzzznonsense";
				}
				location /broken {
					return 500;
				}
			}
			server {
				listen 127.0.0.1:$CANARY_PORT ssl;
				access_log $dir/canary.log canary;
				location / {
					auth_basic canary;
					auth_basic_user_file $dir/users;
					$(_nginx_backend "$repos" "$dir" | sed 's/\$1/\/none/')
				}
			}
		}
	END
}

start_nginx() {
	local dir=$1/https
	mkdir -p "$dir"
	HTTPS_PORT=$(free_port)
	CANARY_PORT=$(free_port)
	_make_authority 'test authority' "$dir/ca" || return
	_make_authority 'another authority' "$dir/other" || return
	echo "ann:$(openssl passwd -apr1 s3cret)" >"$dir/users"
	_nginx_config "$dir" "$2" >"$dir/config"
	_background "$1" "$dir/log" "$(command -v fcgiwrap || echo /usr/sbin/fcgiwrap)" -f \
		-s "unix:$dir/fcgi.sock"
	_background "$1" "$dir/log" "$(command -v nginx || echo /usr/sbin/nginx)" -p "$dir" \
		-e "$dir/log" -c "$dir/config"
	_started "$HTTPS_PORT" "$dir/log" && _wait_for test -S "$dir/fcgi.sock"
}

start_git_daemon() {
	local dir=$1/daemon
	mkdir -p "$dir"
	GIT_PORT=$(free_port)
	_background "$1" "$dir/log" "$GIT_CORE/git-daemon" --listen=127.0.0.1 --port="$GIT_PORT" \
		--export-all --reuseaddr --base-path="$2" "$2"
	_started "$GIT_PORT" "$dir/log"
}

# Each was started as a session of its own: its workers end with it.
stop_servers() {
	local pid
	[ -e "$1/servers.pids" ] || return 0
	while read -r pid; do
		kill -TERM -- "-$pid" 2>/dev/null
	done <"$1/servers.pids"
	while read -r pid; do
		_wait_for _is_gone "$pid" || kill -KILL -- "-$pid" 2>/dev/null
	done <"$1/servers.pids"
	rm "$1/servers.pids"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	"$@" || exit
	for name in SSH_PORT HTTPS_PORT CANARY_PORT GIT_PORT; do
		[ -z "${!name:-}" ] || echo "$name=${!name}"
	done
fi
