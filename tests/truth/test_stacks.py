#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Who held the loop: stacks and CPU time of blocks, and programs that do not notice that they are sampled.

By hand: UVSCOPE=build/bin/uvscope UVS_STACKS=build/tests/truth UVS_NODE=node tests/truth/test_stacks.py -v Compute
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

UVSCOPE = os.environ["UVSCOPE"]
PROGRAMS = os.environ["UVS_STACKS"]
NODE = os.environ.get("UVS_NODE", "node")
TIMEOUT = 60

SCRIPT = """
function superSlowFunction(ms) {
  const end = Date.now() + ms;
  let n = 0;
  while (Date.now() < end) for (let i = 0; i < 10000; i++) n = (n * 31 + i) | 0;
  return n;
}
function myCallback() {
  superSlowFunction(400);
}
setTimeout(myCallback, 5);
console.log(process.execArgv.length, process.env.MINE);
"""


class Sampled(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="uvscope-stacks-")
        self.addCleanup(scratch.cleanup)
        self.scratch = scratch.name
        self.trace = scratch.name + "/trace"

    def run_it(self, *command, env=None):
        return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=TIMEOUT, check=False,
                              cwd=self.scratch, env=dict(os.environ, **(env or {})))

    def record(self, *command, options=(), env=None):
        done = self.run_it(UVSCOPE, "record", "-q", *options, "-o", self.trace, "--", *command, env=env)
        report = self.run_it(UVSCOPE, "report", "--format", "json", self.trace)
        self.assertEqual(report.returncode, 0, report.stderr)
        return done, json.loads(report.stdout)

    def compare(self, mode, *options, program="truth_stacks", arguments=None, env=None):
        """Sampled each millisecond it does what it does alone."""
        command = [f"{PROGRAMS}/{program}", mode, *(arguments if arguments is not None else [self.scratch + "/fifo"])]
        alone = self.run_it(*command)
        done, report = self.record(*command, options=["--stall", "1ms", *options], env=env)
        # As a shell says it: `record` dies of some of the signals that a program dies of.
        status, expected = (run.returncode if run.returncode >= 0 else 128 - run.returncode for run in (done, alone))
        self.assertEqual((status, done.stdout, done.stderr), (expected, alone.stdout, alone.stderr))
        return report

    def text(self):
        return self.run_it(UVSCOPE, "report", self.trace).stdout

    def folded(self):
        return self.run_it(UVSCOPE, "export", "--to", "folded", self.trace).stdout


def worst(report):
    blocks = [block for loop in report["loops"] for block in loop["blocked"]["worst"]]
    return max(blocks, key=lambda block: block["duration_ns"])


def frames(block):
    return {frame["function"]: frame for frame in block["stack"] or []}


class Compute(Sampled):
    def block_of(self, program):
        done, report = self.record(f"{PROGRAMS}/{program}", "compute")
        block = worst(report)
        # By the last sample, which came before the end.
        used_ns = int(re.search(r"cpu (\d+)", done.stdout)[1])
        self.assertLess(abs(block["cpu_ns"] - used_ns), 0.4 * block["duration_ns"])
        return block

    def check(self, block, file):
        self.assertEqual(block["class"], "long_callback")
        frame = frames(block).get("superSlowFunction")
        self.assertIsNotNone(frame, block["stack"])
        self.assertGreaterEqual(frame["share"], 0.5)
        self.assertEqual(os.path.basename(frame["file"] or ""), file)
        self.assertEqual(frame["line"] is not None, file != "")
        names = [frame["function"] for frame in block["stack"]]
        self.assertLess(names.index("superSlowFunction"), names.index("my_callback"))
        self.assertLess(names.index("my_callback"), names.index("main"))

    def test_with_debug_information(self):
        self.check(self.block_of("truth_stacks"), "stacks.c")
        self.assertRegex(self.text(), r"(?s)Who held the loop\n.*superSlowFunction \(stacks\.c:\d+\)\n")

    def test_without_debug_information(self):
        self.check(self.block_of("truth_stacks_nodebug"), "")

    def test_stripped(self):
        block = self.block_of("truth_stacks_stripped")
        own = [frame["label"] for frame in block["stack"] if frame["label"].startswith("truth_stacks_stripped+0x")]
        # superSlowFunction itself, the callback, main.
        self.assertGreaterEqual(len(own), 2, block["stack"])

    def test_off(self):
        _, report = self.record(PROGRAMS + "/truth_stacks", "compute", options=["--stall", "off"])
        self.assertEqual((worst(report)["stack"], worst(report)["cpu_ns"]), (None, None))
        self.assertNotIn("Who held the loop", self.text())

    def test_a_signal_that_is_not_free_is_not_used(self):
        _, report = self.record(PROGRAMS + "/truth_stacks", "compute", env={"UVSCOPE_STALL_SIGNAL": "64000"})
        self.assertIsNone(worst(report)["stack"])


