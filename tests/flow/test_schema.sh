#!/bin/bash
# What `trueup schema` prints is a JSON Schema, by a validator that is not ours: manifests that trueup
# takes pass, and documents that it refuses for what a schema can see do not.
set -eu

schema=$(mktemp "${TMPDIR:-/tmp}/schema.XXXXXX")
trap 'rm -f "$schema"' EXIT
"${TRUEUP:-build/trueup}" schema >"$schema"
# Of what is in a folder with a Compose file only deployment.yaml is a manifest.
in_compose_folder() {
	local folder=$1
	while [[ $folder == */* ]]; do
		folder=${folder%/*}
		[ ! -e "$folder/compose.yaml" ] || return 0
	done
	return 1
}
manifests=()
while read -r file; do
	[ "${file##*/}" != deployment.yaml ] && in_compose_folder "$file" || manifests+=("$file")
done < <(find examples tests/golden -name '*.yaml' | sort)
/usr/bin/python3 -W ignore tests/support/json_schema.py "$schema" tests/data/schema "${manifests[@]}"
