#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What recording costs a Node.js server under load: throughput, and the server's CPU time for a request.

A server of each mode runs all the time, and one after the other is loaded for a moment, many times around, each time in
another order. Each round's ratios are to its own plain moment, so that a machine that is busy with something else
troubles all alike. Two processes of one program differ by a percent or two as long as they live, so all servers are
started several times. Printed are the medians over the starts, of the medians of each one's ratios, with the interval
that holds the true median in 95 of 100 such runs; and for the processor time also the ratio of the least disturbed
moments, the lower tenths: what neighbours do only adds to it. The servers have one processor, the load another one, and
LTTng's daemons run where the system puts them. Not as root.

    UVS_BUILD=build UVS_NODE=$(command -v node) tests/bench/node_bench.py [--starts 10] [--rounds 20]
"""
import argparse
import math
import os
import pathlib
import random
import re
import signal
import statistics
import subprocess
import tempfile
import time

BUILD = pathlib.Path(os.environ["UVS_BUILD"]).resolve()
NODE = os.environ["UVS_NODE"]
RECORD = [BUILD / "bin/uvscope", "record", "-q"]
PROCESSORS = sorted(os.sched_getaffinity(0))
SERVERS, LOAD = {PROCESSORS[0]}, {PROCESSORS[-1]}

SERVER = """
const fs = require('fs');
const answers = {
    hello: (response) => response.end('hello'),
    files: (response) => fs.readFile(process.argv[3], (error, data) => response.end(data)),
};
const answer = answers[process.argv[2]];
const server = require('http').createServer((request, response) => answer(response));
server.listen(0, '127.0.0.1', () => console.log(server.address().port, process.pid));
process.on('SIGTERM', () => process.exit(0));
"""

# What runs the script, with what is set in its environment beside; `place` is a directory of its own.
MODES = {
    "plain": lambda place: ([NODE], {}),
    "idle": lambda place: ([NODE], {"LD_PRELOAD": str(BUILD / "lib/libuvscope.so")}),
    "names": lambda place: ([NODE], {"NODE_OPTIONS": "--perf-basic-prof --interpreted-frames-native-stack"}),
    "lean": lambda place: ([*RECORD, "--detail", "lean", "-o", place / "trace", "--", NODE], {}),
    "default": lambda place: ([*RECORD, "-o", place / "trace", "--", NODE], {}),
    "no-js": lambda place: ([*RECORD, "--no-js", "-o", place / "trace", "--", NODE], {}),
    "full": lambda place: ([*RECORD, "--detail", "full", "-o", place / "trace", "--", NODE], {}),
}


def threads_of(pid):
    return pathlib.Path(f"/proc/{pid}/task").iterdir()


def load(port, pid, seconds):
    """Requests answered, in how many seconds, with how many of the server's processor."""
    done = subprocess.run([BUILD / "tests/bench/http_load", str(port), str(pid), str(round(seconds * 1000))],
                          capture_output=True, text=True, check=False,
                          preexec_fn=lambda: os.sched_setaffinity(0, LOAD))
    if done.returncode:
        raise RuntimeError(done.stderr)
    requests, wall, cpu = done.stdout.split()
    return int(requests), float(wall), float(cpu)


class Server:
    def __init__(self, command_of, kind, place, own_place):
        own_place.mkdir()
        command, variables = command_of(own_place)
        self.process = subprocess.Popen([*command, place / "server.js", kind, place / "data"], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=own_place,
                                        env={**os.environ, **variables})
        said = next((line for line in self.process.stdout if re.fullmatch(r"\d+ \d+\n", line)), None)
        if not said:
            raise RuntimeError("ended with status %d before it served" % self.process.wait())
        self.port, self.pid = map(int, said.split())
        for thread in threads_of(self.pid):  # not `record`, whose daemons would have to share the processor
            os.sched_setaffinity(int(thread.name), SERVERS)

    def measure(self, seconds):
        """(requests per second, CPU seconds of the server for each request)"""
        requests, wall, cpu = load(self.port, self.pid, seconds)
        return requests / wall, cpu / requests

    def stop(self):
        try:
            os.kill(self.pid, signal.SIGTERM)  # who runs it ends with it
        except ProcessLookupError:
            pass
        try:
            self.process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()


FAILURES = (OSError, RuntimeError, subprocess.SubprocessError)


def measure_round(servers, order, seconds, failed):
    """What each server that is still there measured; one that fails is out."""
    measured = {}
    for mode in order:
        try:
            measured[mode] = servers[mode].measure(seconds)
        except FAILURES as error:
            failed[mode] = str(error)
            servers.pop(mode).stop()
    return measured


