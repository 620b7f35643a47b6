#!/bin/bash
# What can be seen in the text alone: words, lengths, links, scripts.
set -u
. tests/support/tap.sh

MAX_LINES=1000
MAX_FUNCTION=100

ours() {
	find Makefile .ci examples reconciler schema drivers tests -type f \
		! -path 'tests/fuzz/corpus/*' "$@" 2>/dev/null | sort
}

unfinished() {
	ours ! -path tests/meta/test_text.sh | xargs grep -nIE '\b(TODO|FIXME|XXX|HACK|WIP)\b'
	return 0
}

# Both sides of a merge, kept by mistake. The manifests of yaml-conflict*.case have them on purpose.
merges_left() {
	{ ours ! -path 'tests/data/*' && find . -maxdepth 1 -name '*.md'; } |
		xargs grep -nE '^(<<<<<<<|>>>>>>>) '
	return 0
}

long_files() {
	ours \( -name '*.[ch]' -o -name '*.def' -o -name '*.sh' \) | xargs wc -l |
		awk -v max=$MAX_LINES '$2 != "total" && $1 > max { print $2 ": " $1 " lines" }'
}

# "lines file:line" for each function. The format puts its braces in the first column.
functions() {
	find reconciler schema drivers -name '*.c' | sort | xargs awk '
		/^{/ { start = FNR; next }
		/^}/ && start { print FNR - start - 1, FILENAME ":" start; start = 0 }'
}

long_functions() {
	functions | awk -v max=$MAX_FUNCTION '$1 > max { print $2 ": a function of " $1 " lines" }'
}

tests_without_an_assertion() {
	find tests -name 'test_*.c' | xargs grep -LE '\b(assert_|fail_msg)' | sed 's/$/: asserts nothing/'
}

trailing_space() {
	ours \( -name '*.[ch]' -o -name '*.sh' -o -name '*.def' -o -name '*.md' -o -name Makefile \) |
		xargs grep -nE '[[:space:]]+$' | head
	return 0
}

# Relative links of Markdown files, without those in code.
dead_links() {
	find . -name '*.md' ! -path './build*' ! -path './.git/*' | sort | while read -r file; do
		grep -oE '\]\([^)#: ]+(#[^)]*)?\)' "$file" | sed 's/^](//; s/[#)].*//' | sort -u |
			while read -r link; do
				[ -e "${file%/*}/$link" ] || echo "$file: $link is not there"
			done
	done
}

bad_scripts() {
	ours \( -name '*.sh' -o -path '.ci/run' \) | while read -r file; do
		bash -n "$file" || echo "$file: not a valid script"
		case $file in tests/support/*) continue ;; esac
		head -1 "$file" | grep -q '^#!' && [ ! -x "$file" ] && echo "$file: not executable"
	done
	return 0
}

check_silent "nothing is left for later" unfinished
check_silent "no merge is left half done" merges_left
check_silent "no file is longer than $MAX_LINES lines" long_files
check_silent "no function is longer than $MAX_FUNCTION lines" long_functions
check_silent "each test asserts something" tests_without_an_assertion
check_silent "no line ends with a space" trailing_space
check_silent "each link leads somewhere" dead_links
check_silent "each script is one" bad_scripts
functions | sort -n | awk '{ n[NR] = $1 } END { if (NR)
	print "# " NR " functions: median " n[int((NR + 1) / 2)] " lines, p90 " n[int(NR * 0.9 + 0.5)] \
	", longest " n[NR] }'
done_testing
