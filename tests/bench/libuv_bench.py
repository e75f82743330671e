#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What recording costs libuv's own benchmarks: programs that do little else than callbacks.

    libuv_bench.py --build BUILD --benchmarks PATH/TO/run-benchmarks [--only NAME,...] [--rounds 3] [--limit 1800]

run-benchmarks is built from the `test` directory of libuv's sources and linked with the shared libuv. Each round runs
a benchmark plain, preloaded without a session, and recorded with every detail, one after the other. A benchmark's
speed is what it says itself; its processor time for an operation is that of its processes, its helpers' included.
Printed are medians over the rounds of the ratios to the same round's plain run, and what an operation costs more.
--limit: no benchmark is begun after so many seconds. Not as root: root's recordings share a daemon with others'.
"""
import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

WAYS = ("plain", "preloaded", "default", "lean")
# What a benchmark says of itself: operations done, and seconds; or operations in a second. Operations of one round trip
# or gigabit are not callbacks: only their ratios mean something.
NUMBER = r"([\d,.]+)"
BENCHMARKS = {
    "million_timers": (rf"{NUMBER} seconds total", lambda seconds: 10_000_000 / seconds, 10_000_000),
    "million_async": (rf"{NUMBER} async events in", lambda events: events / 5, None),
    "async_pummel_1": (rf"callbacks in {NUMBER} seconds", lambda seconds: 1_000_000 / seconds, 1_000_000),
    "queue_work": (rf"{NUMBER} async jobs in", lambda jobs: jobs / 5, None),
    "fs_stat": (rf"stats \(4 concurrent\): {NUMBER}s", lambda seconds: 100_000 / seconds, None),
    "tcp_pump1_client": (rf"tcp_pump1_client: {NUMBER} gbit/s", lambda gigabits: gigabits, None),
    "ping_pongs": (rf"ping_pongs: {NUMBER} roundtrips/s", lambda trips: trips, None),
}
FIXED_SECONDS = {"million_async": 5, "queue_work": 5, "ping_pongs": 5}


def run(name, way, options, trace):
    """(speed, CPU nanoseconds of an operation; None where nobody knows how many there were)"""
    prefix = [f"{options.build}/bin/uvscope", "record", "-q", "--detail", way, "-o", trace, "--"] \
        if way in ("default", "lean") else []
    preload = {"LD_PRELOAD": f"{options.build}/lib/libuvscope.so"} if way == "preloaded" else {}
    timed = ["bash", "-c", 'TIMEFORMAT="cpu %U %S"; time "$0" "$1"', options.benchmarks, name]
    # Its own limit of a minute is for machines that do nothing else.
    environment = {**os.environ, **preload, "UV_TEST_TIMEOUT_MULTIPLIER": "8"}
    done = subprocess.run([*prefix, *timed], env=environment, capture_output=True, text=True, timeout=600, check=False,
                          cwd=pathlib.Path(trace).parent)
    pattern, speed_of, operations = BENCHMARKS[name]
    said, cpu = re.search(pattern, done.stdout + done.stderr), re.search(r"cpu ([\d.]+) ([\d.]+)", done.stderr)
    if not said or not cpu:
        sys.exit(f"{name} ({way}) ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    speed = speed_of(float(said[1].replace(",", "")))
    operations = operations or (speed * FIXED_SECONDS[name] if name in FIXED_SECONDS else None)
    spent_ns = (float(cpu[1]) + float(cpu[2])) * 1e9
    return speed, spent_ns / operations if operations else None


def measure(name, options):
    rounds = []
    for number in range(options.rounds):
        with tempfile.TemporaryDirectory(prefix="uvscope-bench-") as place:
            ways = WAYS if number % 2 == 0 else tuple(reversed(WAYS))
            rounds.append({way: run(name, way, options, f"{place}/{way}") for way in ways})
    return rounds


def print_rows(name, rounds):
    for way in WAYS:
        speed = statistics.median(r[way][0] for r in rounds)
        ratio = statistics.median(r[way][0] / r["plain"][0] for r in rounds)
        more = "-"
        if rounds[0]["plain"][1]:
            more = f"{statistics.median(r[way][1] - r['plain'][1] for r in rounds):.0f}"
        print(f"{name:18}{way:11}{speed:14,.1f}{ratio:9.3f}{more:>14}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("--benchmarks", required=True, type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("--only", default=",".join(BENCHMARKS), help="names, separated by commas")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=1800, help="seconds")
    options = parser.parse_args()
    if os.geteuid() == 0:
        parser.error("run it as a normal user: root's recordings share one daemon, and would record each other")
    begun = time.monotonic()
    print(f"{'benchmark':18}{'run':11}{'its speed':>14}{'ratio':>9}{'CPU ns more':>14}")
    for name in options.only.split(","):
        if time.monotonic() - begun > options.limit:
            print(f"{name:18}not run: the time limit was reached")
        else:
            print_rows(name, measure(name, options))


if __name__ == "__main__":
    main()
