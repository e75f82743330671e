#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What reading a trace costs, next to `babeltrace2 -o dummy` on the same trace, run after run in turn.

    read_bench.py --build BUILD [--events N] [--rounds R] [TRACE]
    read_bench.py --build BUILD --linear N[,N…]
    read_bench.py --build BUILD --windows N[,N…]
    read_bench.py --build BUILD --instructions N

Without TRACE, one of N events is made. Prints processor time and, since a report takes two to four threads, elapsed
time, which is worth nothing where others use the machine; both as ratios to the dummy's. --linear reads traces
of several lengths with the fast reader and prints what an event costs in each. --windows reads of such traces, with
100,000 events a second, a second in the middle, and prints what that costs. --instructions counts, under callgrind,
what each thread of a report executes for an event: the difference between N events and twice as many. Fails when a report differs
between the readers, never because of a time.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time


def run(command, output):
    """User + system seconds, elapsed ones, and the largest resident set in MB."""
    with open(output, "w") as out:
        begin = time.monotonic()
        child = subprocess.Popen(command, stdout=out, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        elapsed = time.monotonic() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit status {child.returncode}")
    return usage.ru_utime + usage.ru_stime, elapsed, usage.ru_maxrss / 1024


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
    seconds = {name: ([], []) for name in commands}  # of the processors; elapsed
    memory = {name: 0 for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            spent, elapsed, resident = run(command, f"{directory}/{name}.out")
            seconds[name][0].append(spent)
            seconds[name][1].append(elapsed)
            memory[name] = max(memory[name], resident)
    return seconds, memory


def print_table(seconds, memory, events):
    base = seconds["babeltrace2 -o dummy"]
    print(f"{events} events; medians of {len(base[0])} interleaved rounds")
    print(f"{'':24}{'CPU ns/event':>13}{'speed of dummy':>16}{'elapsed':>9}{'speed of dummy':>16}{'memory MB':>11}")
    for name, measured in seconds.items():
        line = f"{name:24}"
        for column, width in ((0, 13), (1, 9)):
            ratio = statistics.median(b / max(v, 1e-3) for b, v in zip(base[column], measured[column]))
            line += f"{statistics.median(measured[column]) / events * 1e9:{width}.1f}{ratio:15.2f}x"
        print(f"{line}{memory[name]:11.0f}")


def print_lengths(build, lengths, directory):
    print(f"{'events':>12}{'CPU ns/event':>14}{'memory MB':>11}")
    for length in lengths:
        trace = f"{directory}/trace"
        subprocess.run([f"{build}/tests/bench/make_trace", trace, str(length)], check=True)
        command = cases(build, trace)["report, fast"]
        spent, _, resident = run(command, os.devnull)
        print(f"{length:12}{spent / length * 1e9:14.1f}{resident:11.0f}", flush=True)
        shutil.rmtree(trace)


def count_instructions(build, events, directory):
    """By thread, in the order in which they were started."""
    trace, counts = f"{directory}/trace", f"{directory}/callgrind"
    subprocess.run([f"{build}/tests/bench/make_trace", trace, str(events)], check=True)
    run(["valgrind", "-q", "--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={counts}",
         *cases(build, trace)["report, fast"]], os.devnull)
    shutil.rmtree(trace)
    threads = sorted(name for name in os.listdir(directory) if name.startswith("callgrind-"))
    texts = [pathlib.Path(directory, name).read_text(encoding="utf-8") for name in threads]
    for name in threads:
        os.remove(f"{directory}/{name}")
    return [int(re.findall(r"^(?:totals|summary): (\d+)", text, re.M)[-1]) for text in texts]


def print_instructions(build, events, directory):
    once, twice = (count_instructions(build, number, directory) for number in (events, 2 * events))
    # What they do beside is what no thread has: the analyses by type, and without a thread of their own the chains.
    threads = {2: ["decodes, builds spans, …", "blame, …"],
               3: ["builds spans, …", "decodes", "blame, …"],
               4: ["builds spans, …", "decodes", "chains, …", "blame, …"]}[len(once)]
    each = [(second - first) / events for first, second in zip(once, twice)]
    for thread, instructions in zip([*threads, "all"], [*each, sum(each)]):
        print(f"{thread:29}{instructions:8.0f} instructions an event")


def print_windows(build, lengths, directory):
    print(f"{'events':>12}{'':>9}{'CPU s':>8}{'elapsed s':>11}{'memory MB':>11}{'printed MB':>12}")
    for length in lengths:
        trace, output = f"{directory}/trace", f"{directory}/output"
        subprocess.run([f"{build}/tests/bench/make_trace", trace, str(length), "10000"], check=True)
        middle = length // 200000
        commands = {"report": cases(build, trace)["report, fast"],
                    "export": [f"{build}/bin/uvscope", "export", "--to", "ndjson", trace]}
        for name, command in commands.items():
            spent, elapsed, resident = run(command + ["--from", f"{middle}s", "--until", f"{middle + 1}s"], output)
            printed = os.path.getsize(output) / 1e6
            print(f"{length:12}{name:>9}{spent:8.2f}{elapsed:11.2f}{resident:11.0f}{printed:12.1f}", flush=True)
        shutil.rmtree(trace)


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
    parser.add_argument("--linear", help="numbers of events, separated by commas")
    parser.add_argument("--windows", help="likewise")
    parser.add_argument("--instructions", type=int, help="of a report of so many events")
    parser.add_argument("trace", nargs="?")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="uvscope-bench-") as directory:
        if options.linear:
            print_lengths(options.build, [int(length) for length in options.linear.split(",")], directory)
            return 0
        if options.instructions:
            print_instructions(options.build, options.instructions, directory)
            return 0
        if options.windows:
            print_windows(options.build, [int(length) for length in options.windows.split(",")], directory)
            return 0
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
