#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What recording costs a C program that does nothing but callbacks: its worst case.

    runtime_bench.py --build BUILD [--operations N] [--rounds R]

Each round runs the program plain, preloaded without a session, recorded with every detail, one after the
other. Printed are medians over the rounds, of processor time, which a busy machine changes least: an
operation's, the ratio to the plain run of the same round, what an operation costs more; and the bytes of an event in
the trace. Fails only when a run does.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

MODES = ("timers", "idle", "async", "fs_stat", "queue_work")
# What `record` is told in each; those without are not recorded.
WAYS = {
    "plain": None,
    "preloaded": None,
    "lean": ("--detail", "lean"),
    "stall off": ("--stall", "off"),
    "default": (),
    "full": ("--detail", "full"),
}


def command_of(way, build, trace):
    if WAYS[way] is None:
        return []
    return [f"{build}/bin/uvscope", "record", *WAYS[way], "-o", str(trace), "--"]


def environment_of(way, build):
    preload = {"LD_PRELOAD": f"{build}/lib/libuvscope.so"} if way == "preloaded" else {}
    return {**os.environ, **preload}


def run(way, mode, operations, build, trace):
    """Nanoseconds of processor time, an operation."""
    command = [*command_of(way, build, trace), f"{build}/tests/bench/bench_runtime", mode, str(operations)]
    done = subprocess.run(command, env=environment_of(way, build), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr}")
    finished, spent_ns = done.stdout.split()
    if int(finished) != operations:
        sys.exit(f"{' '.join(command)}: {finished} operations of {operations}")
    return float(spent_ns)


def bytes_per_event(build, trace):
    streams = [path for path in (trace / "ctf").rglob("*")
               if path.is_file() and path.name != "metadata" and path.parent.name != "index"]
    size = sum(path.stat().st_size for path in streams)
    read = subprocess.run([f"{build}/tests/bench/bench_reader", "auto", str(trace)], capture_output=True,
                          text=True, timeout=120, check=True)
    return size / int(read.stdout.split()[0])


def measure(mode, options, directory):
    spent = {way: [] for way in WAYS}
    size = {}
    for number in range(options.rounds):
        for way in WAYS:
            trace = pathlib.Path(directory) / f"{mode}-{way.replace(' ', '-')}-{number}"
            spent[way].append(run(way, mode, options.operations, options.build, trace))
            if trace.exists() and number == 0:
                size[way] = bytes_per_event(options.build, trace)
    return spent, size


def print_rows(mode, spent, size):
    for way in WAYS:
        pairs = list(zip(spent[way], spent["plain"]))
        ratio = statistics.median(b / a for a, b in pairs)
        more = statistics.median(a - b for a, b in pairs)
        bytes_shown = f"{size[way]:.1f}" if way in size else "-"
        print(f"{mode:12}{way:11}{statistics.median(spent[way]):10.0f}{ratio:12.2f}{more:12.0f}{bytes_shown:>13}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--operations", type=int, default=300000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(f"{'work':12}{'run':11}{'CPU ns':>10}{'speed':>12}{'ns more':>12}{'bytes/event':>13}")
    with tempfile.TemporaryDirectory(prefix="uvscope-bench-") as directory:
        for mode in MODES:
            print_rows(mode, *measure(mode, options, directory))
    return 0


if __name__ == "__main__":
    sys.exit(main())
