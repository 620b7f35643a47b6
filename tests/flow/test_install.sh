#!/bin/bash
# make install puts everything in its place, make uninstall takes it away again.
. tests/support/tap.sh

to=$(mktemp -d "${TMPDIR:-/tmp}/install.XXXXXX")
trap 'rm -rf "$to"' EXIT
BUILD=${BUILD:-build}
# The program is there; -o: it is not to be made again, with whatever flags.
run_make() { env -u MAKEFLAGS -u MAKELEVEL make -s -o "$BUILD/trueup" BUILD="$BUILD" DESTDIR="$to" "$@"; }

check_silent "install" run_make install
for file in bin/trueup share/man/man1/trueup.1 share/bash-completion/completions/trueup \
	share/zsh/vendor-completions/_trueup share/fish/vendor_completions.d/trueup.fish \
	lib/systemd/system/trueup.service share/doc/trueup/trueup-host.conf \
	share/doc/trueup/manifests.md share/doc/trueup/codes.md share/doc/trueup/commands.md \
	share/doc/trueup/schema.json share/doc/trueup/LICENSE; do
	check "$file" test -s "$to/usr/local/$file"
done
check "the program runs from there" grep -q '^trueup [0-9]' <("$to/usr/local/bin/trueup" --version)
check_same "nothing but the program may be executed" "$to/usr/local/bin/trueup" "$(find "$to" -type f -perm /111)"

# ---- the unit ----

unit=$to/usr/local/lib/systemd/system/trueup.service
check "it runs the program where it was installed" grep -q '^ExecStart=/usr/local/bin/trueup run ' "$unit"
check "no mark was left in it" test -z "$(grep -n @ "$unit" | grep -v '=@system-service$')"
# verify NAME [DROP-IN] - what systemd says of the unit as it would be.
verify() {
	mkdir -p "$to/units/trueup.service.d"
	sed "s|/usr/local/bin|$to/usr/local/bin|; /^Documentation=/d" "$unit" >"$to/units/trueup.service"
	[ $# = 0 ] || cp "$1" "$to/units/trueup.service.d/"
	systemd-analyze verify "$to/units/trueup.service"
}
exposure() { systemd-analyze security --offline=yes --threshold=25 --no-pager "$to/units/trueup.service"; }
if command -v systemd-analyze >/dev/null; then
	check_silent "systemd takes the unit" verify
	check "it is closed in: an exposure of less than 2.5" exposure
	check_silent "and with the drop-in for host nodes" verify "$to/usr/local/share/doc/trueup/trueup-host.conf"
else
	skip "systemd takes the unit" "systemd-analyze is not installed"
fi
# What would reach workloads stands in both files: a line for each, so that none is forgotten.
inherited() {
	local key
	for key in $(grep -oE '^(Protect|Private|Restrict|SystemCall|Memory|Lock|RemoveIPC|ProcSubset|Capab)[A-Za-z0-9]*' \
		"$unit" | sort -u); do
		case $key in SystemCallErrorNumber) continue ;; esac
		grep -q "^$key=" "$to/usr/local/share/doc/trueup/trueup-host.conf" || echo "$key"
	done
}
check_silent "the drop-in takes off all that workloads would inherit" inherited
rm -rf "$to/units"

# ---- another prefix, and away ----

check_silent "uninstall" run_make uninstall
check_same "takes everything away" "" "$(find "$to" -type f)"
check_silent "another prefix" run_make install PREFIX=/opt/trueup
check "stands in the unit" grep -q '^ExecStart=/opt/trueup/bin/trueup ' "$to/opt/trueup/lib/systemd/system/trueup.service"
check_silent "and goes" run_make uninstall PREFIX=/opt/trueup
check_same "without a trace" "" "$(find "$to" -type f)"

done_testing
