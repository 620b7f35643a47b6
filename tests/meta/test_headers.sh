#!/bin/bash
# Each header is complete: it compiles with nothing before it, and twice.
set -u
. tests/support/tap.sh
guards_seen=${TMPDIR:-/tmp}/guards.$$

alone() {
	find reconciler schema drivers tests -name '*.h' | sort |
		xargs -P "$(nproc)" -I HEADER sh -c '
			printf "#include \"HEADER\"\n#include \"HEADER\"\n" |
			gcc -std=gnu17 -D_GNU_SOURCE -I. -Ireconciler -Wall -Wextra -Werror \
				-fsyntax-only -x c - 2>&1 | head -5'
}

guards() {
	find reconciler schema drivers tests -name '*.h' | sort | while read -r file; do
		guard=$(sed -n 's/^#ifndef \(TRUEUP_[A-Z0-9_]*_H\)$/\1/p' "$file" | head -1)
		[ -n "$guard" ] && [ "$(grep -c "^#define $guard\$" "$file")" = 1 ] ||
			echo "$file: no guard of the form TRUEUP_<UNIT>_<NAME>_H"
		echo "$guard $file" >>"$guards_seen"
	done
	cut -d' ' -f1 "$guards_seen" | sort | uniq -d | sed 's/$/: guards two headers/'
	rm "$guards_seen"
}

explained() {
	find reconciler schema drivers tests -name '*.h' | sort | while read -r file; do
		head -2 "$file" | grep -q "^ \* ${file##*/} - " ||
			echo "$file: does not begin with a comment \"${file##*/} - what it is for\""
	done
}

check_silent "each header compiles alone" alone
check_silent "each header has a guard of its own" guards
check_silent "each header says what it is for" explained
done_testing
