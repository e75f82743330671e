#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The official Node.js, recorded: does it notice, and does the report say what the program itself measured?

By hand: UVS_BUILD=build UVS_BIN=build/tests/e2e UVS_NODE=$(command -v node) tests/e2e/test_node.py -v Truth
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

BUILD = pathlib.Path(os.environ["UVS_BUILD"]).resolve()
COMMAND = BUILD / "bin/uvscope"
PROGRAMS = pathlib.Path(os.environ["UVS_BIN"]).resolve()
NODE = os.environ["UVS_NODE"]
PATIENCE_S = 60 * int(os.environ.get("UVS_TEST_TIMEOUT_FACTOR", 1))
MS = 1_000_000
DEFAULTS = {name: value for name, value in os.environ.items() if name not in ("UV_THREADPOOL_SIZE", "NODE_OPTIONS")}


def status_of(done):
    """As a shell says it: `record` dies of some of the signals that a program dies of."""
    return done.returncode if done.returncode >= 0 else 128 - done.returncode


class Recorded(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)
        self.trace = self.place / "trace"

    def write(self, program, name="program.js"):
        path = self.place / name
        path.write_text(program)
        return path

    def run_plain(self, *command, **options):
        return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=PATIENCE_S,
                              cwd=self.place, **{"env": DEFAULTS, **options})

    def record(self, *command, plugins=(), **options):
        named = [word for plugin in plugins for word in ("--plugin", plugin)]
        return self.run_plain(COMMAND, "record", "-q", "-o", self.trace, *named, "--", *command, **options)

    def report(self):
        done = self.run_plain(COMMAND, "report", "--format", "json", self.trace)
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        for process in report["processes"]:
            if process["hooks"] == "patched":
                self.assertEqual((process["unhooked"], process["handoff_missed"]), ([], 0))
        return report

    def recorded(self, program, *arguments, **options):
        """What the program printed, as JSON, and its report."""
        done = self.record(NODE, self.write(program), *arguments, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout), self.report()

    def callbacks(self, report, function, kind=None):
        return [row for row in report["callbacks"] if function in (row["site"]["function"] or "")
                and kind in (None, row["kind"])]

    def requests(self, report, kind):
        return [row for pool in report["pool"] for row in pool["requests"] if row["kind"] == kind]


