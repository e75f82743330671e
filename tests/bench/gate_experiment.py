#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Does the gate cry wolf, and does it bark? Pairs of sides of the same Node.js program are recorded, and a third side with
two regressions planted: a callback of fs.stat that computes 20 % longer than its 5 ms, and one more readFileSync for each
request. Each pair's old side becomes a baseline, against which `uvscope check` judges the new one and the planted one.

The runs of a pair's sides alternate, as docs/ci.md advises where times are compared. `--lanes` pairs are recorded at the same
time, so that the machine is loaded, with `--hogs` processes beside them that do nothing but compute. Not as root.

    UVS_BUILD=build UVS_NODE=$(command -v node) tests/bench/gate_experiment.py [--pairs 50] [--runs 5] [--lanes 2]
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(os.environ["UVS_BUILD"]).resolve()
NODE = os.environ["UVS_NODE"]
LOAD = pathlib.Path(__file__).with_name("gate_load.js").resolve()
UVSCOPE = BUILD / "bin/uvscope"
REQUESTS, TICKS, PLANTED_PERCENT = 40, 60, 20

# side: how much longer its callback computes, and the files that it reads for each request.
SIDES = {"old": (0, 1), "new": (0, 1), "planted": (PLANTED_PERCENT, 2)}


def record(place, side, number, rounds):
    percent, files = SIDES[side]
    trace = place / side / f"run-{number}"
    if (trace / "uvscope.json").exists():
        return
    trace.parent.mkdir(exist_ok=True)
    work = [NODE, LOAD, REQUESTS, TICKS, rounds * (100 + percent) // 100, files]
    subprocess.run([UVSCOPE, "record", "-q", "-o", trace, "--", *map(str, work)], check=True)


def record_pair(place, runs, rounds):
    place.mkdir(exist_ok=True)
    for number in range(1, runs + 1):
        for side in SIDES:
            record(place, side, number, rounds)
    return place


def check(trace, *arguments):
    done = subprocess.run([UVSCOPE, "check", trace, "--format", "json", *arguments], capture_output=True, text=True)
    if done.returncode > 1 or not done.stdout:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def violations(place, side):
    """The metrics and functions that check calls worse than the old side's."""
    said = check(place / side, "--baseline", place / "baseline.json")
    return [(row["metric"], row["who"]) for row in said["baseline"]["changes"]
            if row["verdict"] == "worse" and row["gated"]]


def judge(place):
    (place / "baseline.json").unlink(missing_ok=True)
    check(place / "old", "--baseline", place / "baseline.json", "--update-baseline", "--rule", "loss.events == 0")
    return {side: violations(place, side) for side in ("new", "planted")}


def is_callback(row):
    return row[0].startswith("callback.duration") and row[1].startswith("fs.stat ")


def is_extra_read(row):
    return row[0] == "sync_call.count" and row[1].startswith("fs.open ")


def count(judged):
    counts = collections.Counter()
    for pair in judged:
        exact = [row for row in pair["new"] if row[0].endswith(".count")]
        counts["false alarms"] += bool(pair["new"])
        counts["false alarms of counts"] += bool(exact)
        counts["slower callback caught"] += any(map(is_callback, pair["planted"]))
        counts["extra readFileSync caught"] += any(map(is_extra_read, pair["planted"]))
    return counts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=50)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--lanes", type=int, default=2)
    parser.add_argument("--hogs", type=int, default=1)
    parser.add_argument("--place", type=pathlib.Path, help="keep the traces here, and go on with those that are there")
    parser.add_argument("--counts-only", action="store_true",
                        help="fail where a count is a false alarm or an extra call is missed; times are only printed")
    arguments = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary, concurrent.futures.ThreadPoolExecutor(arguments.lanes) as lanes:
        root = arguments.place or pathlib.Path(temporary)
        root.mkdir(exist_ok=True)
        rounds = int(subprocess.run([NODE, LOAD, "calibrate"], check=True, capture_output=True, text=True).stdout)
        hogs = [subprocess.Popen([NODE, "-e", "for (;;);"]) for _ in range(arguments.hogs)]
        try:
            pairs = list(lanes.map(lambda i: record_pair(root / f"pair-{i}", arguments.runs, rounds), range(arguments.pairs)))
        finally:
            for hog in hogs:
                hog.kill()
                hog.wait()
        seconds = time.monotonic() - begun
        judged = list(lanes.map(judge, pairs))
    counts = count(judged)
    print(f"{arguments.pairs} pairs of {arguments.runs} runs a side, recorded in {seconds:.0f} s; "
          f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    for what in ("false alarms", "false alarms of counts", "slower callback caught", "extra readFileSync caught"):
        print(f"{what:28} {counts[what]:3} of {arguments.pairs}")
    for pair, verdicts in zip(pairs, judged):
        for row in verdicts["new"]:
            print(f"  false alarm in {pair.name}: {' '.join(row)}")
    exact = counts["extra readFileSync caught"] == arguments.pairs and not counts["false alarms of counts"]
    sys.exit(0 if exact or not arguments.counts_only else 1)


if __name__ == "__main__":
    main()
