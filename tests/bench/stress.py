#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Programs that are sampled each millisecond under files, look-ups and children print what they print alone, in C and on
Node.js: one run of so long each.

    tests/bench/stress.py --uvscope build/bin/uvscope --programs build/tests/truth --seconds 60
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

# How many of them take about a second while they are sampled.
ROUNDS = {"C": 400, "Node.js": 24}
SCRIPT = """
const fs = require('fs'), dns = require('dns'), child = require('child_process'), { createHash } = require('crypto');
let sum = '';
const add = (text) => { sum = createHash('sha1').update(sum + text).digest('hex'); };
const hold = (ms) => { const end = Date.now() + ms; while (Date.now() < end); };
async function round(number) {
  for (let i = 0; i < 8; i++) await new Promise(setImmediate), hold(1 + (number + i) % 3);
  for (let i = 0; i < 20; i++) fs.writeFileSync('file', `${number} ${i}`), add(fs.readFileSync('file', 'utf8'));
  add((await Promise.all(Array.from({ length: 8 }, () => fs.promises.readFile('file', 'utf8')))).join());
  add((await dns.promises.lookup('localhost', { family: 4 })).address);
  add(child.execFileSync('echo', [String(number)], { encoding: 'utf8' }));
  add(await new Promise((done) => child.execFile('echo', ['later'], (error, output) => done(String(error) + output))));
}
(async () => { for (let number = 0; number < process.argv[2]; number++) await round(number); console.log(sum); })();
"""


def run(command, rounds, place):
    begin = time.monotonic()
    done = subprocess.run([*command, str(rounds)], capture_output=True, text=True, cwd=place, check=False)
    return (done.returncode, done.stdout, done.stderr), time.monotonic() - begin


def samples(uvscope, trace):
    """Samples with a stack in all of the recording, and whether it could not be read to its end."""
    done = subprocess.run([uvscope, "export", "--to", "folded", trace], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{trace}: status {done.returncode}: {done.stderr}", file=sys.stderr)
    return sum(int(line.rsplit(" ", 1)[1]) for line in done.stdout.splitlines()), done.returncode != 0


def stress(name, command, arguments, place):
    trace = f"{place}/{name}"
    record = [arguments.uvscope, "record", "-q", "--stall", "1ms", "--stall-work", "1ms", "-o"]
    rounds = 1 + int(ROUNDS[name] * arguments.seconds)
    alone, alone_seconds = run(command, rounds, place)
    sampled, seconds = run([*record, trace, "--", *command], rounds, place)
    if sampled != alone:
        print(f"{name}: differs\nalone:   {alone}\nsampled: {sampled}")
    found, broken = samples(arguments.uvscope, trace)
    return {"program": name, "rounds": rounds, "seconds_alone": round(alone_seconds, 1), "seconds": round(seconds, 1), "stacks": found,
            "stacks_per_second": round(found / seconds), "equal": sampled == alone, "broken": broken}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uvscope", required=True, type=os.path.abspath)
    parser.add_argument("--programs", required=True, type=os.path.abspath, help="directory of truth_stacks")
    parser.add_argument("--node", default="node")
    parser.add_argument("--seconds", type=float, default=60, help="of the sampled run of each program, about")
    arguments = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory(prefix="uvscope-stress-") as place:
        with open(place + "/stress.js", "w", encoding="utf-8") as file:
            file.write(SCRIPT)
        for name, command in (("C", [arguments.programs + "/truth_stacks", "stress"]), ("Node.js", [arguments.node, "stress.js"])):
            result = stress(name, command, arguments, place)
            failed |= not result["equal"] or result["stacks"] == 0
            print(json.dumps(result), flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
