#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Do the examples, and the reports of them, show what the comments at their ends say?

By hand: UVS_SOURCE=. UVS_BUILD=build UVS_NODE=$(command -v node) tests/docs/test_examples.py -v
"""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["UVS_SOURCE"]).resolve()
BUILD = pathlib.Path(os.environ["UVS_BUILD"]).resolve()
COMMAND = BUILD / "bin/uvscope"
NODE = os.environ["UVS_NODE"]
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

    def record_program(self, *command):
        with tempfile.TemporaryDirectory() as place:
            trace = pathlib.Path(place) / "trace"
            output = run(COMMAND, "record", "-o", trace, "--", *command)
            report = json.loads(run(COMMAND, "report", "--format", "json", trace))
        self.assertEqual(report["trace"]["loss"]["events"], 0)
        return output, report

    def record(self, example, *arguments):
        output, report = self.record_program(BUILD / "examples" / example, *arguments)
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


class InNode(Recorded):
    """An example in JavaScript. Node has loops of its own too: the program's is the one that runs its timers."""

    TIMERS = "node::Environment::RunTimers"

    def record(self, example, *arguments):
        output, report = self.record_program(NODE, SOURCE / "docs/examples" / f"{example}.js", *arguments)
        process, = report["processes"]
        self.assertEqual((process["hooks"], process["unhooked"], process["handoff_missed"]), ("patched", [], 0),
                         f"{NODE} is no official Node.js, or not all of it is hooked")
        timer = self.callback(report, self.TIMERS)
        loop, = [loop for loop in report["loops"] if loop["loop"] == timer["loop"]]
        return output, report, loop

    def callback(self, report, function):
        row, = [row for row in report["callbacks"] if (row["site"]["function"] or "").startswith(function)]
        return row

    def requests(self, report, *kinds):
        rows = [row for pool in report["pool"] for row in pool["requests"] if row["kind"] in kinds]
        self.assertTrue(rows, kinds)
        return rows


class SyncInNode(InNode):
    def test(self):
        output, report, loop = self.record("sync", 0.5)
        self.assertLess(line_of(output, "All Done!"), line_of(output, "I was due long ago."))
        worst = loop["blocked"]["worst"][0]
        self.assertEqual(worst["class"], "long_callback")
        self.assertIn("node::Environment::CheckImmediate", worst["callbacks"][0]["site"]["function"])
        self.assertGreaterEqual(worst["duration_ns"], SECOND // 2)
        late = self.callback(report, self.TIMERS)
        self.assertGreaterEqual(late["delay"]["max_ns"], 0.44 * SECOND)
        self.assertLess(late["duration"]["max_ns"], late["delay"]["max_ns"] / 2)


class AsyncInNode(InNode):
    def test(self):
        output, report, loop = self.record("async", 0.5)
        self.assertLess(line_of(output, "All Done!"), line_of(output, "I am on time."))
        self.assertLess(line_of(output, "I am on time."), line_of(output, "The slow function has finished."))
        row, = self.requests(report, "work")
        service = row["service"]["max_ns"]
        self.assertGreaterEqual(service, SECOND // 10) # so many rounds as take 0.5 s when nobody else computes
        for other in (row["queue"], row["return"], loop["block"], self.callback(report, self.TIMERS)["delay"]):
            self.assertLess(other["max_ns"], service) # the least that it would be, had the loop done the work


class TimerInNode(InNode):
    def test(self):
        output, report, loop = self.record("timer", 200)
        self.assertLess(line_of(output, "The line after the first"), line_of(output, "declared apart"))
        self.assertLess(line_of(output, "The line after the second"), line_of(output, "written in place"))
        row = self.callback(report, self.TIMERS)
        self.assertEqual((row["kind"], row["delay"]["count"], row["duration"]["count"]), ("timer", 2, 2))
        self.assertGreater(loop["poll_ns"], loop["busy_ns"])


class PoolInNode(InNode):
    def test(self):
        output, report, _ = self.record("pool", 0.5, 12)
        self.assertEqual((output.count("finished."), output.count("read.")), (4, 12))
        hashes = sum(row["count"] for row in self.requests(report, "work"))
        opened = self.requests(report, "fs.open", "work")[0]
        hashed = max(self.requests(report, "work"), key=lambda row: row["service"]["max_ns"])
        self.assertIn((hashes, opened["kind"]), [(4, "fs.open"), (16, "work")]) # newer ones read a file in one go
        # They wait for the hash that ends first; where reads are work too, those of the hashes are not apart.
        first = hashed["service"]["min_ns" if hashes == 4 else "p90_ns"]
        self.assertGreaterEqual(opened["queue"]["max_ns"], first / 2)


if __name__ == "__main__":
    unittest.main()
