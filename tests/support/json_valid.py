#!/usr/bin/env python3
"""Holds JSON documents against a JSON Schema (draft 2020-12); silent when all is well.

usage: json_valid.py SCHEMA DOCUMENT...    complaints on standard output, one a line
"""
import json
import pathlib
import sys

import jsonschema

schema = json.loads(pathlib.Path(sys.argv[1]).read_text())
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for name in sys.argv[2:]:
    for error in validator.iter_errors(json.loads(pathlib.Path(name).read_text())):
        print(f"{name}: {error.json_path}: {error.message}")
