#!/bin/bash
# What `trueup schema` prints is a JSON Schema, by a validator that is not ours: manifests that trueup
# takes pass, and documents that it refuses for what a schema can see do not.
set -eu

schema=$(mktemp "${TMPDIR:-/tmp}/schema.XXXXXX")
trap 'rm -f "$schema"' EXIT
"${TRUEUP:-build/trueup}" schema >"$schema"
mapfile -t manifests < <(find examples tests/golden -name '*.yaml' | sort)
/usr/bin/python3 -W ignore tests/support/json_schema.py "$schema" tests/data/schema "${manifests[@]}"
