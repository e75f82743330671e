#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What recording costs a Node.js server under load: throughput, and the server's CPU time for a request.

A server of each mode runs all the time, and one after the other is loaded for a moment, many times around. Each round's
ratios are to its own plain moment, so that a machine that is busy with something else troubles all alike. Printed are
the medians and quartiles of these ratios. The servers have one processor, the load another one, and LTTng's daemons run
where the system puts them. Not as root.

    UVS_BUILD=build UVS_NODE=$(command -v node) tests/bench/node_bench.py [--rounds 15] [--seconds 1]
"""
import argparse
import os
import pathlib
import re
import statistics
import subprocess
import tempfile

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

MODES = {
    "plain": lambda trace: ([], {}),
    "idle": lambda trace: ([], {"LD_PRELOAD": str(BUILD / "lib/libuvscope.so")}),
    "default": lambda trace: ([*RECORD, "-o", trace, "--"], {}),
    "lean": lambda trace: ([*RECORD, "--detail", "lean", "-o", trace, "--"], {}),
    "full": lambda trace: ([*RECORD, "--detail", "full", "-o", trace, "--"], {}),
}


def threads_of(pid):
    return pathlib.Path(f"/proc/{pid}/task").iterdir()


def cpu_seconds(pid):
    """Of all its threads, to the nanosecond: ticks of a hundredth of a second would be a percent of a moment."""
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads_of(pid)) / 1e9


def load(port, seconds):
    """Requests answered, and per second."""
    said = subprocess.run(["wrk", "-t1", "-c16", f"-d{seconds}s", f"http://127.0.0.1:{port}/"], check=True,
                          capture_output=True, text=True, preexec_fn=lambda: os.sched_setaffinity(0, LOAD)).stdout
    if "errors" in said or "Non-2xx" in said:
        raise RuntimeError(said)
    return int(re.search(r"(\d+) requests in", said)[1]), float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])


class Server:
    def __init__(self, mode, kind, place):
        prefix, variables = MODES[mode](place / mode)
        self.process = subprocess.Popen([*prefix, NODE, place / "server.js", kind, place / "data"], text=True,
                                        stdout=subprocess.PIPE, cwd=place, env={**os.environ, **variables})
        self.port, self.pid = map(int, self.process.stdout.readline().split())
        for thread in threads_of(self.pid): # not `record`, whose daemons would have to share the processor
            os.sched_setaffinity(int(thread.name), SERVERS)

    def measure(self, seconds):
        """(requests per second, CPU seconds of the server for each request)"""
        before = cpu_seconds(self.pid)
        requests, rate = load(self.port, seconds)
        return rate, (cpu_seconds(self.pid) - before) / requests

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        self.process.stdout.close()


def rounds_of(kind, count, seconds):
    """For each round {mode: what it measured}."""
    orders = [list(MODES), list(reversed(MODES))]  # what changes slowly meets all alike
    servers = {}
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        (place / "server.js").write_text(SERVER)
        (place / "data").write_bytes(b"x" * 1024)
        try:
            for mode in MODES:
                servers[mode] = Server(mode, kind, place)
                servers[mode].measure(2)  # until everything is compiled
            return [{mode: servers[mode].measure(seconds) for mode in orders[n % 2]} for n in range(count)]
        finally:
            for server in servers.values():
                server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=int, default=1)
    options = parser.parse_args()
    if os.geteuid() == 0:
        parser.error("run it as a normal user: root's recordings share one daemon, and would record each other")
    print(f"{'load':6} {'mode':8} {'throughput':>10} {'(quartiles)':>14} {'CPU/request':>12} {'(quartiles)':>14}")
    for kind in ("hello", "files"):
        rounds = rounds_of(kind, options.rounds, options.seconds)
        rate, cpu = (statistics.median(r["plain"][i] for r in rounds) for i in (0, 1))
        print(f"{kind:6} {'plain':8} {rate:8.0f}/s {'':14} {cpu * 1e6:9.1f} us")
        for mode in list(MODES)[1:]:
            cells = []
            for i in (0, 1):
                low, middle, high = statistics.quantiles((r[mode][i] / r["plain"][i] for r in rounds), n=4)
                cells += [f"{middle:.3f}", f"({low:.2f}..{high:.2f})"]
            print(f"{kind:6} {mode:8} {cells[0]:>10} {cells[1]:>14} {cells[2]:>12} {cells[3]:>14}", flush=True)


if __name__ == "__main__":
    main()
