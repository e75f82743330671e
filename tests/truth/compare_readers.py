#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Records a program and reads the recording with both readers: every event and the report are the same.

    compare_readers.py --uvscope UVSCOPE --compare TEST_READER_FAST -- PROGRAM
"""
import argparse
import re
import subprocess
import sys
import tempfile


def report(uvscope, reader, trace, *window):
    done = subprocess.run([uvscope, "report", "--format", "json", "--reader", reader, *window, trace],
                          capture_output=True, text=True, timeout=60)
    if done.returncode != 0 or f'"{reader}"' not in done.stdout:
        sys.exit(f"report --reader {reader}: exit status {done.returncode}\n{done.stderr}")
    return re.sub(r'("reader": *)"[a-z0-9]+"', r'\1""', done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uvscope", required=True)
    parser.add_argument("--compare", required=True)
    parser.add_argument("program", nargs="+")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="uvscope-readers-") as directory:
        trace = f"{directory}/trace"
        subprocess.run([options.uvscope, "record", "--detail", "full", "-o", trace, "--", *options.program],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=60, check=True)
        compared = subprocess.run([options.compare, trace], capture_output=True, text=True, timeout=60)
        found = re.search(r": (\d+) events", compared.stdout)
        if compared.returncode != 0 or not found or int(found[1]) == 0:
            sys.exit(f"the readers differ: {compared.stdout}{compared.stderr}")
        for window in ([], ["--from", "100ms", "--until", "300ms"], ["--until", "200ms"]):
            if report(options.uvscope, "fast", trace, *window) != report(options.uvscope, "babeltrace2", trace, *window):
                sys.exit(f"the readers' reports differ {window}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
