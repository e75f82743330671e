#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints a text event log of a made-up program: loops whose callbacks ask for more, a pool, loss and damage.

    random_log.py SEED [STEPS [SCALE]]

The same seed gives the same log: what its report was before a change, it must be after it. With a SCALE all takes so
many times as long, who is there is told each second, and nothing is lost.
"""
import random
import re
import sys

MS = 1000000
POOL_KINDS = ["fs.read", "fs.open", "fs.stat", "work", "getaddrinfo", "getnameinfo", "random"]
OTHER_KINDS = ["write", "connect", "shutdown", "udp_send"]
HANDLE_KINDS = ["timer", "timer", "async", "poll", "read", "idle", "check", "close", "signal"]


class Pool:
    """First in, first out; look-ups take at most half of the workers, as far as a sketch needs it."""

    def __init__(self, log, size):
        self.log, self.free = log, [0] * size
        self.done = []  # (time, operation), of finished requests by loop

    def submit(self, loop, op, kind, now):
        rng = self.log.rng
        worker = min(range(len(self.free)), key=lambda i: self.free[i])
        begin = max(self.free[worker], now + rng.choice([0, 0, 300, 7000]))
        service = rng.choice([900, 20000, MS, 7 * MS, 60 * MS])
        if self.log.loses(0.01):
            return  # it never comes back
        end = begin + service * rng.randint(50, 150) // 100
        if rng.random() < 0.02:
            self.log.say(now + 10, f"cancel loop={loop.key} op={op} result={rng.choice([0, -16])}")
        else:
            self.free[worker] = end
            self.log.say(end, f"work loop={loop.key} op={op} kind={kind} tid={90 + worker} "
                              f"queue_ns={'-' if self.log.loses(0.01) else begin - now} service_ns={end - begin}")
        loop.finished.append((end, op, kind))


class Log:
    def __init__(self, seed, scale):
        self.rng = random.Random(seed)
        self.lines, self.op = [], 0
        self.scale, self.identity = scale, ""

    def loses(self, share):
        return self.rng.random() < share and self.scale == 1

    def say(self, time, text):
        self.lines.append((time, len(self.lines), text))

    def announce(self, loop):
        """As the runtime does, about once a second."""
        for who in (self, loop):
            if self.scale > 1 and (loop.now - who.announced) * self.scale >= 1000 * MS:
                self.say(loop.now, who.identity)
                who.announced = loop.now

    def next_op(self):
        self.op += 1 if self.rng.random() < 0.95 else 4096
        return self.op


class Loop:
    def __init__(self, log, pid, slot, pool):
        self.log, self.key, self.pool, self.sites = log, f"{pid}:{slot}", pool, 0x1000 * (slot + 1)
        self.now = log.rng.randint(0, 5 * MS)
        self.finished, self.handles = [], []
        self.announced = self.now
        self.identity = f"loop_info loop={self.key} tid={pid + slot} is_default={int(slot == 0)} name=loop{slot}"
        log.say(self.now, self.identity)

    def schedule(self, parent, now):
        rng, op = self.log.rng, self.log.next_op()
        what = rng.random()
        kinds = POOL_KINDS if what < 0.5 else OTHER_KINDS if what < 0.7 else HANDLE_KINDS
        kind = rng.choice(kinds)
        site = self.sites + rng.randrange(12) * 16
        if not self.log.loses(0.02):
            self.log.say(now, f"schedule loop={self.key} op={op} parent={parent} kind={kind} callback={site:#x} "
                              f"timeout_ms={rng.randrange(100)}")
        if kinds is POOL_KINDS:
            self.pool.submit(self, op, kind, now)
        else:
            self.handles.append((now + rng.choice([0, MS, 20 * MS]), op, kind, site))

    def callback(self, op, kind, site, due, depth):
        rng = self.log.rng
        begin = self.now + rng.randrange(500)
        self.now = begin + rng.choice([100, 2000, 40000])
        for _ in range(rng.choice([0, 0, 1, 1, 2])):
            self.schedule(op, self.now)
            self.now += rng.randrange(200)
        if rng.random() < 0.1:
            took = rng.choice([300, 5000, 30 * MS])
            self.now += took
            self.log.say(self.now, f"sync_call loop={self.key} kind={rng.choice(['fs.read', 'mutex_lock', 'sleep'])} "
                                   f"caller={self.sites + 0x800 + rng.randrange(3):#x} duration_ns={took}")
        if depth < 3 and rng.random() < 0.1:
            self.callback(self.log.next_op(), "close", self.sites + 0x300, self.now, depth + 1)
        if rng.random() < 0.03:
            self.now += rng.choice([12, 55, 130]) * MS
        delay = "-" if self.log.loses(0.02) else max(0, begin - due)
        duration = "-" if self.log.loses(0.005) else self.now - begin
        result = rng.choice([0, 0, 0, 1, 3, -125])
        if not self.log.loses(0.003):
            self.log.say(self.now, f"callback loop={self.key} op={op} kind={kind} depth={depth} callback={site:#x} "
                                   f"duration_ns={duration} delay_ns={delay} result={result}")

    def iterate(self):
        rng, begin = self.log.rng, self.now
        ready = [h for h in self.handles if h[0] <= begin][:6]
        done = [f for f in self.finished if f[0] <= begin][:8]
        self.handles = [h for h in self.handles if h not in ready]
        self.finished = [f for f in self.finished if f not in done]
        for due, op, kind, site in ready:
            self.callback(op, kind, site, due, 0)
            if kind in HANDLE_KINDS and rng.random() < 0.5:
                self.handles.append((self.now + rng.choice([0, MS]), op, kind, site))
        for end, op, kind in done:
            self.callback(op, kind, self.sites + 0x500 + 16 * POOL_KINDS.index(kind), end, 0)
        if not ready and not done and rng.random() < 0.3:
            self.schedule(0, self.now)
        busy, wait = self.now - begin, rng.choice([0, 3000, 90000, 2 * MS])
        left = rng.random() < 0.05
        if left:
            wait = 0
        self.now += wait
        calls = 0 if left else 1
        self.log.announce(self)
        self.log.say(self.now, f"poll loop={self.key} wait_ns={wait} busy_ns={'-' if self.log.loses(0.01) else busy} "
                               f"callbacks={len(ready) + len(done)} timeout_ms={rng.choice([-1, 0, 5])} ready=1 calls={calls}")
        if left:
            self.now += rng.choice([0, 30 * MS])


def damage(log, end):
    rng = log.rng
    for _ in range(rng.choice([0, 0, 0, 1, 3])):
        at = rng.randrange(end + 1)
        log.say(at, f"lost begin_ns={at} end_ns={at + rng.choice([0, MS, 50 * MS])} events={rng.choice([7, (1 << 64) - 1])}")
    if rng.random() < 0.2:
        log.say(rng.randrange(end + 1), "dropped loop=7:- reason=1 count=67")
    if rng.random() < 0.3:
        at = rng.randrange(end + 1)
        log.say(at, f"stall loop=7:0 op={rng.randrange(log.op + 1)} kind=timer callback=0x1010 tid=7 busy_ns={60 * MS} cpu_ns={MS}")
    if rng.random() < 0.1:
        log.say(rng.randrange(end + 1), f"process_info loop=7:- pid=7 pid_ns=1 start_ns=999 schema=1 libuv=0x013000 "
                                        f"pool_size=4 exe=/bin/again argv=again")


def scaled(text, scale):
    return re.sub(r"((?:duration|delay|wait|busy|cpu|queue|service)_ns=)(\d+)", lambda m: f"{m[1]}{int(m[2]) * scale}", text)


def main():
    given = [int(word) for word in sys.argv[1:]]
    seed, steps, scale = given + [120, 1][len(given) - 1:]
    log = Log(seed, scale)
    rng = log.rng
    size = rng.choice([1, 2, 4, 4, 8])
    libuv = rng.choice(["0x012c02", "0x013000"])
    log.identity = (f"process_info loop=7:- pid=7 pid_ns=1 start_ns=5 schema=1 libuv={libuv} pool_size={size} "
                    "exe=/bin/made argv=made")
    log.announced = 0
    log.say(0, log.identity)
    pool = Pool(log, size)
    loops = [Loop(log, 7, slot, pool) for slot in range(rng.choice([1, 1, 2, 3]))]
    for _ in range(steps):
        min(loops, key=lambda loop: loop.now).iterate()
    if scale == 1:
        damage(log, max(loop.now for loop in loops))
    for time, _, text in sorted(log.lines):
        print(f"{time * scale} {scaled(text, scale)}")


main()
