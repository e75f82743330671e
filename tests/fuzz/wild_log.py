# SPDX-License-Identifier: MIT
"""Text event logs that no program could emit: events with the fields that docs/EVENTS.md gives them, of few processes, loops, threads
and operations, so that they meet, with times that are near one another, anywhere, or at the ends of what 64 bits hold."""

import pathlib
import re

EVENTS = pathlib.Path(__file__).parents[2] / "docs/EVENTS.md"
# How often, beside once; the rest is rare.
WEIGHTS = {"callback": 12, "stall": 12, "poll": 10, "schedule": 8, "work": 6, "sync_call": 3, "gc": 3, "waiting": 3, "totals": 3,
           "lost": 2, "loop_end": 2, "callback_begin": 2, "work_begin": 2}
KINDS = ("timer", "async", "read", "close", "idle", "check", "write", "work", "work", "fs.read", "fs.open", "getaddrinfo", "random")
KEYS = ("7:0", "7:0", "7:0", "7:1", "7:2", "8:0", "7:-", "8:-")
ADDRESSES = (0, 0x100, 0x200, 0x300, 0x1010, 0x1110, 0x2010, 0x9010, 0x50000)
EDGES = (0, 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 2, (1 << 64) - 1)
WORDS = ("r", "", "a b", "/bin/x", "js", "\\x1b[2J", "x" * 300)


def read_events():
    """{event: [(field, its type)]}, as documented; `lost` is the reader's own."""
    events = {"lost": [(name, "uint64_t") for name in ("begin_ns", "end_ns", "events", "packets")]}
    name = None
    for line in EVENTS.read_text(encoding="utf-8").splitlines():
        if line.startswith("### "):
            name = line[4:]
        field = re.match(r"\| `(\w+)` \| (sequence of uint64_t|u?int\d+_t|string) \|", line)
        if field and name:
            events.setdefault(name, []).append(field.groups())
    return events


class Wild:
    def __init__(self, rng, events):
        self.rng, self.events = rng, events
        self.edges = rng.choice((0, 0, 0.02, 0.3))
        self.in_order = rng.random() < 0.6
        self.span = rng.choice((10 ** 6, 10 ** 9, 10 ** 11))

    def time(self):
        rng = self.rng
        if rng.random() < self.edges:
            return rng.choice(EDGES)
        # Round ones meet.
        return rng.choice((rng.randrange(self.span), rng.randrange(20) * (self.span // 20)))

    def value(self, field, kind):
        rng = self.rng
        if field == "loop":
            return rng.choice(KEYS)
        if field in ("op", "parent"):
            return rng.randrange(8)
        if field in ("callback", "caller", "base"):
            return rng.choice(ADDRESSES)
        if field == "frames":
            return ",".join(hex(rng.choice(ADDRESSES)) for _ in range(rng.choice((1, 2, 3, 4, 60))))
        if field == "buckets":
            return ",".join(str(rng.randrange(1100) << 32 | rng.randrange(1, 9)) for _ in range(rng.randrange(1, 6)))
        if field in ("tid", "pid"):
            return rng.choice((7, 8, 9, 11, 12, 13))
        if field == "schema":
            return 1
        if field.endswith("_ns"):
            return self.time()
        if kind == "string":
            return f'"{rng.choice(WORDS)}"'
        bits = int(re.search(r"\d+", kind)[0])
        if rng.random() < self.edges:
            return rng.choice(EDGES) % (1 << bits - (kind[0] == "i"))
        return rng.randrange(5)

    def event(self, name):
        rng = self.rng
        words = [name]
        for field, kind in self.events[name]:
            value = self.value(field, kind)
            if field == "kind" and name not in ("gc", "totals"):
                value = rng.choice(KINDS)
            if rng.random() < 0.9 or field == "loop":
                words.append(f"{field}={value}")
        return " ".join(words)

    def log(self):
        rng = self.rng
        names = [name for name in self.events for _ in range(WEIGHTS.get(name, 1))]
        told = [(self.time(), self.event(rng.choice(names))) for _ in range(rng.choice((20, 100, 400)))]
        if self.in_order:
            told.sort(key=lambda line: line[0])
        known = [f"0 process_info loop={pid}:- pid={pid} schema=1 libuv=76802 pool_size=4 exe=node" for pid in (7, 8)]
        known += [f"0 loop_info loop={key} tid={tid} is_default={int(tid != 8)} name=n" for key, tid in (("7:0", 7), ("7:1", 8), ("8:0", 9))]
        return "\n".join(known + [f"{time} {text}" for time, text in told]) + "\n"