class Transparency(Recorded):
    """Status, output and errors are those of a plain run."""

    def neutral(self, text):
        text = re.sub(r"ws://127\.0\.0\.1:\d+/[0-9a-f-]+", "ws://ADDRESS", text)
        return re.sub(r"\(node:\d+\)", "(node:PID)", text)

    def check(self, program, *arguments, name="program.js", options=(), expect=None, **run_options):
        command = [NODE, *options, self.write(program, name), *arguments]
        plain = self.run_plain(*command, **run_options)
        recorded = self.record(*command, **run_options)
        status = status_of(plain)
        self.assertEqual(status_of(recorded), status, recorded.stderr)
        self.assertEqual(self.neutral(recorded.stdout), self.neutral(plain.stdout))
        self.assertEqual(self.neutral(recorded.stderr), self.neutral(plain.stderr))
        if expect is not None:
            self.assertEqual(status, expect)
        return plain

    def test_exit_codes(self):
        self.check("process.exit(7)", expect=7)

    def test_exit_code_property(self):
        self.check("process.exitCode = 3; setTimeout(() => console.log('end'), 5)", expect=3)

    def test_uncaught_exception(self):
        plain = self.check("setTimeout(function thrower() { throw new Error('not caught') }, 1)", expect=1)
        self.assertIn("at Timeout.thrower", plain.stderr)

    def test_unhandled_rejection(self):
        self.check("require('fs').promises.readFile('/nonexistent')", expect=1)

    def test_order_of_everything(self):
        plain = self.check("""
            process.on('exit', (code) => console.log('exit', code));
            process.once('beforeExit', () => { console.log('before exit'); setTimeout(() => console.log('again'), 1); });
            setTimeout(() => { console.log('timer'); setImmediate(() => console.log('immediate in timer'));
                process.nextTick(() => console.log('tick in timer')); }, 1);
            Promise.resolve().then(() => console.log('promise'));
            process.nextTick(() => console.log('tick'));
            require('fs').readFile(__filename, () => {
                setTimeout(() => console.log('timer in read'), 0);
                setImmediate(() => console.log('immediate in read'));
            });
            console.log('main');""", expect=0)
        self.assertTrue(plain.stdout.startswith("main\ntick\npromise\n"))

    def test_its_own_signal(self):
        self.check("setInterval(() => {}, 1000); process.kill(process.pid, 'SIGTERM')", expect=128 + 15)

    def test_handled_signal(self):
        self.check("""
            process.on('SIGTERM', (name) => { console.log(name); process.exit(9); });
            setInterval(() => {}, 1000);
            process.kill(process.pid, 'SIGTERM')""", expect=9)

    def test_inspector(self):
        plain = self.check("setTimeout(() => console.log(typeof require('inspector').url()), 20)",
                           options=["--inspect=0"], expect=0)
        self.assertEqual(plain.stdout, "string\n")

    def test_modules(self):
        self.check("""
            import { readFile } from 'node:fs/promises';
            const text = await readFile(new URL(import.meta.url), 'utf8');
            console.log(text.length, (await import('node:path')).basename('/a/b'));""", name="program.mjs", expect=0)

    def test_standard_input(self):
        self.check("process.stdin.on('data', (text) => process.stdout.write(text)).on('end', () => console.log('end'))",
                   input="one\ntwo\n" * 1000, expect=0)

    def test_children_of_every_kind(self):
        plain = self.check("""
            const { exec, execFile, execFileSync, execSync, fork, spawn, spawnSync } = require('child_process');
            if (process.argv[2] === 'child') {
                process.on('message', (text) => { process.send(text + ' back'); process.disconnect(); });
                return;
            }
            console.log(execSync('echo execSync').toString(), execFileSync('echo', ['execFileSync']).toString());
            const failed = spawnSync('sh', ['-c', 'cat; exit 5'], { input: 'spawnSync' });
            console.log(failed.status, failed.stdout.toString(), spawnSync('/nonexistent').error.code);
            const done = (promise, name) => new Promise((resolve) => promise(resolve)).then((x) => console.log(name, x));
            (async () => {
                await done((resolve) => exec('echo exec; exit 4', (error, out) => resolve([error.code, out])), 'exec');
                await done((resolve) => execFile('sh', ['-c', 'echo $0; echo no >&2; exit 3', 'name'],
                    (error, out, err) => resolve([error.code, out, err])), 'execFile');
                await done((resolve) => spawn('sh', ['-c', 'kill -9 $$']).on('exit', (c, s) => resolve([c, s])), 'spawn');
                await done((resolve) => spawn('sh', ['-c', 'echo inherited; cat <&3'], { stdio: ['ignore', 'inherit', 'inherit',
                    require('fs').openSync(__filename)] }).on('close', resolve), 'inherit');
                await done((resolve) => {
                    const child = spawn('sh', ['-c', 'read line; echo piped $line'], { detached: true });
                    child.unref();
                    child.stdin.end('through\\n');
                    child.stdout.on('data', (out) => resolve(String(out)));
                }, 'detached');
                await done((resolve) => exec('sleep 60', { timeout: 50 }, (error) => resolve([error.killed, error.signal])),
                    'in time');
                const child = fork(__filename, ['child']);
                child.send('there and');
                await done((resolve) => child.on('message', resolve), 'fork');
                await done((resolve) => child.on('exit', resolve), 'left');
            })();""", expect=0)
        self.assertIn("there and back", plain.stdout)

    def test_worker_threads(self):
        self.check("""
            const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
            if (isMainThread) {
                const results = [];
                for (const n of [1, 2, 3])
                    new Worker(__filename, { workerData: n }).on('message', (text) => results.push(text)).on('exit', (code) => {
                        results.push(`exit ${code}`);
                        if (results.length === 6) console.log(results.sort());
                    });
            } else {
                setTimeout(() => parentPort.postMessage(`worker ${workerData}`), workerData);
            }""", expect=0)

    def test_uncaught_exception_that_is_handled(self):
        self.check("""
            process.on('uncaughtException', (error, origin) => { console.error(origin, error.message); process.exitCode = 6; });
            process.on('exit', (code) => console.log('exit', code));
            setTimeout(() => { throw new Error('late') }, 1);
            setTimeout(() => console.log('goes on'), 5);""", expect=6)

    def test_snapshot(self):
        entry = self.write("""
            globalThis.table = Array.from({ length: 1000 }, (_, n) => n * n);
            require('v8').startupSnapshot.setDeserializeMainFunction(() =>
                setTimeout(() => console.log(globalThis.table[31], process.argv.length), 1));""", "entry.js")
        plain = self.run_plain(NODE, "--snapshot-blob", "plain.blob", "--build-snapshot", entry)
        recorded = self.record(NODE, "--snapshot-blob", "recorded.blob", "--build-snapshot", entry)
        self.assertEqual((plain.returncode, recorded.returncode), (0, 0), recorded.stderr)
        shutil.rmtree(self.trace)
        plain = self.run_plain(NODE, "--snapshot-blob", "plain.blob", "word")
        recorded = self.record(NODE, "--snapshot-blob", "recorded.blob", "word")
        self.assertEqual((recorded.returncode, recorded.stdout, recorded.stderr),
                         (plain.returncode, plain.stdout, plain.stderr))
        self.assertIn("961", plain.stdout)
        self.assertTrue(self.callbacks(self.report(), "RunTimers"))

    @unittest.skipUnless(shutil.which("npm"), "needs npm")
    def test_npm_install(self):
        npm = pathlib.Path(shutil.which("npm")).resolve()
        for name in ("dependency", "plain", "recorded"):
            (self.place / name).mkdir()
        self.write('{"name": "dependency", "version": "1.0.0", "scripts": {"postinstall": "node -p 6*7 >done"}}',
                   "dependency/package.json")
        archive = self.run_plain(NODE, npm, "pack", "--silent", "./dependency").stdout.strip()
        for place, run in (("plain", self.run_plain), ("recorded", self.record)):
            self.write('{"name": "user", "version": "1.0.0", "private": true}', f"{place}/package.json")
            done = run(NODE, npm, "install", "--silent", "--offline", "--no-audit", "--no-fund", "--install-links",
                       "--prefix", place, f"./{archive}", env={**DEFAULTS, "HOME": str(self.place)})
            self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
            self.assertEqual((self.place / place / "node_modules/dependency/done").read_text(), "42\n")
        self.assertGreaterEqual(len(self.report()["processes"]), 2) # npm, and the node of its script

    def test_test_runner(self):
        program = self.write("""
            const test = require('node:test'), assert = require('assert');
            test('good', () => {}); test('bad', () => assert.equal(1, 2));""", "some.test.js")
        plain = self.run_plain(NODE, "--test", program)
        recorded = self.record(NODE, "--test", program)
        self.assertEqual((plain.returncode, recorded.returncode), (1, 1))
        for count in (r"pass (\d+)", r"fail (\d+)"):
            self.assertEqual(re.search(count, recorded.stdout)[1], re.search(count, plain.stdout)[1])

    def test_compression_names_and_random(self):
        self.check("""
            const data = Buffer.alloc(1 << 20, 'uvscope');
            require('zlib').gzip(data, (e, packed) => require('zlib').gunzip(packed, (e, out) => {
                console.log(out.equals(data));
                require('dns').lookup('localhost', { family: 4 }, (e, address) => console.log(address));
                require('crypto').randomBytes(8, (e, bytes) => console.log(bytes.length));
            }));""", expect=0)