class Waiting(Sampled):
    def test_a_read_is_named_and_has_little_cpu(self):
        report = self.compare("fifo")
        block = worst(report)
        self.assertEqual(block["class"], "sync_call")
        self.assertLess(block["cpu_ns"], block["duration_ns"] / 4)
        self.assertRegex(block["stack"][0]["function"], "read")
        self.assertIn("my_callback", frames(block))
        self.assertRegex(self.text(), r"Who held the loop\n.*: waiting in read \(")


    def test_a_long_read_of_what_is_in_memory_is_named(self):
        """The thread does not answer until it is over."""
        _, report = self.record(PROGRAMS + "/truth_stacks", "memory")
        block = worst(report)
        self.assertGreaterEqual(frames(block)["read_much"]["share"], 0.5)
        self.assertRegex(self.text(), r"Who held the loop\n.*: computing")

    def test_a_lock_is_named(self):
        block = worst(self.compare("flock"))
        self.assertEqual(block["class"], "long_callback")
        self.assertLess(block["cpu_ns"], block["duration_ns"] / 4)
        self.assertIn("flock", block["stack"][0]["function"])
        self.assertRegex(self.text(), r"Who held the loop\n.*: waiting in flock \(")

    def test_a_name_server_that_does_not_answer_is_named(self):
        block = worst(self.compare("dns"))
        self.assertEqual(block["class"], "sync_call")
        self.assertEqual([call["kind"] for call in block["sync_calls"]], ["getaddrinfo"])
        self.assertLess(block["cpu_ns"], block["duration_ns"] / 4)
        names = frames(block)
        self.assertIn("my_callback", names)
        self.assertTrue(any("getaddrinfo" in (name or "") for name in names), names)
        self.assertRegex(self.text(), r"Who held the loop\n.*: waiting in poll \(")


class Work(Sampled):
    """What long jobs of the pool were doing."""

    def sampled(self, report):
        return {row["site"]["function"]: row["sampled"] for pool in report["pool"] for row in pool["requests"]}

    def test_long_jobs_have_stacks(self):
        sampled = self.sampled(self.compare("work", "--stall-work", "20ms"))
        computing, waiting = sampled["computing_job"], sampled["waiting_job"]
        self.assertIn("superSlowFunction", frames(computing))
        self.assertIn("computing_job", frames(computing))
        self.assertIsNone(computing["waiting_in"])
        self.assertIn("waiting_job", frames(waiting))
        self.assertEqual(waiting["waiting_in"], "clock_nanosleep")
        self.assertLess(waiting["cpu_ns"], waiting["longest_ns"] / 4)
        self.assertIsNone(sampled["short_job"])
        self.assertRegex(self.text(), r"(?s)Who held the workers\n.*work computing_job.*superSlowFunction \(stacks\.c:\d+\)\n")
        self.assertRegex(self.text(), r"work waiting_job \(stacks\.c:\d+\), for \d+ ms or longer: waiting in clock_nanosleep")
        self.assertRegex(self.folded(), r"(?m)^worker;.*;computing_job;.*superSlowFunction")

    def test_without_the_option_none_has(self):
        self.assertEqual(set(self.sampled(self.compare("work")).values()), {None})

    def test_jobs_alone_are_sampled_when_loops_are_not(self):
        sampled = self.sampled(self.record(PROGRAMS + "/truth_stacks", "work", options=["--stall", "off", "--stall-work", "20ms"])[1])
        self.assertIsNotNone(sampled["computing_job"])


