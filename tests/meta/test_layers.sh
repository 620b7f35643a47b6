#!/bin/bash
# The house keeps its floors: layers.txt and libraries.txt against every #include.
set -u
. tests/support/tap.sh

sources() {
	find reconciler schema drivers -name '*.[ch]' | sort
}

# "file:line header" for each #include "..." of ours.
own_includes() {
	sources | xargs grep -n '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' |
		sed 's/^\([^:]*:[0-9]*\):[^"]*"\([^"]*\)".*/\1 \2/'
}

check_layers() {
	own_includes | awk '
	FNR == NR {
		if ($1 !~ /^#/ && NF) {
			files[$1] = $2
			for (i = 3; i <= NF; i++) may[$1, $i] = 1
		}
		next
	}
	# the unit of a path: the longest entry of the table that it begins with
	function unit_of(path,   u, best) {
		for (u in files)
			if (index(path "/", files[u] "/") == 1 && length(files[u]) > length(files[best]))
				best = u
		return best
	}
	{
		file = $1; sub(/:[0-9]*$/, "", file)
		header = $2
		if (header ~ /\.def$/) sub(/\.def$/, ".h", header)
		path = header ~ /^(schema|drivers)\// ? header : "reconciler/" header
		from = unit_of(file); to = unit_of(path)
		if (from == "") print $1 ": belongs to no unit of layers.txt"
		else if (to == "") print $1 ": \"" $2 "\" belongs to no unit of layers.txt"
		else if (from != to && !((from, to) in may) && !((from, header) in may))
			print $1 ": " from " may not include \"" $2 "\""
	}' tests/meta/layers.txt -
}

check_libraries() {
	sources | xargs grep -n '^[[:space:]]*#[[:space:]]*include[[:space:]]*<' |
		sed 's/^\([^:]*:[0-9]*\):[^<]*<\([^>]*\)>.*/\1 \2/' | awk '
	FNR == NR { if ($1 !~ /^#/ && NF) only[$1] = $2; next }
	{
		for (header in only)
			if (index($2, header) == 1 && index($1, only[header]) != 1)
				print $1 ": <" $2 "> belongs to " only[header]
	}' tests/meta/libraries.txt -
}

# tsort needs pairs; it complains of loops on standard error.
check_cycles() {
	own_includes | sed 's/:[0-9]* / /' | awk '$1 ~ /\.h$/ {
		path = $2 ~ /^(schema|drivers)\// ? $2 : "reconciler/" $2
		print $1, path
	}' | tsort 2>&1 >/dev/null
}

# A test program may begin with tests/support/test.h, which begins with sys.h.
check_sys_first() {
	find reconciler schema drivers tests -name '*.c' | sort | while read -r file; do
		first=$(grep -m1 '^[[:space:]]*#[[:space:]]*include' "$file")
		case $file:$first in
		*'"base/sys.h"' | tests/*'"tests/support/test.h"') ;;
		*) echo "$file: begins with ${first:-nothing} instead of \"base/sys.h\"" ;;
		esac
	done
}

check_silent "each unit includes only what layers.txt lets it" check_layers
check_silent "each library has one includer" check_libraries
check_silent "no header includes itself in the end" check_cycles
check_silent "base/sys.h comes first" check_sys_first
done_testing