class Processes(Recorded):
    """Threads and children have loops of their own."""

    def test_worker_threads_have_loops(self):
        said, report = self.recorded("""
            const { Worker, isMainThread, threadId, parentPort } = require('worker_threads');
            if (isMainThread) {
                const busy = [];
                for (let n = 0; n < 2; n++)
                    new Worker(__filename).on('message', (ms) => {
                        if (busy.push(ms) === 2) console.log(JSON.stringify(busy));
                    });
            } else {
                setImmediate(() => {
                    const begin = performance.now();
                    while (performance.now() < begin + 150);
                    parentPort.postMessage(performance.now() - begin);
                });
            }""")
        main_tid = report["processes"][0]["pid"]
        loops = [loop for loop in report["loops"] if loop["tid"] != main_tid and loop["blocked"]["count"]]
        self.assertEqual(len(loops), 2)
        self.assertEqual(len({loop["tid"] for loop in loops}), 2)
        for loop in loops:
            self.assertGreaterEqual(loop["block"]["max_ns"], min(said) * MS * 0.98)

    def test_exec_sync_is_a_nested_run(self):
        said, report = self.recorded("""
            setTimeout(() => {
                const begin = performance.now();
                require('child_process').execSync('sleep 0.2');
                console.log(JSON.stringify(performance.now() - begin));
            }, 1);""")
        row = max((row for row in report["sync_calls"] if row["kind"] == "nested_run"),
                  key=lambda row: row["duration"]["max_ns"])
        self.assertIsNotNone(row["loop"])
        self.assertLessEqual(row["duration"]["max_ns"], said * MS)
        self.assertGreaterEqual(row["duration"]["max_ns"], 150 * MS)
        loop, = [loop for loop in report["loops"] if loop["loop"] == row["loop"]]
        longest = loop["blocked"]["worst"][0]["sync_calls"][0]
        self.assertEqual(longest["kind"], "nested_run")
        self.assertIn("SyncProcessRunner", longest["called_from"]["function"])
        self.assertGreaterEqual(longest["ns"], 150 * MS)

    def test_threads_keep_their_names(self):
        said, report = self.recorded("""
            const { Worker, isMainThread, parentPort } = require('worker_threads');
            const name = () => require('fs').readFileSync('/proc/thread-self/comm', 'utf8').trim();
            if (isMainThread) {
                const worker = new Worker(__filename, { name: 'sorter' });
                worker.on('message', (theirs) => console.log(JSON.stringify([name(), theirs])));
            } else {
                setTimeout(() => parentPort.postMessage(name()), 20);
            }""")
        self.assertLessEqual(set(said), {loop["name"] for loop in report["loops"]})

    def test_addon_on_nodes_loop(self):
        """What a native addon asks of Node's own libuv is traced like Node's own."""
        addon = PROGRAMS / "e2e_addon.node"
        said, report = self.recorded(f"""
            const addon = require({json.dumps(str(addon))});
            addon.work(3, (done) => console.log(JSON.stringify(done)));""")
        self.assertEqual(said, 3)
        row, = [row for row in self.requests(report, "work") if row["site"]["function"] == "addon_work"]
        self.assertEqual((row["count"], row["service"]["count"]), (3, 3))

    def test_addon_with_a_libuv_of_its_own(self):
        addon = PROGRAMS / "e2e_bundling.node"
        program = self.write(f"""
            const {{ run }} = require({json.dumps(str(addon))});
            setImmediate(() => console.log(run(20), process.versions.uv.split('.')[0]));""")
        plain = self.run_plain(NODE, program)
        recorded = self.record(NODE, program, plugins=[addon])
        self.assertEqual((recorded.returncode, recorded.stdout, recorded.stderr), (0, plain.stdout, ""))
        self.assertEqual(plain.stdout, "0 1\n")
        report = self.report()
        self.assertEqual([(process["copy"], process["hooks"]) for process in report["processes"]],
                         [(0, "patched"), (1, "patched")])
        tick, = self.callbacks(report, "plugin_tick")
        self.assertEqual(tick["duration"]["count"], 20)
        pool, = [pool for pool in report["pool"] if pool["copy"] == 1]
        self.assertEqual([(row["kind"], row["count"]) for row in pool["requests"]], [("fs.stat", 20)])
        self.assertTrue(any(row["kind"] == "nested_run" for row in report["sync_calls"]))

    def test_cluster(self):
        said, report = self.recorded("""
            const cluster = require('cluster'), http = require('http');
            if (cluster.isPrimary) {
                let listening = 0;
                for (let n = 0; n < 2; n++) cluster.fork();
                cluster.on('listening', async (worker, { port }) => {
                    if (++listening < 2) return;
                    const bodies = [];
                    for (let n = 0; n < 8; n++)
                        bodies.push(await (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text());
                    cluster.disconnect(() => console.log(JSON.stringify(bodies)));
                });
            } else {
                http.createServer((request, response) => response.end(String(process.pid))).listen(0, '127.0.0.1');
            }""")
        self.assertEqual(len(said), 8)
        seen = {process["pid"] for process in report["processes"]}
        self.assertEqual(len(seen), 3)
        self.assertLessEqual({int(pid) for pid in said}, seen)

    def test_forked_child_is_traced(self):
        said, report = self.recorded("""
            if (process.argv[2]) {
                require('fs').readFile(__filename, () => process.send(process.pid));
            } else {
                require('child_process').fork(__filename, ['child']).on('message', (pid) => console.log(JSON.stringify(pid)));
            }""")
        pools = [pool for pool in report["pool"] if pool["pid"] == said and pool["requests"]]
        self.assertEqual(len(pools), 1)

    def test_a_title_hides_no_arguments(self):
        said, report = self.recorded("""
            process.title = 'short';
            setTimeout(() => console.log(JSON.stringify(require('fs').readdirSync('.'))), 20);""")
        arguments = report["processes"][0]["argv"]
        self.assertEqual((len(arguments), pathlib.Path(arguments[-1]).name), (2, "program.js"))
        self.assertEqual([name for name in said if name.startswith("isolate-")], []) # V8's log

    def test_pool_size(self):
        said, report = self.recorded("""
            const { pbkdf2 } = require('crypto');
            let left = 4;
            for (let n = 0; n < 4; n++) pbkdf2('a', 'b', 1000, 64, 'sha512', () => --left || console.log(4));
            """, env={**DEFAULTS, "UV_THREADPOOL_SIZE": "2"})
        self.assertEqual((report["processes"][0]["pool_size"], report["pool"][0]["size"]), (2, 2))
        self.assertEqual(sum(row["count"] for row in self.requests(report, "work")), said)


