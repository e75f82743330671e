#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Records a truth program and holds the report against the facts that the program printed (see truth.h)."""

import argparse
import json
import re
import subprocess
import sys
import tempfile

TOLERANCE_NS = 1_000_000
TOLERANCE = 0.02


def rows_of(report, section):
    if section == "pool.requests":
        return [dict(row, pid=pool["pid"]) for pool in report["pool"] for row in pool["requests"]]
    rows = report
    for key in section.split("."):
        rows = rows[key]
    return rows


def site_of(row):
    return (row.get("site") or row.get("called_from") or {}).get("function")


def selected(row, selectors):
    return all((site_of(row) if key == "site" else json.dumps(row.get(key)).strip('"')) == value
               for key, value in selectors.items())


def look_up(row, path):
    # A count of its own right ("count"), else into distributions ("delay.max_ns") and arrays ("worst.0.class").
    for part in path.split("."):
        row = row[int(part)] if isinstance(row, list) else row[part]
    return row


def show(value):
    return {True: "true", False: "false", None: "null"}.get(value, str(value)) if not isinstance(value, int) or \
        isinstance(value, bool) else str(value)


def agrees(found, expected, as_time):
    if expected[:2] in (">=", "<="):
        if found is None:
            return False
        limit = float(expected[2:])
        return found >= limit if expected[0] == ">" else found <= limit
    if as_time and isinstance(found, (int, float)):
        truth = float(expected)
        return abs(found - truth) <= max(TOLERANCE_NS, TOLERANCE * truth)
    return show(found) == expected


def trace_events(directory, name):
    text = subprocess.run(["babeltrace2", directory + "/ctf"], capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        if " uvscope:%s: " % name in line:
            yield dict(re.findall(r"(\w+) = ([^,} ]+)", line))


def check_event(report, directory, words):
    # As root, a session holds what others record at the same time too.
    pids = {process["pid"] for process in report["processes"]}
    name, *selectors, path, expected = words
    wanted = dict(word.split("=", 1) for word in selectors)
    found = [event[path] for event in trace_events(directory, name)
             if int(event["loop"]) >> 10 in pids and all(event.get(key) == value for key, value in wanted.items())]
    return found == [expected], found


def check_fact(report, directory, fact):
    section, *words = fact.split(" ")
    if section == "events":
        return check_event(report, directory, words)
    selectors = {}
    while words and "=" in words[0] and words[0][0] not in "<>":
        key, value = words.pop(0).split("=", 1)
        selectors[key] = value
    path, expected = words[0], " ".join(words[1:])
    matching = [row for row in rows_of(report, section) if selected(row, selectors)]
    if len(matching) != 1:
        return False, "%d rows match" % len(matching)
    try:
        found = look_up(matching[0], path)
    except (KeyError, IndexError, TypeError):
        return False, "no such path"
    return agrees(found, expected, path.endswith(("_ns", ".ns"))), found


def contradictions(report):
    """What must hold in every report: parts sum to their whole."""
    for victim in report["blame"]["victims"]:
        if sum(part["ns"] for part in victim["by"]) != victim["suffered_ns"]:
            yield "the parts of %s do not sum to what it suffered" % site_of(victim)
    for chain in report["chains"]:
        if sum(chain[part + "_ns"] for part in ("waiting", "queue", "service", "delayed", "running")) != chain["total_ns"]:
            yield "the parts of a chain do not sum to its time"


def check_run(options):
    """Whether all facts hold, of one run of the program; and, where not, whether only times are others."""
    with tempfile.TemporaryDirectory(prefix="uvscope-truth-") as scratch:
        directory = scratch + "/trace"
        run = subprocess.run([options.uvscope, "record", "--detail", options.detail, "-o", directory, "--",
                              *options.program], stdout=subprocess.PIPE, text=True, check=False)
        made = subprocess.run([options.uvscope, "report", directory, "--format", "json"], stdout=subprocess.PIPE,
                              text=True, check=False)
        if made.returncode != 0:
            sys.exit("uvscope report exited with %d" % made.returncode)
        report = json.loads(made.stdout)
        facts = [line[5:] for line in run.stdout.splitlines() if line.startswith("fact ")]
        wrong, times = 0, 0
        for fact in facts:
            good, found = check_fact(report, directory, fact)
            wrong += not good
            times += not good and bool(re.search("[_.]ns ", fact)) and isinstance(found, int)
            print("%s %s%s" % ("ok    " if good else "WRONG ", fact, "" if good else "   (report: %s)" % (found,)))
        for contradiction in contradictions(report):
            wrong += 1
            print("WRONG  " + contradiction)
        if run.returncode not in (0, 137):
            sys.exit("%s exited with %d" % (options.program[0], run.returncode))
        if not facts:
            sys.exit("the program stated no facts")
        if wrong:
            print(made.stdout)
            print("%d of %d facts are not in the report" % (wrong, len(facts)))
        return wrong == 0, wrong == times


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--uvscope", required=True)
    parser.add_argument("--detail", default="default")
    # A thread that is put aside between the program's reading of the clock and the runtime's makes them differ: what
    # is about times must hold in one run, all else in each.
    parser.add_argument("--runs", type=int, default=3, help="at most")
    parser.add_argument("program", nargs="+")
    options = parser.parse_args()
    for _ in range(options.runs):
        holds, only_times = check_run(options)
        if holds:
            return
        if not only_times:
            break
    sys.exit(1)


main()
