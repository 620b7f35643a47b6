#!/bin/bash
# The program is linked with these libraries; what else there is, it loads when it is used.
set -u
. tests/support/tap.sh

linked() {
	readelf -d "$TRUEUP" | sed -n 's/.*(NEEDED).*\[\(lib[^.]*\)\.so.*/\1/p' | LC_ALL=C sort
}

check_same "libraries that are linked" "$(printf '%s\n' libc libgit2 libhttp_parser libjansson libsodium libsqlite3 libyaml-0)" \
	"$(linked)"
done_testing
