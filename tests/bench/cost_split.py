#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Where the instructions go that recording adds to a callback.

    cost_split.py --build BUILD [--operations N] [--only timers,async,...]

Runs bench_runtime under callgrind, plain, preloaded without a session, and recorded with each detail, for N operations
and for twice as many: the difference is what N operations take, without the start. Instructions are counted, not time:
the figures are the same on a busy machine. They are told apart by where they are executed: the program and libuv, the
runtime's hooks and state, reading the clock, and LTTng with the provider. Under valgrind there is no vDSO, so a clock's
reading is a system call there: what is counted is the call, not the reading.
"""
import argparse
import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile

MODES = ("timers", "idle", "async", "fs_stat", "queue_work")
WAYS = ("plain", "preloaded", "default", "full", "lean")
PARTS = ("program", "runtime", "clock", "LTTng")


def part_of(objects, function):
    if "clock_gettime" in function:
        return "clock"
    if "libuvscope-provider" in objects or "lttng" in objects or "urcu" in objects:
        return "LTTng"
    return "runtime" if "libuvscope" in objects else "program"


def instructions(profile):
    """{part: instructions executed in it}; callgrind's names are "(number) name" once, then "(number)"."""
    found, names = collections.Counter(), {"ob": {}, "fn": {}}
    current = {"ob": "", "fn": ""}
    is_call = False
    for line in profile.read_text().splitlines():
        said = re.match(r"(ob|fn)=\((\d+)\)(?: (.*))?$", line)
        named = re.match(r"c(ob|fn)=\((\d+)\) (.*)$", line)
        if said:
            table = names[said[1]]
            if said[3]:
                table[said[2]] = said[3]
            current[said[1]] = table.get(said[2], "")
        elif named:
            names[named[1]][named[2]] = named[3]
        elif line.startswith("calls="):
            is_call = True
        elif re.match(r"[+\-*\d]", line):
            if not is_call: # a call's line holds what the callee took
                found[part_of(current["ob"], current["fn"])] += int(line.split()[-1])
            is_call = False
    return found


def run(way, mode, operations, build, place):
    record = [f"{build}/bin/uvscope", "record", "-q", "--stall", "off", "--detail", way, "-o", f"{place}/trace", "--"]
    preload = {"LD_PRELOAD": f"{build}/lib/libuvscope.so"} if way == "preloaded" else {}
    command = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={place}/profile.%p",
               f"{build}/tests/bench/bench_runtime", mode, str(operations)]
    done = subprocess.run([*(record if way not in ("plain", "preloaded") else []), *command], text=True,
                          env={**os.environ, **preload}, capture_output=True, timeout=300, check=False)
    if done.returncode != 0:
        sys.exit(f"{mode} ({way}): exit status {done.returncode}\n{done.stderr}")
    return instructions(max(pathlib.Path(place).glob("profile.*"), key=lambda path: path.stat().st_size))


def split(way, mode, options):
    counts = []
    for operations in (options.operations, 2 * options.operations):
        with tempfile.TemporaryDirectory(prefix="uvscope-bench-") as place:
            counts.append(run(way, mode, operations, options.build, place))
    return {part: (counts[1][part] - counts[0][part]) / options.operations for part in PARTS}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("--operations", type=int, default=5000)
    parser.add_argument("--only", default=",".join(MODES), help="works, separated by commas")
    options = parser.parse_args()
    print(f"{'work':12}{'run':11}" + "".join(f"{part:>10}" for part in PARTS) + f"{'sum':>10}")
    for mode in options.only.split(","):
        for way in WAYS:
            parts = split(way, mode, options)
            print(f"{mode:12}{way:11}" + "".join(f"{parts[part]:10.0f}" for part in PARTS) +
                  f"{sum(parts.values()):10.0f}", flush=True)


if __name__ == "__main__":
    main()
