#!/usr/bin/env python3
"""Holds the JSON Schema that `trueup schema` prints against its metaschema and against manifests.

usage: json_schema.py SCHEMA CASES_FOLDER MANIFEST...    TAP on standard output

Manifests must pass. Of the cases (tests/data/schema/README.md) a document without a problem must
pass, and one with a problem that a schema can see must not.
"""
import pathlib
import re
import sys

import jsonschema
import yaml

# What a schema of one document can see. Names that must exist, scopes and merges are for the checker.
VISIBLE = {"unknown-kind", "unknown-field", "missing-field", "wrong-type", "bad-value", "bad-name"}
# What one field asks for because of another one's value: (case, line).
BETWEEN_FIELDS = {
    ("app-wrong", 37),
    *{("config-port-ranges", line) for line in (8, 9)},
    ("deployment-product", 16),
    ("domains", 28),
    ("missing-fields", 8),
    ("nodes", 3),
    *{("registry-bad", line) for line in (3, 11, 16, 20, 25, 42)},
    *{("service-wrong", line) for line in (22, 33)},
    *{("version-images", line) for line in (7, 12)},
    *{("whole-routing", line) for line in (7, 8)},
}
# What a form's function sees and its pattern does not, bounds of amounts with a unit, lengths of
# numbers that are texts, 2.0 and 1e1, which are whole to a schema: case, lines.
LOOSER = {
    "domains": {11},  # names that are keys
    "config-env-names": {13},
    "config-scale": {20, 48},
    "config-stop-signal": {6, 13},
    "config-stop-timeout": {13},
    "config-user": {41},
    "config-working-directory": {20},
    "deployment-strategy-times": {23, 35},
    "deployment-version": {30},
    "expect-timeout": {6, 13},
    "files-mode": {13},
    "files-path": {27},
    "health-status": {13, 27},
    "health-times": {13, 20, 27, 34, 41},
    "host-without-command": {4},
    "node-image-root": {14},
    "ports-address": {13, 41},
    "ports-short-bounds": {6, 13},
    "resources-cpu": {6, 20, 34, 48},
    "resources-memory": {6, 13, 48},
    "template-makes-name": {6},
    "template-makes-user": {6},
    "volumes-host-path": {20},
    "volumes-path": {27, 41},
    "yaml-block-name": {2},  # $ stands before a line end, too, for Python
    "yaml-words-as-texts": {17},
}
# Whole numbers that the reader of YAML below takes for texts: 0x10, 0o17.
UNREAD = {"yaml-numbers"}


class Loader(yaml.SafeLoader):
    """Plain scalars by the core rules of YAML 1.2, as editors and trueup read them."""

    yaml_implicit_resolvers = {}


for tag, pattern, first in [
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789")),
]:
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), first)
# 012 is twelve; a merge key is a key.
Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))


def documents(text):
    """(first line, line behind the last, value) of each document that is not empty."""
    loader = Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            value = loader.construct_document(node)
            if value is not None:
                yield node.start_mark.line + 1, node.end_mark.line + 1, value
    finally:
        loader.dispose()


def unescape(text):
    simple = {"r": "\r", "t": "\t", "n": "\n", "\\": "\\"}
    return re.sub(
        r"\\(?:x([0-9a-f]{2})|([rtn\\]))",
        lambda match: chr(int(match[1], 16)) if match[1] else simple[match[2]],
        text,
    )


class Case:
    def __init__(self, path):
        head, *rest = re.split(r"^>>> (.*)\n", path.read_text(), flags=re.M)
        # With `check`, what is missing may be missing from a merge of several documents.
        merged = re.search(r"^check$", head, re.M) is not None
        body, _, verdict = rest[-1].partition("<<<\n")
        self.files = dict(zip(rest[::2], [*rest[1:-1:2], body]))
        if re.search(r"^escapes$", head, re.M):
            self.files = {name: unescape(text) for name, text in self.files.items()}
        first = next(iter(self.files))
        self.problems = {name: [] for name in self.files}
        for line in verdict.splitlines():
            match = re.match(r"(?:(.+?):)?(\d+):\d+ ([a-z0-9-]+)", line)
            if match and not (merged and match[3] == "missing-field"):
                self.problems.setdefault(match[1] or first, []).append((int(match[2]), match[3]))


class Tap:
    def __init__(self):
        self.count = 0

    def check(self, what, complaints):
        self.count += 1
        print(f"{'not ok' if complaints else 'ok'} {self.count} - {what}")
        for complaint in complaints:
            print(f"# {complaint}")


def judge_case(validator, path):
    """Complaints about one case."""
    case = Case(path)
    for name, text in case.files.items():
        if name.endswith("compose.yaml") or name == "trueup.yaml":
            continue  # no manifest
        problems = case.problems[name]
        if any(code == "limit" for _, code in problems):
            continue  # too much of it: aliases written out can fill any memory
        try:
            found = list(documents(text))
        except (yaml.YAMLError, ValueError, TypeError, RecursionError):
            continue  # not YAML, or too much of it: no editor gets as far as the schema
        for start, end, value in found:
            here = {code for line, code in problems if start <= line <= end}
            visible = {
                code
                for line, code in problems
                if start <= line <= end
                and (path.stem, line) not in BETWEEN_FIELDS
                and line not in LOOSER.get(path.stem, ())
            } & VISIBLE
            passes = validator.is_valid(value)
            if not here and not passes and path.stem not in UNREAD:
                error = jsonschema.exceptions.best_match(validator.iter_errors(value))
                yield f"{name}:{start}: refused, though nothing is wrong: {error.message}"
            if visible and passes:
                yield f"{name}:{start}: passes, in spite of {', '.join(sorted(visible))}"


def main():
    schema = yaml.safe_load(pathlib.Path(sys.argv[1]).read_text())
    tap = Tap()
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
        complaints = []
    except jsonschema.SchemaError as error:
        complaints = [error.message]
    tap.check("the schema is one of draft 2020-12", complaints)
    validator = jsonschema.Draft202012Validator(schema)
    for path in sorted(pathlib.Path(sys.argv[2]).glob("*.case")):
        tap.check(f"{path.stem}", list(judge_case(validator, path)))
    for name in sys.argv[3:]:
        errors = [
            f"{start}: {error.message}"
            for start, _, value in documents(pathlib.Path(name).read_text())
            for error in validator.iter_errors(value)
        ]
        tap.check(f"{name} passes", errors)
    print(f"1..{tap.count}")


main()
