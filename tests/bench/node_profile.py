#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Which part of a recorded Node.js server's processor time is spent in the runtime, in LTTng and in the clock.

The servers of node_bench.py under its load, each sampled by perf: where what recording does by itself happens. What it
does to the caches is not in it. Not as root; the kernel's part is seen where kernel.perf_event_paranoid allows it.

    UVS_BUILD=build UVS_NODE=$(command -v node) tests/bench/node_profile.py [--seconds 8] [--rounds 3]
"""
import argparse
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

import node_bench

# What is counted as what: parts of the names of shared objects. The loader finds LTTng's thread-local variables.
PARTS = {"runtime": ("libuvscope.so",), "provider": ("libuvscope-provider",), "LTTng": ("liblttng", "ld-linux"),
         "clock": ("[vdso]",)}


def sampled(server, place, seconds):
    """{shared object: its percentage of the samples} while the server is loaded."""
    data = place / "perf"
    perf = subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-F", "4000", "-p", str(server.pid), "-o", data],
                            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1)
    server.measure(seconds)
    perf.send_signal(signal.SIGINT)
    perf.wait(timeout=60)
    report = subprocess.run(["perf", "report", "-i", data, "--no-children", "--sort", "dso"], text=True, check=True,
                            capture_output=True)
    return {name: float(share) for share, name in re.findall(r"^ +([0-9.]+)%  (.*\S)", report.stdout, re.MULTILINE)}


def parts_of(shares):
    return {part: sum(share for name, share in shares.items() if any(word in name for word in words))
            for part, words in PARTS.items()}


def profile(kind, mode, seconds):
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        (place / "server.js").write_text(node_bench.SERVER)
        (place / "data").write_bytes(b"x" * 1024)
        server = node_bench.Server(node_bench.MODES[mode], kind, place, place / "own")
        try:
            server.measure(2)  # until everything is compiled
            return parts_of(sampled(server, place, seconds))
        finally:
            server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="plain,lean,default", help="modes, separated by commas")
    options = parser.parse_args()
    node_bench.refuse_root(parser)
    if not shutil.which("perf"):
        parser.error("perf is not installed; it is in Debian's package linux-perf")
    modes = options.only.split(",")
    print(f"{'load':6} {'mode':8}" + "".join(f"{part:>10}" for part in PARTS) + f"{'all':>8}   % of the samples")
    for kind in ("hello", "files"):
        rounds = [{mode: profile(kind, mode, options.seconds) for mode in modes} for _ in range(options.rounds)]
        for mode in modes:
            parts = {part: statistics.median(r[mode][part] for r in rounds) for part in PARTS}
            print(f"{kind:6} {mode:8}" + "".join(f"{share:10.2f}" for share in parts.values()) +
                  f"{sum(parts.values()):8.2f}", flush=True)


if __name__ == "__main__":
    main()
