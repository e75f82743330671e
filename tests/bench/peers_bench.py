#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What others cost that a user of Node.js would run instead: the same servers, the same load, side by side.

    UVS_BUILD=build UVS_NODE=$(command -v node) tests/bench/peers_bench.py [--peers DIR] [--starts 6] [--rounds 10]

DIR is where npm installed what there is of the packages `0x`, `blocked-at` and `clinic` (npm install --prefix DIR …);
strace, perf and uftrace are taken from the path. What is not there, or does not run here, is said. Measured as
node_bench.py does it: a server of each all the time, loaded in turn, ratios to the plain server of the same round. A
peer's own processes count in the throughput, and not in the CPU time of the server. Not as root.
"""
import argparse
import os
import pathlib
import shutil

import node_bench
from node_bench import MODES, NODE

SCRIPTS = {
    "async_hooks": "require('async_hooks').createHook({init() {}, before() {}, after() {}, destroy() {}}).enable();",
    "loop_delay": "require('perf_hooks').monitorEventLoopDelay({resolution: 10}).enable();",
    "blocked-at": "require(%r)(() => {}, {threshold: 50});",
}


def with_script(name, *arguments):
    def command_of(place):
        (place / "hook.js").write_text(SCRIPTS[name] % arguments if arguments else SCRIPTS[name])
        return [NODE, "-r", place / "hook.js"], {}
    return command_of


def through(*command, **variables):
    """PLACE stands for the directory of its own."""
    return lambda place: ([str(word).replace("PLACE", str(place)) for word in command], variables)


def on_path(name):
    return None if shutil.which(name) else f"{name} is not installed"


def in_directory(options, name):
    if options.peers and (options.peers / "node_modules" / name).exists():
        return None
    return f"the package {name} is not in the --peers directory"


def peers(options):
    """{name: (why it cannot run or None, how it runs)}"""
    modules = (options.peers or pathlib.Path("/nowhere")) / "node_modules"
    clinic = modules / ".bin/clinic"
    return {
        "cpu-prof": (None, through(NODE, "--cpu-prof", "--cpu-prof-dir=PLACE")),
        "trace-events": (None, through(NODE, "--trace-event-categories", "node.async_hooks")),
        "async_hooks": (None, with_script("async_hooks")),
        "loop_delay": (None, with_script("loop_delay")),
        "blocked-at": (in_directory(options, "blocked-at"), with_script("blocked-at", str(modules / "blocked-at"))),
        "clinic doctor": (in_directory(options, "clinic"),
                          through(clinic, "doctor", "--collect-only", "--dest=PLACE", "--", NODE, NO_INSIGHT="true")),
        "clinic bubbleprof": (in_directory(options, "clinic"),
                              through(clinic, "bubbleprof", "--collect-only", "--dest=PLACE", "--", NODE,
                                      NO_INSIGHT="true")),
        "0x": (in_directory(options, "0x"),
               through(modules / ".bin/0x", "--collect-only", "--output-dir=PLACE/out", "--", NODE)),
        "strace": (on_path("strace"), through("strace", "-f", "-c", "-o", "PLACE/counts", NODE)),
        "perf": (on_path("perf"), through("perf", "record", "-q", "-e", "cpu-clock", "-F", "99", "-g", "-o", "PLACE/data",
                                          NODE, "--perf-basic-prof")),
        "uftrace": (on_path("uftrace"), through("uftrace", "record", "--force", "-d", "PLACE/data", NODE)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=lambda path: pathlib.Path(path).resolve(), help="where npm installed packages")
    node_bench.add_arguments(parser, starts=6, rounds=10)
    parser.add_argument("--only", help="names of peers, separated by commas")
    options = parser.parse_args()
    node_bench.refuse_root(parser)
    found = peers(options)
    if options.only:
        found = {name: found[name] for name in options.only.split(",")}
    missing = {name: why for name, (why, _) in found.items() if why}
    modes = {name: MODES[name] for name in ("plain", "idle", "lean", "default")}
    modes.update({name: command_of for name, (why, command_of) in found.items() if not why})
    node_bench.print_heading(17)
    for kind in ("hello", "files"):
        starts, failed = [], {}
        for rounds, failed_now in node_bench.starts_of(kind, options.starts, options.rounds,
                                                       options.milliseconds / 1000, modes, options.limit / 2):
            starts.append(rounds)
            failed.update(failed_now)
        node_bench.print_ratios(kind, starts, [mode for mode in modes if mode != "plain" and mode not in failed], 17)
        for name, why in {**missing, **failed}.items():
            print(f"{kind:6} {name:17} not run: {why}")


if __name__ == "__main__":
    main()