class Truth(Recorded):
    """The program measures itself, and the report says the same. The margins bear a busy machine."""

    def test_files_behind_hashes(self):
        said, report = self.recorded("""
            const { pbkdf2, pbkdf2Sync } = require('crypto'), { open } = require('fs');
            const sample = performance.now();
            pbkdf2Sync('a', 'b', 20000, 64, 'sha512');
            const rounds = Math.ceil(20000 * 200 / (performance.now() - sample));
            setImmediate(() => {
                const begin = performance.now(), hashes = [], files = [];
                const done = (times) => {
                    times.push(performance.now() - begin);
                    if (hashes.length + files.length === 16) console.log(JSON.stringify({ hashes, files }));
                };
                for (let n = 0; n < 4; n++) pbkdf2('a', 'b', rounds, 64, 'sha512', () => done(hashes));
                for (let n = 0; n < 12; n++) open(__filename, () => done(files));
            });""")
        opened, = self.requests(report, "fs.open")
        hashed, = self.requests(report, "work")
        self.assertEqual((opened["count"], hashed["count"]), (12, 4))
        # None could begin before the first hash had ended; each had begun before its callback ran.
        self.assertGreaterEqual(opened["queue"]["min_ns"], hashed["service"]["min_ns"] * 0.9)
        self.assertLessEqual(opened["queue"]["max_ns"], max(said["files"]) * MS)
        self.assertLess(opened["service"]["max_ns"], opened["queue"]["min_ns"])

    BUSY = """
        const net = require('net');
        let client;
        const server = net.createServer((socket) => {
            const times = {};
            const done = () => {
                if (!times.timer || !times.read) return;
                console.log(JSON.stringify(times));
                socket.destroy(); client.destroy(); server.close();
            };
            socket.on('data', () => { times.read = performance.now() - times.begin; done(); });
            setImmediate(function busy() {
                setTimeout(() => { times.timer = performance.now() - times.begin; done(); }, 10);
                client.write('x');
                times.begin = performance.now();
                while (performance.now() < times.begin + 300);
                times.busy = performance.now() - times.begin;
            });
        }).listen(0, '127.0.0.1', () => { client = net.connect(server.address().port, '127.0.0.1'); });"""

    def test_a_busy_function_delays_a_timer_and_a_read(self):
        said, report = self.recorded(self.BUSY)
        self.assertGreaterEqual(min(said["timer"], said["read"]), 300)
        loop, = [loop for loop in report["loops"] if loop["blocked"]["count"]]
        block = loop["blocked"]["worst"][0]
        self.assertEqual(block["class"], "long_callback")
        self.assertGreaterEqual(block["duration_ns"], said["busy"] * MS)
        # Node reckons from the time at which its loop awoke: 10 ms after that the timer was due.
        timer, = self.callbacks(report, "node::Environment::RunTimers")
        self.assertGreaterEqual(timer["delay"]["max_ns"], (said["busy"] - 10) * MS)
        self.assertLessEqual(timer["delay"]["max_ns"], block["duration_ns"] + 50 * MS)
        # When data arrived while the loop was busy nobody knows: the block before it is what the report has.
        read, = self.callbacks(report, "", "read")
        self.assertGreaterEqual(read["delay_most"]["max_ns"], said["busy"] * MS)
        self.assertEqual((read["loop"], read["delay"]["count"]), (loop["loop"], read["count"]))

    def test_everything_on_a_pool_of_two(self):
        said, report = self.recorded("""
            const fs = require('fs'), { pbkdf2 } = require('crypto'), { gzip } = require('zlib'), { lookup } = require('dns');
            const data = Buffer.alloc(1 << 18, 'uvscope'), left = { pbkdf2: 4, gzip: 4, lookup: 4, stat: 4 };
            const done = (kind) => (error) => {
                if (error) throw error;
                left[kind]--;
                if (!Object.values(left).some(Boolean)) console.log(JSON.stringify(left));
            };
            setImmediate(() => {
                for (let n = 0; n < 4; n++) {
                    pbkdf2('a', 'b', 20000, 64, 'sha512', done('pbkdf2'));
                    gzip(data, done('gzip'));
                    lookup('localhost', done('lookup'));
                    fs.stat(__filename, done('stat'));
                }
            });""", env={**DEFAULTS, "UV_THREADPOOL_SIZE": "2"})
        self.assertEqual(said, {"pbkdf2": 0, "gzip": 0, "lookup": 0, "stat": 0})
        pool, = report["pool"]
        counts = {kind: sum(row["count"] for row in self.requests(report, kind))
                  for kind in ("work", "fs.stat", "getaddrinfo")}
        self.assertGreaterEqual(counts["work"], 8) # and each further piece of a gzip
        self.assertEqual((counts["fs.stat"], counts["getaddrinfo"]), (4, 4))
        # Whoever waits for a worker waits because all of them are busy, but for the moment of its awakening.
        waited = max(row["queue"]["max_ns"] for row in self.requests(report, "work"))
        self.assertGreater(pool["saturated_ns"], waited / 2)
        self.assertGreaterEqual(pool["max_queue_depth"], 8)
        for row in pool["requests"]:
            self.assertEqual(row["queue"]["count"], row["count"])

    def test_background_work_blocks_nothing(self):
        said, report = self.recorded("""
            const { pbkdf2 } = require('crypto');
            setImmediate(() => {
                const begin = performance.now();
                pbkdf2('a', 'b', 1000000, 64, 'sha512', () => console.log(JSON.stringify(performance.now() - begin)));
            });""")
        row, = self.requests(report, "work")
        self.assertLessEqual(row["service"]["max_ns"], said * MS)
        self.assertGreaterEqual(row["queue"]["max_ns"] + row["service"]["max_ns"] + row["return"]["max_ns"], said * MS * 0.5)
        for loop in report["loops"]:
            self.assertLess(loop["block"]["max_ns"], row["service"]["max_ns"] / 2)


