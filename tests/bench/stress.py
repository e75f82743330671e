#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Programs that are sampled each millisecond under files, look-ups and children print what they print alone, in C and on
Node.js: run after run for so long.

    tests/bench/stress.py --uvscope build/bin/uvscope --programs build/tests/truth --seconds 60
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

SCRIPT = """
const fs = require('fs'), dns = require('dns'), child = require('child_process'), { createHash } = require('crypto');
let sum = '';
const add = (text) => { sum = createHash('sha1').update(sum + text).digest('hex'); };
const hold = (ms) => { const end = Date.now() + ms; while (Date.now() < end); };
async function round(number) {
  hold(4);
  for (let i = 0; i < 20; i++) fs.writeFileSync('file', `${number} ${i}`), add(fs.readFileSync('file', 'utf8'));
  add((await Promise.all(Array.from({ length: 8 }, () => fs.promises.readFile('file', 'utf8')))).join());
  add((await dns.promises.lookup('localhost', { family: 4 })).address);
  add(child.execFileSync('echo', [String(number)], { encoding: 'utf8' }));
  add(await new Promise((done) => child.execFile('echo', ['later'], (error, output) => done(String(error) + output))));
}
(async () => { for (let number = 0; number < 30; number++) await round(number); console.log(sum); })();
"""


def run(command, place):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=place, check=False)
    return done.returncode, done.stdout, done.stderr


def samples(uvscope, trace):
    """Samples with a stack in all of the recording, and whether it could not be read to its end."""
    done = subprocess.run([uvscope, "export", "--to", "folded", trace], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{trace}: status {done.returncode}: {done.stderr}", file=sys.stderr)
    return sum(int(line.rsplit(" ", 1)[1]) for line in done.stdout.splitlines()), done.returncode != 0


def stress(name, command, arguments, place):
    plain, runs, sampled, broken, end = run(command, place), 0, 0, 0, time.monotonic() + arguments.seconds
    while runs == 0 or time.monotonic() < end:
        trace = f"{place}/{name}-{runs}"
        got = run([arguments.uvscope, "record", "-q", "--stall", "1ms", "--stall-work", "1ms", "-o", trace, "--", *command], place)
        if got != plain:
            print(f"{name}: run {runs} differs\nalone:   {plain}\nsampled: {got}")
            return None
        found, is_broken = samples(arguments.uvscope, trace)
        sampled += found
        broken += is_broken
        shutil.rmtree(trace)
        runs += 1
    return {"program": name, "runs": runs, "samples": sampled, "broken_traces": broken, "seconds": arguments.seconds}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uvscope", required=True, type=os.path.abspath)
    parser.add_argument("--programs", required=True, type=os.path.abspath, help="directory of truth_stacks")
    parser.add_argument("--node", default="node")
    parser.add_argument("--seconds", type=float, default=60, help="for each program; at least one run of it")
    arguments = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory(prefix="uvscope-stress-") as place:
        with open(place + "/stress.js", "w", encoding="utf-8") as file:
            file.write(SCRIPT)
        for name, command in (("C", [arguments.programs + "/truth_stacks", "stress"]), ("Node.js", [arguments.node, "stress.js"])):
            result = stress(name, command, arguments, place)
            failed |= not result or result["samples"] == 0
            print(json.dumps(result), flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
