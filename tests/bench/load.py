#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Whether a recording keeps up: Node.js answers HTTP requests as fast as it can, for minutes, recorded with the defaults.

Prints what was recorded and what was lost, how long the end took, and what reading it takes. Fails if uvscope says
nothing of a loss that the trace has. Root becomes nobody: its recordings would record each other. The trace (about 0.5 GB a minute) goes to the temporary directory,
and is removed.

    UVS_BUILD=build UVS_NODE=$(command -v node) tests/bench/load.py [--minutes 10] [--max-size SIZE]
"""
import argparse
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time

from node_bench import BUILD, NODE, SERVER, load
from normal_user import become_normal

UVSCOPE = BUILD / "bin/uvscope"


def size_of(directory):
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def record(place, seconds, options):
    """(requests, requests per second, seconds that the end took, what record said)"""
    (place / "server.js").write_text(SERVER)
    with open(place / "said", "w+", encoding="utf-8") as said:
        server = subprocess.Popen([UVSCOPE, "record", *options, "-o", place / "trace", "--", NODE, place / "server.js", "hello"],
                                  text=True, stdout=subprocess.PIPE, stderr=said, cwd=place)
        port, pid = server.stdout.readline().split()
        requests, taken, _ = load(port, pid, seconds)
        begin = time.monotonic()
        server.terminate()
        status = server.wait(600)
        end_seconds = time.monotonic() - begin
        server.stdout.close()
        said.seek(0)
        if status != 0:
            raise RuntimeError(f"the server ended with {status}: {said.read()}")
        return requests, requests / taken, end_seconds, said.read()


def report(trace):
    """(the report, seconds, peak of its memory in MB)"""
    begin = time.monotonic()
    text = subprocess.run([UVSCOPE, "report", "--format", "json", trace], check=True, capture_output=True).stdout
    seconds = time.monotonic() - begin
    return json.loads(text), seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--max-size", help="as record --max-size")
    arguments = parser.parse_args()
    become_normal(UVSCOPE)
    options = ["--max-size", arguments.max_size] if arguments.max_size else []
    seconds = max(1, round(arguments.minutes * 60))
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        requests, rate, end_seconds, said = record(place, seconds, options)
        size = size_of(place / "trace")
        result, report_seconds, memory = report(place / "trace")
    facts = result["trace"]
    lost = facts["loss"]["events"]
    print(f"load      {seconds} s, {requests:,} requests, {rate:,.0f}/s on {os.cpu_count()} processors")
    print(f"recorded  {facts['events']:,} events, {facts['events'] / requests:.2f} a request, {facts['events'] / seconds:,.0f}/s")
    print(f"lost      {lost:,} events")
    print(f"trace     {size / 1e6:,.0f} MB, {size / max(1, facts['events']):.1f} bytes an event, {size / seconds / 1e6:.1f} MB/s")
    print(f"the end   {end_seconds:.1f} s from SIGTERM until record had ended")
    print(f"report    {report_seconds:.1f} s by the {facts['reader']} reader, {memory:,.0f} MB at most")
    print(said.strip())
    said_lost = re.search(r"\(([\d,]+) lost\)", said)
    if not said_lost or int(said_lost[1].replace(",", "")) != lost:
        sys.exit("what record says of the loss is not what the trace has")


if __name__ == "__main__":
    main()
