#!/bin/bash
# The generated files are those that the program of today would write.
set -u
. tests/support/tap.sh

stale() {
	tests/meta/generated.sh "$TMPDIR" || return
	(cd "$TMPDIR" && find . -type f | sed 's|^\./||') | while read -r file; do
		cmp -s "$TMPDIR/$file" "$file" || echo "$file: stale; run \"make generated\""
	done
}

check_silent "generated files are fresh" stale
rm -rf "${TMPDIR:?}"/*
done_testing