class Unnoticed(Sampled):
    def unnoticed(self, mode, env=None):
        return self.compare(mode, program="truth_unnoticed", arguments=[], env=env)

    def test_waits_end_as_they_would(self):
        report = self.unnoticed("waits")
        self.assertIsNotNone(worst(report)["stack"])

    def test_a_program_that_handles_all_signals(self):
        self.unnoticed("handle")

    def test_a_program_that_blocks_all_signals(self):
        self.unnoticed("block")

    def test_a_program_that_sends_itself_the_signal(self):
        self.unnoticed("send")
        shutil.rmtree(self.trace)
        self.unnoticed("send", env={"UVSCOPE_STALL_SIGNAL": str(signal.SIGRTMAX - 1)})

    def test_a_deep_stack(self):
        block = worst(self.unnoticed("deep"))
        self.assertIn("descend", frames(block))

    def test_an_alternative_stack(self):
        self.unnoticed("altstack")

    def test_coroutines(self):
        self.unnoticed("switch")
        self.assertIn(";compute_in_coroutine", self.folded())

    def test_execve(self):
        report = self.unnoticed("exec")
        self.assertIn(";execute", self.folded())
        # Each program's block ends with it, not with the last one's.
        self.assertLess(max(loop["block"]["max_ns"] or 0 for loop in report["loops"]), report["trace"]["duration_ns"] / 2)

    def test_files_and_children(self):
        self.compare("stress", arguments=["100"])
        self.assertIn(";stress_round", self.folded())

    def test_short_callbacks_get_no_sample(self):
        done, report = self.record(PROGRAMS + "/truth_stacks", "short")
        self.assertEqual(done.returncode, 0)
        # Unless the machine itself held the loop.
        for loop in report["loops"]:
            for block in loop["blocked"]["worst"] if loop["block"]["max_ns"] >= 50_000_000 else []:
                self.assertIsNone(block["stack"])
        longest = max(loop["block"]["max_ns"] for loop in report["loops"])
        folded = self.folded()
        self.assertTrue(folded == "" or longest >= 50_000_000, folded)


