#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Damages traces, or makes up event logs, and holds the commands that read them to their promise, the worker and libbabeltrace2 included:
it ends in time, with a result or with 4 and a reason, in little memory, and leaves no process and no file behind."""

import argparse
import ctypes
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from wild_log import Wild, read_events

PR_SET_CHILD_SUBREAPER = 36
READERS = ("auto", "babeltrace2", "fast")
# And their statuses beside 4.
COMMANDS = [
    *((("report", "--format", form), (0,)) for form in ("json", "text", "html", "markdown", "csv")),
    *((("export", "--to", form, "-o", "-"), (0,)) for form in ("chrome", "ndjson", "openmetrics", "folded")),
    (("check", "--rule", "loop.block.max < 50ms", "--rule", "loss.events == 0 or none"), (0, 1)),
]


def flip(data, rng):
    for _ in range(rng.choice((1, 1, 3, 20))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def flip_header(data, rng):
    at = rng.randrange(len(data)) & ~4095
    for _ in range(rng.choice((1, 2, 8))):
        data[min(at + rng.randrange(84), len(data) - 1)] = rng.choice((0, 1, 0x7f, 0x80, 0xff, rng.randrange(256)))


def cut(data, rng):
    del data[rng.randrange(len(data)):]


def repeat(data, rng):
    begin, end = sorted(rng.randrange(len(data)) for _ in range(2))
    data[end:end] = data[begin:begin + rng.randrange(1, 65536)]


def overwrite(data, rng):
    begin = rng.randrange(len(data))
    data[begin:begin + rng.randrange(1, 5000)] = bytes(rng.choice((0, 0xff)) for _ in range(1)) * rng.randrange(1, 5000)


def swap(data, rng):
    packets = [data[at:at + 4096] for at in range(0, len(data), 4096)]
    rng.shuffle(packets)
    data[:] = b"".join(packets)


DAMAGES = (flip, flip_header, cut, repeat, overwrite, swap)


def damage(trace, rng):
    """Returns what was done."""
    files = sorted(path for path in trace.rglob("*") if path.is_file() and path.stat().st_size)
    done = []
    for _ in range(rng.choice((1, 1, 2, 4))):
        path = rng.choice(files)
        data = bytearray(path.read_bytes())
        if not data:
            continue
        how = rng.choice(DAMAGES)
        how(data, rng)
        path.write_bytes(data)
        done.append(f"{how.__name__} {path.relative_to(trace)}")
    return ", ".join(done)


class Failure(Exception):
    pass


def run(command, limits, environment):
    """Exit status, stdout, stderr; the memory is that of the command and of those it waited for."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=environment)
        deadline = time.monotonic() + limits.seconds
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
                os.kill(child.pid, signal.SIGTERM)
                os.wait4(child.pid, 0)
                raise Failure(f"not done after {limits.seconds} s")
            time.sleep(0.002)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if usage.ru_maxrss > limits.mebibytes << 10:
            raise Failure(f"{usage.ru_maxrss >> 10} MiB of memory")
        return child.returncode, out.read(), err.read()


def nothing_left(temporary):
    # Orphans would be this process's children now.
    try:
        while True:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            raise Failure("a process is left behind" if pid == 0 else "a process outlived the command")
    except ChildProcessError:
        pass
    left = os.listdir(temporary)
    if left:
        raise Failure(f"files are left behind: {left}")


def check(arguments, statuses, limits, environment, trace):
    status, out, err = run([limits.uvscope, *arguments, trace], limits, environment)
    nothing_left(environment["TMPDIR"])
    if status not in (*statuses, 4):
        raise Failure(f"exit status {status}: {err.decode(errors='replace')}")
    if status == 4 and not err.strip():
        raise Failure("failed without a word")
    if "json" in arguments and out and json.loads(out)["trace"]["incomplete"] is None and status == 4:
        raise Failure("a partial report does not say what is missing")
    if status != 4 and not out and "folded" not in arguments:
        raise Failure("neither a result nor an error")
    return "all" if status != 4 else "in part" if out else "not"


def copy_damaged(source, trace, rng):
    shutil.rmtree(trace, ignore_errors=True)
    shutil.copytree(source, trace)
    return f"{source.name}: {damage(trace, rng)}"


def keep(trace, place):
    place.parent.mkdir(parents=True, exist_ok=True)
    (shutil.copytree if trace.is_dir() else shutil.copy)(trace, place)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uvscope", required=True)
    parser.add_argument("--seconds", type=float, default=30, help="for each report; what takes longer hangs")
    parser.add_argument("--mebibytes", type=int, default=512, help="for each report")
    parser.add_argument("--count", type=int, default=1000, help="damaged traces")
    parser.add_argument("--seed", type=int, default=1, help="of the first; each has its own")
    parser.add_argument("--keep", type=pathlib.Path, help="where traces go that break the promise")
    parser.add_argument("traces", type=pathlib.Path, nargs="*", help="to damage; without, event logs are made up")
    limits = parser.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    results, failures, events = {}, 0, read_events()
    with tempfile.TemporaryDirectory(prefix="uvs-damage-") as place:
        temporary = pathlib.Path(place, "tmp")
        temporary.mkdir()
        environment = dict(os.environ, TMPDIR=str(temporary))
        for seed in range(limits.seed, limits.seed + limits.count):
            rng = random.Random(seed)
            trace = pathlib.Path(place, "trace" if limits.traces else "wild.events")
            if limits.traces:
                what = copy_damaged(limits.traces[seed % len(limits.traces)], trace, rng)
            else:
                what = "a made-up log"
                trace.write_text(Wild(rng, events).log(), encoding="utf-8")
            arguments, statuses = rng.choice(COMMANDS)
            if limits.traces and arguments[0] != "export":  # it reads as auto
                arguments = (*arguments, "--reader", rng.choice(READERS))
            try:
                how = check(arguments, statuses, limits, environment, str(trace))
                results[how] = results.get(how, 0) + 1
            except Failure as failure:
                failures += 1
                print(f"seed {seed}, {what}; {' '.join(arguments)}: {failure}", file=sys.stderr)
                if limits.keep:
                    keep(trace, limits.keep / f"seed-{seed}{trace.suffix}")
    print("read " + ", ".join(f"{how}: {count}" for how, count in sorted(results.items())))
    return 1 if failures else 0


sys.exit(main())
