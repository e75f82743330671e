#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""docs/report.schema.json is a strict schema, and the reports given as arguments are valid.

usage: test_schema.py REPORT...

A golden file that expects an error instead of a report is passed over.
"""
import copy
import json
import pathlib
import sys

import jsonschema

SCHEMA = json.loads((pathlib.Path(__file__).resolve().parents[2] / "docs/report.schema.json").read_text("utf-8"))


def objects(node, path=()):
    """Every object in a document, with its path."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    if isinstance(node, dict):
        yield path
    for key, child in children:
        yield from objects(child, path + (key,))


def at(document, path):
    for key in path:
        document = document[key]
    return document


def damaged(report, seen):
    """The report with one key more, or one less, in each of its objects. Rows of one list have one schema: one of them, over
    all reports, is enough. `seen` holds which were."""
    for path in objects(report):
        shape = tuple("*" if isinstance(key, int) else key for key in path)
        if shape in seen:
            continue
        seen.add(shape)
        more = copy.deepcopy(report)
        at(more, path)["not_written_down"] = 0
        yield "one key more", path, more
        if path[-1:] == ("where",):
            continue
        for key in at(report, path):
            less = copy.deepcopy(report)
            del at(less, path)[key]
            yield f"no {key}", path, less


def main(files):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    documents = {name: json.loads(pathlib.Path(name).read_text("utf-8")) for name in files}
    reports = {name: document for name, document in documents.items() if "error" not in document}
    failed, seen = not reports, set()
    for name, report in reports.items():
        for error in validator.iter_errors(report):
            failed = True
            print(f"{name}: {'/'.join(map(str, error.absolute_path))}: {error.message}")
        for what, path, document in damaged(report, seen):
            if validator.is_valid(document):
                failed = True
                print(f"{name}: {'/'.join(map(str, path))}: valid with {what}")
    print(f"{len(reports)} reports:", "FAILED" if failed else "ok")
    return failed


sys.exit(main(sys.argv[1:]))
