#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How much later a program starts when it is recorded, and how much of that is LTTng's own.

    start_bench.py --build BUILD [--node NODE] [--rounds 20]

Each round starts a program in every way, in turn; a start is the time until its first callback runs. With LTTng alone
the program has liblttng-ust preloaded and nothing of ours. The session that is there already records all events. `lttng`
by hand is what `uvscope record` does with other means: a daemon, a session, an event rule, and then the program.
Printed are medians of the elapsed milliseconds and of what each is more than the plain start of its round, and, for the
session and the command, what uvscope adds to LTTng.
"""
import argparse
import contextlib
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from normal_user import become_normal

NODE_SCRIPT = "setImmediate(() => console.log(process.hrtime.bigint().toString()))"


def started_ms(command, environment, begun_ns=None):
    """Milliseconds until the program's first callback, from now if not given."""
    begun_ns = begun_ns or time.monotonic_ns()
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stderr}")
    return (int(done.stdout.split()[0]) - begun_ns) / 1e6


@contextlib.contextmanager
def daemon(home):
    """An lttng-sessiond of our own, ready; its environment."""
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "LTTNG_HOME": str(home)}
    process = subprocess.Popen(["lttng-sessiond", "--no-kernel", "--quiet", "--sig-parent"], env=environment,
                               preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1}))
    try:
        if not signal.sigtimedwait({signal.SIGUSR1}, 30):
            sys.exit("lttng-sessiond does not say that it is ready")
        yield environment
    finally:
        process.terminate()
        process.wait()


def begin_session(environment, output):
    for arguments in (["create", "start", f"--output={output}"], ["enable-event", "--userspace", "--all"], ["start"]):
        subprocess.run(["lttng", *arguments], env=environment, stdout=subprocess.DEVNULL, check=True, timeout=30)


def preloading(library, environment):
    return {**environment, "LD_PRELOAD": library}


def by_hand(program, place):
    begun_ns = time.monotonic_ns()
    with daemon(place / "home") as environment:
        begin_session(environment, place / "trace")
        return started_ms(program, preloading("liblttng-ust.so.1", environment), begun_ns)


def measure_round(program, options, session):
    runtime = f"{options.build}/lib/libuvscope.so"
    with tempfile.TemporaryDirectory(prefix="uvscope-bench-") as name:
        place = pathlib.Path(name)
        record = [f"{options.build}/bin/uvscope", "record", "-q", "-o", place / "recording", "--", *program]
        return {
            "plain": started_ms(program, os.environ),
            "preloaded": started_ms(program, preloading(runtime, os.environ)),
            "LTTng in a session": started_ms(program, preloading("liblttng-ust.so.1", session)),
            "uvscope in a session": started_ms(program, preloading(runtime, session)),
            "lttng by hand": by_hand(program, place),
            "uvscope record": started_ms(record, os.environ),
        }


def print_rows(name, rounds):
    def median_of(figure):
        return statistics.median(map(figure, rounds))

    for way in rounds[0]:
        low, _, high = statistics.quantiles([r[way] for r in rounds], n=4) if len(rounds) > 1 else [rounds[0][way]] * 3
        print(f"{name:16}{way:22}{median_of(lambda r: r[way]):8.1f} ms {f'({low:.1f}..{high:.1f})':>18}"
              f"{median_of(lambda r: r[way] - r['plain']):10.1f} ms more", flush=True)
    for ours, theirs in (("uvscope in a session", "LTTng in a session"), ("uvscope record", "lttng by hand")):
        print(f"{name:16}{ours} - {theirs}: {median_of(lambda r: r[ours] - r[theirs]):.1f} ms", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("--node", help="start this Node.js too")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    become_normal(f"{options.build}/bin/uvscope")
    programs = {"first_callback": [f"{options.build}/tests/bench/first_callback"]}
    if options.node:
        programs["Node.js"] = [options.node, "-e", NODE_SCRIPT]
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    with tempfile.TemporaryDirectory(prefix="uvscope-bench-") as name, daemon(pathlib.Path(name) / "home") as session:
        begin_session(session, f"{name}/trace")
        for program, command in programs.items():
            print_rows(program, [measure_round(command, options, session) for _ in range(options.rounds)])


if __name__ == "__main__":
    main()