def serve(kind, modes, place, servers):
    """Starts a server of each mode; {mode: why it does not run} of the others."""
    failed = {}
    for mode, command_of in modes.items():
        try:
            servers[mode] = Server(command_of, kind, place, place / mode.replace(" ", "-"))
            servers[mode].measure(2)  # until everything is compiled
        except FAILURES as error:
            failed[mode] = str(error)
            if mode in servers:
                servers.pop(mode).stop()
    return failed


def rounds_of(kind, count, seconds, modes=None, limit=None):
    """For each round {mode: what it measured}, and {mode: why it did not run}. No round begins after `limit` seconds."""
    begun = time.monotonic()
    servers, rounds = {}, []
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        (place / "server.js").write_text(SERVER)
        (place / "data").write_bytes(b"x" * 1024)
        try:
            failed = serve(kind, modes or MODES, place, servers)
            while len(rounds) < count and (not limit or len(rounds) < 2 or time.monotonic() - begun < limit):
                # What changes slowly meets all alike, and so does what the server before has left in the caches.
                rounds.append(measure_round(servers, random.sample(list(servers), len(servers)), seconds, failed))
            return rounds, failed
        finally:
            for server in servers.values():
                server.stop()


def starts_of(kind, starts, count, seconds, modes, limit):
    """Of each start of all servers its rounds, and {mode: why it did not run}; what does not run is not started again."""
    for _ in range(starts):
        rounds, failed = rounds_of(kind, count, seconds, modes, limit / starts)
        if "plain" in failed:
            raise SystemExit(f"plain: {failed['plain']}")
        modes = {mode: command_of for mode, command_of in modes.items() if mode not in failed}
        yield rounds, failed


def median_and_interval(values):
    """With 95 % the true median is in the interval, of whatever distribution; of fewer than six values there is none."""
    ordered = sorted(values)
    low = max(0, math.floor(len(ordered) / 2 - 0.98 * math.sqrt(len(ordered))))
    interval = f"({ordered[low]:.3f}..{ordered[-1 - low]:.3f})" if len(ordered) >= 6 else "-"
    return f"{statistics.median(ordered):.3f}", interval


def throughput(rounds, mode):
    return statistics.median(r[mode][0] / r["plain"][0] for r in rounds)


def processor_time(rounds, mode):
    return statistics.median(r[mode][1] / r["plain"][1] for r in rounds)


def least_disturbed(rounds, mode):
    own, plain = (statistics.quantiles((r[which][1] for r in rounds), n=10)[0] for which in (mode, "plain"))
    return own / plain


def print_heading(width=8):
    print(f"{'load':6} {'mode':{width}} {'throughput':>10} {'(interval)':>16} {'CPU/request':>12} {'(interval)':>16} "
          f"{'undisturbed':>12}")


def print_ratios(kind, starts, modes, width=8):
    rate, cpu = (statistics.median(r["plain"][i] for rounds in starts for r in rounds) for i in (0, 1))
    print(f"{kind:6} {'plain':{width}} {rate:8.0f}/s {'':16} {cpu * 1e6:9.1f} us   "
          f"{len(starts)} starts, {sum(map(len, starts))} rounds")
    for mode in modes:
        cells = []
        for figure in (throughput, processor_time):
            cells += median_and_interval(figure(rounds, mode) for rounds in starts)
        least = statistics.median(least_disturbed(rounds, mode) for rounds in starts)
        print(f"{kind:6} {mode:{width}} {cells[0]:>10} {cells[1]:>16} {cells[2]:>12} {cells[3]:>16} {least:12.3f}",
              flush=True)


def refuse_root(parser):
    if os.geteuid() == 0:
        parser.error("run it as a normal user: root's recordings share one daemon, and would record each other")


def add_arguments(parser, starts, rounds):
    parser.add_argument("--starts", type=int, default=starts, help="of all servers")
    parser.add_argument("--rounds", type=int, default=rounds, help="of each start")
    parser.add_argument("--milliseconds", type=int, default=250, help="of a moment")
    parser.add_argument("--limit", type=float, default=1200, help="seconds, of which each start has its share")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser, starts=10, rounds=20)
    parser.add_argument("--only", default=",".join(MODES), help="modes, separated by commas")
    parser.add_argument("--load", default="hello,files", help="what the servers answer, separated by commas")
    options = parser.parse_args()
    refuse_root(parser)
    print_heading()
    kinds = options.load.split(",")
    modes = {"plain": MODES["plain"], **{mode: MODES[mode] for mode in options.only.split(",")}}
    for kind in kinds:
        starts = []
        for rounds, failed in starts_of(kind, options.starts, options.rounds, options.milliseconds / 1000, modes,
                                        options.limit / len(kinds)):
            if failed:
                parser.exit(1, "".join(f"{mode}: {why}\n" for mode, why in failed.items()))
            starts.append(rounds)
        print_ratios(kind, starts, list(modes)[1:])


if __name__ == "__main__":
    main()
