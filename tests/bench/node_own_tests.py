#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Node.js's own tests, plain, preloaded and recorded: does any of them end otherwise?

Needs Node's source of the same version as the executable; `apt-get source nodejs` has one. Not as root. Takes a second and
a half for each test.

    UVS_BUILD=build UVS_NODE=$(command -v node) tests/bench/node_own_tests.py SOURCE ['timers|worker']
"""
import argparse
import os
import pathlib
import re
import signal
import subprocess
import tempfile

BUILD = pathlib.Path(os.environ["UVS_BUILD"]).resolve()
NODE = os.environ["UVS_NODE"]
PATIENCE_S = 90
TOPICS = "timers|fs|net|http|child-process|worker"
MODES = {
    "plain": lambda trace: ([], {}),
    "preloaded": lambda trace: ([], {"LD_PRELOAD": str(BUILD / "lib/libuvscope.so")}),
    "recorded": lambda trace: ([BUILD / "bin/uvscope", "record", "-q", "-o", trace, "--"], {}),
    "recorded --no-js": lambda trace: ([BUILD / "bin/uvscope", "record", "-q", "--no-js", "-o", trace, "--"], {}),
}


def flags_of(test):
    return " ".join(re.findall(r"^// Flags: (.*)$", test.read_text(errors="replace"), re.MULTILINE)).split()


def status_of(test, mode, source):
    with tempfile.TemporaryDirectory() as place:
        prefix, variables = MODES[mode](pathlib.Path(place) / "trace")
        process = subprocess.Popen([*prefix, NODE, *flags_of(test), test], cwd=source, start_new_session=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env={**os.environ, **variables})
        try:
            status = process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return "no end"
        return status if status >= 0 else 128 - status


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("topics", nargs="?", default=TOPICS)
    options = parser.parse_args()
    if os.geteuid() == 0:
        parser.error("run it as a normal user: some of the tests expect to be refused what root may do")
    source = options.source.resolve()
    tests = sorted(test for test in (source / "test/parallel").glob("test-*js")
                   if re.match(f"test-({options.topics})-", test.name))
    passed, others = dict.fromkeys(MODES, 0), []
    for test in tests:
        ends = {mode: status_of(test, mode, source) for mode in MODES}
        for mode, end in ends.items():
            passed[mode] += end == 0
        if len(set(ends.values())) > 1:
            others.append(f"{test.name}: {ends}")
            print(others[-1], flush=True)
    print(f"{len(tests)} tests; passed:", ", ".join(f"{mode} {count}" for mode, count in passed.items()))
    print(f"{len(others)} ended otherwise")
    return 1 if others else 0


if __name__ == "__main__":
    raise SystemExit(main())