class Load(Recorded):
    SERVER = """
        const fs = require('fs'), [, , scheme, key] = process.argv;
        const options = key ? { key: fs.readFileSync(key), cert: fs.readFileSync(key) } : {};
        const server = require(scheme).createServer(options, (request, response) => response.end('hello'));
        server.listen(0, '127.0.0.1', () => console.log(server.address().port));
        process.on('SIGTERM', () => { server.close(); server.closeAllConnections(); });"""

    def serve(self, scheme, *key):
        """Recorded under load: how many were served, and the report."""
        command = [COMMAND, "record", "-q", "-o", self.trace, "--", NODE, self.write(self.SERVER), scheme, *key]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=self.place, env=DEFAULTS)
        try:
            port = int(server.stdout.readline())
            load = self.run_plain("wrk", "-t1", "-c8", "-d2s", f"{scheme}://127.0.0.1:{port}/")
            server.terminate()
            self.assertEqual(server.wait(PATIENCE_S), 0)
        finally:
            server.stdout.close()
            if server.poll() is None:
                server.kill()
                server.wait()
        self.assertNotIn("Socket errors", load.stdout)
        self.assertNotIn("Non-2xx", load.stdout)
        served = int(re.search(r"(\d+) requests in", load.stdout)[1])
        self.assertGreater(served, 100)
        return served, self.report()

    def test_http_server_under_load(self):
        served, report = self.serve("http")
        if report["trace"]["loss"]["events"] == 0:
            self.assertGreaterEqual(sum(row["count"] for row in self.callbacks(report, "", "read")), served)
            self.assertGreaterEqual(sum(row["count"] for row in self.callbacks(report, "", "connection")), 8)

    def test_https_server_under_load(self):
        key = self.place / "key.pem"
        self.run_plain("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                       "-keyout", key, "-out", self.place / "cert.pem")
        key.write_text(key.read_text() + (self.place / "cert.pem").read_text())
        served, report = self.serve("https", key)
        if report["trace"]["loss"]["events"] == 0:
            self.assertGreaterEqual(sum(row["count"] for row in self.callbacks(report, "", "read")), served)
            self.assertGreaterEqual(sum(row["count"] for row in self.callbacks(report, "", "connection")), 8)


if __name__ == "__main__":
    unittest.main()
