#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What holds a loop of Node.js, one program each: the report names the function of the script, says what kind of block it
was, and whether the thread computed.

By hand: UVSCOPE=build/bin/uvscope UVS_STACKS=build/tests/truth UVS_NODE=node tests/truth/test_stacks_node.py -v Holders
"""
import json
import sys
import unittest

from test_stacks import NODE, PROGRAMS, UVSCOPE, Sampled, frames, worst

MS = 1_000_000

# In each, `hold` holds the loop.
REGULAR_EXPRESSION = """
function hold() { const end = Date.now() + 400; while (Date.now() < end) /^(a+)+$/.test('a'.repeat(19) + '!'); }
setTimeout(hold, 5);
"""
PARSE = """
const text = '[' + ('"' + 'x'.repeat(97) + '",').repeat(2e6) + '0]'; // 200 MB
function hold() { console.log(JSON.parse(text).length); }
setTimeout(hold, 5);
"""
COMPRESS = """
const zlib = require('zlib'), data = Buffer.alloc(100000);
for (let i = 0; i < data.length; i++) data[i] = (i * i) % 251;
function hold() { const end = Date.now() + 400; while (Date.now() < end) zlib.gzipSync(data, { level: 9 }); }
setTimeout(hold, 5);
"""
HASH = """
const crypto = require('crypto');
function hold() { const end = Date.now() + 400; while (Date.now() < end) crypto.pbkdf2Sync('p', 's', 50000, 64, 'sha512'); }
setTimeout(hold, 5);
"""
FIFO = """
const fs = require('fs'), child = require('child_process');
child.execFileSync('mkfifo', ['fifo']);
child.spawn('sh', ['-c', 'exec 3>fifo; sleep 0.4; echo word >&3'], { stdio: 'inherit' });
function hold() { const file = fs.openSync('fifo', 'r'); console.log(fs.readSync(file, Buffer.alloc(10))); }
setTimeout(hold, 50);
"""
ADDON = """
const compute = require('./addon.node');
function hold() { compute(); }
setTimeout(hold, 5);
"""
# Says what Node itself measured: by kind, how many and how many milliseconds.
GARBAGE = """
const { PerformanceObserver } = require('perf_hooks');
const seen = {};
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const kind = seen[entry.detail.kind] ??= { count: 0, ms: 0 };
    kind.count++;
    kind.ms += entry.duration;
  }
}).observe({ entryTypes: ['gc'] });
let kept;
function hold() {
  const end = Date.now() + 400;
  while (Date.now() < end) kept = Array.from({ length: 100000 }, (_, i) => ({ i, text: 'x' + i }));
  setTimeout(() => console.log(JSON.stringify(seen)), 200); // the observer is called in between, however late this is
}
setTimeout(hold, 20);
"""
GC_KINDS = {"1": "scavenge", "2": "minor_mark_sweep", "4": "mark_compact", "8": "incremental_marking", "16": "weak_callbacks"}


class OfNode(Sampled):
    def run_script(self, script):
        with open(self.scratch + "/app.js", "w", encoding="utf-8") as file:
            file.write(script)
        done, report = self.record(NODE, "app.js")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout, report


class Holders(OfNode):
    def held_by(self, script):
        """The worst block, which `hold` is named for."""
        _, report = self.run_script(script)
        block = worst(report)
        frame = frames(block).get("hold")
        self.assertIsNotNone(frame, block["stack"])
        self.assertGreaterEqual(frame["share"], 0.5)
        self.assertEqual((frame["module"], frame["file"]), ("js", self.scratch + "/app.js"))
        self.assertRegex(self.text().splitlines()[0], r"by hold \(app\.js:\d\)")
        return block

    def computing(self, script):
        block = self.held_by(script)
        self.assertEqual(block["class"], "long_callback")
        return block

    def functions_of(self, block):
        return " ".join(name or "" for name in frames(block))

    def test_a_regular_expression(self):
        self.computing(REGULAR_EXPRESSION)

    def test_parsing(self):
        self.assertIn("Json", self.functions_of(self.computing(PARSE)))

    def test_compression(self):
        self.computing(COMPRESS)

    def test_hashes(self):
        self.computing(HASH)

    def test_an_addon(self):
        with open(PROGRAMS + "/addon.node", "rb") as built, open(self.scratch + "/addon.node", "wb") as here:
            here.write(built.read())
        block = self.computing(ADDON)
        self.assertEqual(frames(block)["addon_computes"]["module"], self.scratch + "/addon.node")

    def test_a_read(self):
        block = self.held_by(FIFO)
        self.assertEqual(block["class"], "sync_call")
        self.assertEqual(block["sync_calls"][0]["kind"], "fs.read")
        self.assertLess(block["cpu_ns"], block["duration_ns"] / 4)
        self.assertRegex(self.text(), r"Who held the loop\n.*: waiting in read \(")


class Culprits(OfNode):
    def test_scripts_behind_the_same_callback(self):
        """Two timers, which Node runs from one callback of libuv's, and an immediate make a stat wait. The samples of a callback come
        at growing distances: the second holds it long enough for several, and has more of the time though the first has more of them."""
        _, report = self.run_script("""
            const fs = require('fs'), stat = () => fs.stat('.', () => {});
            function first() { stat(); const end = Date.now() + 300; while (Date.now() < end); }
            function second() { const end = Date.now() + 900; while (Date.now() < end); }
            function apart() { stat(); const end = Date.now() + 300; while (Date.now() < end); }
            setTimeout(first, 20);
            setTimeout(second, 20);
            setTimeout(() => setImmediate(apart), 1400);
            """)
        javascript = {row["kind"]: row["javascript"] for row in report["blame"]["culprits"] if row["what"] == "callback"}
        names = {kind: [row["site"]["function"] for row in javascript[kind]["functions"]] for kind in ("timer", "check")}
        self.assertEqual(names, {"timer": ["second", "first"], "check": ["apart"]})
        for victim in report["blame"]["victims"]:
            self.assertEqual(sum(part["ns"] for part in victim["by"]), victim["suffered_ns"])
        self.assertRegex(self.text(), r"because of timer \S+ \(sampled \d+ % in second, app\.js:\d\)")


class Garbage(OfNode):
    def test_collections_are_those_that_node_saw(self):
        output, report = self.run_script(GARBAGE)
        seen = {GC_KINDS[kind]: row for kind, row in json.loads(output).items()}
        loops = [loop for loop in report["loops"] if loop["gc"]]
        self.assertEqual(len(loops), 1)
        recorded = {row["kind"]: row["duration"] for row in loops[0]["gc"]}
        self.assertEqual(recorded.keys(), seen.keys())
        for kind, row in seen.items():
            self.assertEqual(recorded[kind]["count"], row["count"], kind)
            self.assertAlmostEqual(recorded[kind]["sum_ns"], row["ms"] * MS, delta=max(MS, 0.02 * row["ms"] * MS))
        block = worst(report)
        self.assertEqual(block["class"], "long_callback")
        self.assertGreater(block["gc_ns"], block["duration_ns"] / 20)
        self.assertLess(block["gc_ns"], block["duration_ns"])
        self.assertRegex(self.text(), r"Who held the loop\n.* of which GC [\d.]+ ms, [a-z-]+; ")

    def test_workers(self):
        _, report = self.run_script(f"""
            const {{ Worker, isMainThread }} = require('worker_threads');
            if (isMainThread) new Worker(__filename); else {{ {GARBAGE.replace("console.log", "String")} }}""")
        collecting = [loop for loop in report["loops"] if loop["gc"] and not loop["main"]]
        self.assertTrue(any(block["gc_ns"] for loop in collecting for block in loop["blocked"]["worst"]), report["loops"])

    def test_what_is_not_seen_is_not_zero(self):
        _, report = self.record(PROGRAMS + "/truth_stacks", "compute")
        self.assertEqual([(loop["gc"], block["gc_ns"]) for loop in report["loops"] for block in loop["blocked"]["worst"]][0], (None, None))
        self.assertNotIn("of which GC", self.text())

    def test_doctor(self):
        self.assertRegex(self.run_it(UVSCOPE, "doctor", NODE).stdout,
                         r"ok +gc +V8 tells of its garbage collections")


if __name__ == "__main__":
    sys.exit(unittest.main())
