#!/bin/bash
# generated.sh FOLDER - runs each command of generated.txt, writes its file below FOLDER.
set -u
into=$1
failed=0
while read -r file command; do
	case $file in '' | '#'*) continue ;; esac
	mkdir -p "$into/$(dirname "$file")"
	if ! eval "$command" >"$into/$file.new" </dev/null; then
		echo "$file: \"$command\" failed"
		failed=1
		continue
	fi
	mv "$into/$file.new" "$into/$file"
done <tests/meta/generated.txt
exit $failed
