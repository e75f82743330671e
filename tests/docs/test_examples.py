#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Do the examples, and the reports of them, show what the comments at their ends say?

By hand: UVS_BUILD=build tests/docs/test_examples.py -v
"""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

BUILD = pathlib.Path(os.environ["UVS_BUILD"]).resolve()
COMMAND = BUILD / "bin/uvscope"
SECOND = 1_000_000_000

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "UV_THREADPOOL_SIZE"}


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=ENVIRONMENT)
    if done.returncode:
        raise AssertionError(f"{command} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def line_of(output, text):
    """The number of the line that has this text."""
    return next(number for number, line in enumerate(output.splitlines()) if text in line)


class Recorded(unittest.TestCase):
    """An example, recorded: what it printed, and its report."""

    def record(self, example, *arguments):
        with tempfile.TemporaryDirectory() as place:
            trace = pathlib.Path(place) / "trace"
            output = run(COMMAND, "record", "-o", trace, "--", BUILD / "examples" / example, *arguments)
            report = json.loads(run(COMMAND, "report", "--format", "json", trace))
        self.assertEqual(report["trace"]["loss"]["events"], 0)
        self.assertEqual(len(report["loops"]), 1)
        return output, report

    def callback(self, report, function):
        rows = [row for row in report["callbacks"] if row["site"]["function"] == function]
        self.assertEqual(len(rows), 1, function)
        return rows[0]

    def request(self, report, function):
        rows = [row for pool in report["pool"] for row in pool["requests"] if row["site"]["function"] == function]
        self.assertEqual(len(rows), 1, function)
        return rows[0]


class Sync(Recorded):
    def test(self):
        output, report = self.record("sync", 0.5)
        self.assertLess(line_of(output, "All Done!"), line_of(output, "I was due long ago."))
        worst = report["loops"][0]["blocked"]["worst"][0]
        self.assertEqual(worst["class"], "long_callback")
        self.assertEqual(worst["callbacks"][0]["site"]["function"], "my_callback")
        self.assertIn("sync.c", worst["callbacks"][0]["site"]["file"])
        self.assertGreaterEqual(self.callback(report, "my_callback")["duration"]["max_ns"], SECOND // 2)
        late = self.callback(report, "due_meanwhile")
        self.assertGreaterEqual(late["delay"]["max_ns"], 0.44 * SECOND)
        self.assertLess(late["duration"]["max_ns"], late["delay"]["max_ns"] / 2)


class Async(Recorded):
    def test(self):
        output, report = self.record("async", 0.5)
        self.assertLess(line_of(output, "All Done!"), line_of(output, "I am on time."))
        self.assertLess(line_of(output, "I am on time."), line_of(output, "The slow function has finished."))
        request = self.request(report, "slow_async_function")
        service = request["service"]["max_ns"]
        self.assertGreaterEqual(service, SECOND // 2)
        for other in (request["queue"], request["return"], report["loops"][0]["block"],
                      self.callback(report, "due_meanwhile")["delay"]):
            self.assertLess(other["max_ns"], service / 2)


class Timer(Recorded):
    def test(self):
        output, report = self.record("timer", 200)
        self.assertLess(line_of(output, "The line after the first"), line_of(output, "declared apart"))
        self.assertLess(line_of(output, "The line after the second"), line_of(output, "written in place"))
        for function in ("declared_apart", "in_place"):
            row = self.callback(report, function)
            self.assertEqual((row["kind"], row["delay"]["count"], row["duration"]["count"]), ("timer", 1, 1))
        loop = report["loops"][0]
        self.assertGreater(loop["poll_ns"], loop["busy_ns"])


class Pool(Recorded):
    def test(self):
        output, report = self.record("pool", 0.2, 12)
        self.assertEqual(output.count("finished."), 12)
        request = self.request(report, "slow_job")
        self.assertEqual((request["count"], report["pool"][0]["size"]), (12, 4))
        self.assertGreaterEqual(request["service"]["min_ns"], SECOND // 5)
        self.assertLess(request["queue"]["min_ns"], SECOND // 5)
        self.assertGreaterEqual(request["queue"]["max_ns"], 0.39 * SECOND)


if __name__ == "__main__":
    unittest.main()
