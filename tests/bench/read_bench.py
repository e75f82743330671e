#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What reading a trace costs, next to `babeltrace2 -o dummy` on the same trace, run after run in turn.

    read_bench.py --build BUILD [--events N] [--rounds R] [TRACE]

Without TRACE, one of N events is made. Prints ratios of user time; fails when a report differs between the
readers, never because of a time.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile


def run(command, output):
    """User + system seconds, and the largest resident set in MB."""
    with open(output, "w") as out:
        child = subprocess.Popen(command, stdout=out, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit status {child.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def without_reader(path):
    with open(path) as file:
        return re.sub(r'("reader": *)"[a-z0-9]+"', r'\1""', file.read())


def cases(build, trace):
    report = [f"{build}/bin/uvscope", "report", "--in-process", "--format", "json", "--reader"]
    return {
        "babeltrace2 -o dummy": ["babeltrace2", "-o", "dummy", trace],
        "report, babeltrace2": report + ["babeltrace2", trace],
        "report, fast": report + ["fast", trace],
        "decoding alone, fast": [f"{build}/tests/bench/bench_reader", "fast", trace],
    }


def measure(commands, rounds, directory):
    seconds = {name: [] for name in commands}
    memory = {name: 0 for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            spent, resident = run(command, f"{directory}/{name}.out")
            seconds[name].append(spent)
            memory[name] = max(memory[name], resident)
    return seconds, memory


def print_table(seconds, memory, events):
    base = seconds["babeltrace2 -o dummy"]
    print(f"{events} events; CPU time, medians of {len(base)} interleaved rounds")
    print(f"{'':24}{'ns/event':>10}{'speed of dummy':>16}{'memory MB':>11}")
    for name, values in seconds.items():
        ratio = statistics.median(b / max(v, 1e-3) for b, v in zip(base, values))
        print(f"{name:24}{statistics.median(values) / events * 1e9:10.1f}{ratio:15.2f}x{memory[name]:11.0f}")


def compare_reports(directory):
    slow, fast = (without_reader(f"{directory}/report, {name}.out") for name in ("babeltrace2", "fast"))
    if slow != fast:
        sys.exit("the readers' reports differ")
    return json.loads(slow)["trace"]["events"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--events", type=int, default=3000000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("trace", nargs="?")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="uvscope-bench-") as directory:
        trace = options.trace or f"{directory}/trace"
        if not options.trace:
            subprocess.run([f"{options.build}/tests/bench/make_trace", trace, str(options.events)], check=True)
        seconds, memory = measure(cases(options.build, trace), options.rounds, directory)
        events = compare_reports(directory)
        print_table(seconds, memory, events)
        with open(f"{directory}/decoding alone, fast.out") as file:
            read, spent_ns = map(int, file.read().split())
        print(f"decoding alone, without opening: {read / spent_ns * 1e3:.0f} M events/s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
