#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""timeline.py FILE...: holds timelines to what viewers of the Trace Event format need.

Perfetto and chrome://tracing leave out, or misplace without a word, what breaks these rules:
- a row (pid, tid) with slices has one name, and its process too;
- slices of a row lie beside or inside each other, and what begins ends;
- an arrow has one begin and one end, and at most one step between, in order, each inside a slice of its row;
- its id is a hexadecimal number;
- nothing is before 0.
"""
import json
import re
import sys
from collections import defaultdict
from decimal import Decimal

MEMBERS = {
    "M": {"args"},
    "X": {"ts", "dur", "cat"},
    "B": {"ts", "cat"},
    "E": {"ts", "cat"},
    "i": {"ts", "s", "cat"},
    "s": {"ts", "id", "cat"},
    "t": {"ts", "id", "cat"},
    "f": {"ts", "id", "cat"},
}


def members_and_names(events):
    names = set()
    for event in events:
        missing = ({"pid", "tid", "name"} | MEMBERS[event["ph"]]) - set(event)
        if missing:
            yield f"without {missing}: {event}"
        if any(not 0 <= event[key] < 2**31 for key in ("pid", "tid")) or event.get("ts", 0) < 0:
            yield f"no such place: {event}"
        if event["ph"] == "M":
            row = event["name"], event["pid"], event["tid"]
            if row in names:
                yield f"named twice: {row}"
            names.add(row)
    processes = {pid for what, pid, _ in names if what == "process_name"}
    for pid, tid in {(e["pid"], e["tid"]) for e in events if e["ph"] in "XB"}:
        if pid not in processes or ("thread_name", pid, tid) not in names:
            yield f"without a name: {pid}, {tid}"


def slices_of(events):
    """By row, [begin, end], in the file's order; and what is wrong with those that are two events."""
    rows, open_slices, wrong = defaultdict(list), defaultdict(list), []
    for event in events:
        row = event["pid"], event["tid"]
        if event["ph"] == "X":
            rows[row].append((event["ts"], event["ts"] + event["dur"]))
        elif event["ph"] == "B":
            open_slices[row].append(event)
        elif event["ph"] == "E":
            begin = open_slices[row].pop() if open_slices[row] else None
            if not begin or any(begin[key] != event[key] for key in ("name", "cat")):
                wrong.append(f"ends what did not begin: {event}")
            else:
                rows[row].append((begin["ts"], event["ts"]))
    wrong += [f"does not end: {event}" for row in open_slices.values() for event in row]
    return rows, wrong


def nesting(rows):
    for row, slices in rows.items():
        around = []
        for begin, end in sorted(slices, key=lambda s: (s[0], -s[1])):
            if end < begin:
                yield f"{row}: ends before it begins: {begin} {end}"
            while around and around[-1] <= begin:
                around.pop()
            if around and end > around[-1]:
                yield f"{row}: {begin} to {end} overlaps what ends at {around[-1]}"
            around.append(end)


def arrows(events, rows):
    ids = defaultdict(list)
    for event in events:
        if event["ph"] in "stf":
            ids[event["id"]].append(event)
    for name, parts in ids.items():
        if not re.fullmatch(r"(0x)?[0-9a-f]{1,16}", name):
            yield f"no hexadecimal number: {name}"
        parts.sort(key=lambda event: (event["ts"], "stf".index(event["ph"])))
        if "".join(event["ph"] for event in parts) not in ("sf", "stf"):
            yield f"not from begin to end: {parts}"
        for event in parts:
            if not any(begin <= event["ts"] <= end for begin, end in rows[event["pid"], event["tid"]]):
                yield f"in no slice: {event}"


def problems(name):
    with open(name, encoding="utf-8") as file:
        events = json.load(file, parse_float=Decimal)["traceEvents"]
    rows, wrong = slices_of(events)
    return [*members_and_names(events), *wrong, *nesting(rows), *arrows(events, rows)]


found = [f"{name}: {problem}" for name in sys.argv[1:] for problem in problems(name)]
if found:
    sys.exit("\n".join(found))