class Folded(Sampled):
    log = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../golden/stacks.events")

    def export(self, *options):
        return self.run_it(UVSCOPE, "export", "--to", "folded", *options, self.log)

    def test_all_stacks(self):
        lines = self.export().stdout.splitlines()
        self.assertEqual(lines, ["stacks;0x9000 50000", "stacks;0x9000;0x3000;0x2000;0x1000 80000",
                                 "stacks;0x9000;0x3000;0x2000;0x1010 50000", "stacks;0xa000;0x1000 30000", "stacks;0xb000;0x2000 30000",
                                 "stacks;0xc000;0x1000 30000"])

    def test_one_block(self):
        self.assertEqual(self.export("--block", "1").stdout.splitlines(), self.export().stdout.splitlines()[:3])
        self.assertEqual(self.export("--block", "2").stdout, "")

    def state_of(self, waits):
        """What is said of a block of 500 ms that was on a processor for half of it, by five samples."""
        log = self.scratch + "/log.events"
        lines = ["0 process_info loop=7:- pid=7 schema=1 libuv=76802 pool_size=4 exe=a", "0 loop_info loop=7:0 tid=7 is_default=1 name=a"]
        for number in range(1, 6):
            if number in waits:
                lines.append(f"{number * 100}ms waiting loop=7:0 tid=7 call=0")
            lines.append(f"{number * 100}ms stall loop=7:0 op=1 kind=timer callback=0x100 tid=7 busy_ns={number * 100}ms "
                         f"cpu_ns={number * 50}ms frames=0x1000")
        lines += ["500ms callback loop=7:0 op=1 kind=timer callback=0x100 duration_ns=500ms delay_ns=0",
                  "510ms poll loop=7:0 wait_ns=10ms busy_ns=500ms callbacks=1 timeout_ms=10 calls=1"]
        with open(log, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return re.search(r"500 ms at .*: (.*) \(50", self.run_it(UVSCOPE, "report", log).stdout)[1]

    def test_who_is_never_found_waiting_was_kept_from_a_processor(self):
        self.assertEqual(self.state_of([]), "computing, kept from a processor for the rest")
        self.assertEqual(self.state_of([3]), "computing and waiting")

    def test_a_block_that_is_not_there(self):
        for number in ("0", "5", "x", "-1", ""):
            done = self.export("--block", number)
            self.assertEqual((done.returncode, done.stdout), (2, ""), number)
            self.assertIn("--block", done.stderr)

    def test_samples_are_no_callbacks(self):
        spans = self.run_it(UVSCOPE, "export", "--to", "ndjson", self.log).stdout.splitlines()
        self.assertEqual(sum(json.loads(span)["type"] == "callback" for span in spans), 5)

    def test_other_forms_have_no_blocks(self):
        self.assertEqual(self.run_it(UVSCOPE, "export", "--to", "ndjson", "--block", "1", self.log).returncode, 2)

    def test_names_are_merged_and_samples_kept(self):
        _, report = self.record(PROGRAMS + "/truth_stacks", "compute")
        lines = self.folded().splitlines()
        self.assertTrue(any(re.search(r";main;.*;my_callback;.*superSlowFunction", line) for line in lines), lines)
        self.assertEqual(len(lines), len({line.rsplit(" ", 1)[0] for line in lines}))
        self.assertIsNotNone(worst(report)["stack"])


class Node(Sampled):
    def setUp(self):
        super().setUp()
        with open(self.scratch + "/app.js", "w", encoding="utf-8") as file:
            file.write(SCRIPT)

    def test_the_function_is_named(self):
        maps = set(name for name in os.listdir("/tmp") if re.fullmatch(r"perf-\d+\.map", name))
        done, report = self.record(NODE, "app.js", env={"MINE": "1", "NODE_OPTIONS": "--no-warnings"})
        self.assertEqual((done.returncode, done.stdout), (0, "0 1\n"))
        block = worst(report)
        frame = frames(block).get("superSlowFunction")
        self.assertIsNotNone(frame, block["stack"])
        self.assertGreaterEqual(frame["share"], 0.5)
        self.assertEqual((frame["module"], frame["file"], frame["line"]), ("js", self.scratch + "/app.js", 2))
        self.assertRegex(self.text().splitlines()[0], r"by superSlowFunction \(app\.js:2\)")
        pid = report["processes"][0]["pid"]
        self.assertTrue(os.path.exists(f"{self.trace}/perf-{pid}.map"))
        # V8's log would be here.
        self.assertEqual(sorted(os.listdir(self.scratch)), ["app.js", "trace"])
        self.assertNotIn(f"perf-{pid}.map", os.listdir("/tmp"))
        # Another recording's, perhaps, but none that was there before is gone but by its owner.
        self.assertNotIn(f"perf-{pid}.map", maps)

    def test_a_map_that_the_user_asked_for_stays(self):
        ways = [([NODE, "--perf-basic-prof", "app.js"], {}), ([NODE, "--perf_basic_prof", "app.js"], {}),
                (["sh", "-c", f'"{NODE}" --perf-basic-prof-only-functions app.js; :'], {}),
                ([NODE, "app.js"], {"NODE_OPTIONS": "--no-warnings --perf-basic-prof"})]
        for command, env in ways:
            with self.subTest(command=command, env=env):
                _, report = self.record(*command, env=env)
                name = f"perf-{report['processes'][0]['pid']}.map"
                self.addCleanup(os.unlink, f"/tmp/{name}")
                with open(f"{self.trace}/{name}", "rb") as taken, open(f"/tmp/{name}", "rb") as left:
                    self.assertEqual(taken.read(), left.read())
                shutil.rmtree(self.trace)

    def test_behind_a_shell(self):
        done, report = self.record("sh", "-c", f'"{NODE}" app.js; echo "$NODE_OPTIONS"', env={"MINE": "1", "NODE_OPTIONS": "--no-warnings"})
        self.assertEqual((done.returncode, done.stdout), (0, "0 1\n--no-warnings\n"))
        self.assertIn("superSlowFunction", frames(worst(report)))
        shutil.rmtree(self.trace)
        _, report = self.record("sh", "-c", f'"{NODE}" app.js', options=["--no-js"])
        self.assertNotIn("superSlowFunction", frames(worst(report)))

    def test_no_js(self):
        _, report = self.record(NODE, "app.js", options=["--no-js"])
        self.assertNotIn("superSlowFunction", frames(worst(report)))
        self.assertEqual([name for name in os.listdir(self.trace) if name.startswith("perf-")], [])

    def test_a_link_is_not_followed(self):
        # The program plants what an attacker would: a link where its own map is to be.
        with open(self.scratch + "/secret", "w", encoding="utf-8") as file:
            file.write("1000 10 secret\n")
        with open(self.scratch + "/app.js", "a", encoding="utf-8") as file:
            file.write("const map = `/tmp/perf-${process.pid}.map`;\nconst fs = require('fs');\n"
                       f"try {{ fs.unlinkSync(map) }} catch {{ }}\nfs.symlinkSync('{self.scratch}/secret', map);\n"
                       "process.on('exit', () => console.log(map));\n")
        done, _ = self.record(NODE, "app.js")
        planted = done.stdout.splitlines()[-1]
        try:
            self.assertFalse(os.path.exists(f"{self.trace}/{os.path.basename(planted)}"))
            self.assertTrue(os.path.islink(planted))
        finally:
            os.unlink(planted)


if __name__ == "__main__":
    sys.exit(unittest.main())
