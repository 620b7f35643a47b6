#!/bin/bash
# All C is as .clang-format has it (`make format` makes it so).
set -u
. tests/support/tap.sh

unformatted() {
	find reconciler schema drivers tests -name '*.[ch]' | sort |
		xargs -P "$(nproc)" -n 16 clang-format --dry-run -Werror 2>&1 |
		sed -n 's/^\([^:]*:[0-9]*\):.*error: .*/\1: not as clang-format has it/p' | sort -u |
		head -20
}

if command -v clang-format >/dev/null; then
	check_silent "the code is formatted" unformatted
else
	skip "the code is formatted" "clang-format is not installed"
fi
done_testing
