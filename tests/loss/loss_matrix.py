#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Takes away packets and events of whole traces, as LTTng does when it cannot keep up, and holds what is reported against
the report of the whole: a figure that is not unknown must be right, or a lower bound where docs/ANALYSES.md says so."""

import argparse
import collections
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

ABSENT = "18446744073709551615"
UNITS = {"": 1, "ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}


# --- Traces: lists of (time, type, line) ---

def parse_time(text):
    number, unit = re.fullmatch(r"([\d.]+)([a-z]*)", text).groups()
    whole, _, fraction = number.partition(".")
    return int(whole) * UNITS[unit] + (int(fraction) * UNITS[unit] // 10**len(fraction) if fraction else 0)


def read_log(text):
    events = []
    for line in text.splitlines():
        words = line.split(None, 2)
        if words and not line.startswith("#"):
            events.append((parse_time(words[0]), words[1], line))
    return events


def lost_line(begin, end, events=0, packets=0):
    return (begin if begin is not None else 0, "lost",
            f"{begin or 0} lost begin_ns={'-' if begin is None else begin} end_ns={end} events={events} packets={packets}")


def packets_of(events, rng, streams, size):
    """Indexes of events, by packet, by stream: a thread stays on a processor for a while."""
    stream, chosen = 0, [[] for _ in range(streams)]
    for index in range(len(events)):
        if rng.random() < 0.2:
            stream = rng.randrange(streams)
        chosen[stream].append(index)
    return [[one[at:at + size] for at in range(0, len(one), size)] for one in chosen]


def without_events(events, layout, dropped):
    """As if they had been discarded one by one: each packet's counter tells how many since the packet before it."""
    left = [event for index, event in enumerate(events) if index not in dropped]
    for packets in layout:
        end_before = None
        for packet in packets:
            count = sum(index in dropped for index in packet)
            end = events[packet[-1]][0]
            if count:
                # What the first packet's counter began with is not known.
                begin = end_before if end_before is not None else events[packet[0]][0]
                left.append(lost_line(begin, end, count if end_before is not None else ABSENT))
            end_before = end
    return left


def without_packets(events, layout, dropped):
    """As if they had been overwritten: the next packet's number tells. dropped: (stream, packet)."""
    gone, markers = set(), []
    for number, packets in enumerate(layout):
        kept = [at for at in range(len(packets)) if (number, at) not in dropped]
        for at in range(len(packets)):
            if at not in kept:
                gone.update(packets[at])
        for before, after in zip([None] + kept, kept):
            missing = after - (before if before is not None else -1) - 1
            if missing and before is not None:
                markers.append(lost_line(events[packets[before][-1]][0], events[packets[after][0]][0], packets=missing))
            elif missing:
                markers.append(lost_line(None, events[packets[after][0]][0], packets=missing))
        # Behind the last one nothing tells in the stream; `record` asks LTTng.
        if packets and (not kept or kept[-1] < len(packets) - 1):
            begin = events[packets[kept[-1]][-1]][0] if kept else None
            markers.append(lost_line(begin, events[packets[-1][-1]][0], ABSENT, len(packets) - 1 - (kept[-1] if kept else -1)))
    return [event for index, event in enumerate(events) if index not in gone] + markers


# Says how the process is traced, again and again: one of them is always left of a recording.
KEPT = "lean"


def patterns(events, rng, most):
    """Yields (name, events that are left)."""
    always = [event for event in events if event[1] == KEPT]
    for name, left in all_patterns([event for event in events if event[1] != KEPT], rng, most):
        yield name, left + always


def all_patterns(events, rng, most):
    indexes = range(len(events))
    for streams in (1, 2):
        layout = packets_of(events, rng, streams, max(2, len(events) // (12 * streams)))
        every = [(number, at) for number, packets in enumerate(layout) for at in range(len(packets))]
        for packet in rng.sample(every, min(len(every), most)):
            yield f"packet {packet} of {streams} streams", without_packets(events, layout, {packet})
        for share in (0.2, 0.6):
            some = {packet for packet in every if rng.random() < share}
            yield f"{share} of the packets of {streams} streams", without_packets(events, layout, some)
        yield f"a stream of {streams}", without_packets(events, layout, {packet for packet in every if packet[0] == 0})
        yield "the first packets", without_packets(events, layout, {packet for packet in every if packet[1] < 3})
        yield "the last packets", without_packets(events, layout, {packet for packet in every if packet[1] > 8})
        for event in rng.sample(indexes, min(len(indexes), most)):
            yield f"event {event}", without_events(events, layout, {event})
        for share in (0.05, 0.3, 0.7, 0.95):
            some = {index for index in indexes if rng.random() < share}
            yield f"{share} of the events", without_events(events, layout, some)
        for _ in range(most // 4):
            begin = rng.randrange(len(events))
            burst = set(range(begin, min(len(events), begin + rng.choice((2, 5, 20, 100)))))
            yield f"events {min(burst)} to {max(burst)}", without_events(events, layout, burst)
        yield "the first half", without_events(events, layout, set(indexes[:len(events) // 2]))
        yield "the last half", without_events(events, layout, set(indexes[len(events) // 2:]))
        for kind in sorted({event[1] for event in events}):
            yield f"all {kind}", without_events(events, layout, {index for index in indexes if events[index][1] == kind})


# --- Comparing ---

# A poll's event is written a moment after its end, and the watchdog's clock is not the loop's: of recordings, what a loop
# did next to what was lost is known as exactly as that. The analysis allows as much between the two.
SLACK_NS = 20000000


class Comparison:
    def __init__(self, slack_ns):
        self.slack_ns, self.wrong = slack_ns, []

    def say(self, what, *details):
        self.wrong.append(f"{what}: {', '.join(map(str, details))}")

    def at_most(self, what, part, whole, slack=0):
        if part and (whole is None or part > whole + slack):
            self.say(what, f"{part} of {whole}")

    def same(self, what, part, whole):
        if part is not None and part != whole:
            self.say(what, f"{part} for {whole}")

    def dist(self, what, part, whole, has_open=False):
        """has_open: a value may itself be a lower bound."""
        if not part or not part["count"]:
            return
        if not whole or not whole["count"]:
            self.say(what, "there is none in the whole")
            return
        slack = self.slack_ns if has_open else 0
        for key, most in (("count", 0), ("sum_ns", slack), ("max_ns", slack)):
            self.at_most(f"{what}.{key}", part[key], whole[key], most)
        # That polls less than 1 ms apart are one phase can only be told when both are there.
        if 1000000 <= part["min_ns"] < whole["min_ns"] and not has_open:
            self.say(f"{what}.min_ns", part["min_ns"], whole["min_ns"])


def address(site):
    return site and site["address"]


def by(rows, *keys):
    return {tuple(address(row[key]) if key in ("site", "called_from") else row[key] for key in keys): row for row in rows}


def pairs(comparison, what, part, whole, *keys):
    table = by(whole, *keys)
    for key, row in by(part, *keys).items():
        if key in table:
            yield f"{what} {key}", row, table[key]
        else:
            comparison.say(what, f"no {key} in the whole")


def compare_blocks(comparison, what, part, whole, busy):
    parts_of = {block["begin_ns"]: block for block in whole}
    for block in part:
        name = f"{what} block at {block['begin_ns']}"
        if block["open"]:
            # At least so long, by the watchdog.
            least = block["begin_ns"] + block["duration_ns"] - comparison.slack_ns
            if not any(begin <= block["begin_ns"] + comparison.slack_ns and end >= least for begin, end in busy.items()):
                comparison.say(name, f"lasts {block['duration_ns']} at least")
        elif busy.get(block["begin_ns"]) != block["begin_ns"] + block["duration_ns"]:
            comparison.say(name, f"lasts {block['duration_ns']}, until {busy.get(block['begin_ns'])}")
        other = parts_of.get(block["begin_ns"])
        if not other:
            continue
        if block["class"] not in ("unknown", other["class"]) and not block["open"]:
            comparison.say(name, f"is {block['class']} for {other['class']}")
        for part_list, time in (("callbacks", "self_ns"), ("sync_calls", "ns")):
            site = "site" if part_list == "callbacks" else "called_from"
            known = by(other[part_list], "kind", site)
            for key, row in by(block[part_list], "kind", site).items():
                if key in known:
                    comparison.at_most(f"{name} {part_list} {key}", row[time], known[key][time])


def compare_loops(comparison, part, whole, part_spans, spans):
    for what, row, full in pairs(comparison, "loop", part["loops"], whole["loops"], "pid", "loop"):
        comparison.at_most(f"{what} iterations", row["iterations"], full["iterations"])
        for key in ("busy_ns", "poll_ns", "outside_ns"):
            comparison.at_most(f"{what} {key}", row[key], full[key], comparison.slack_ns)
        has_open = any(span["type"] == "busy" and span["open"] for span in part_spans)
        comparison.dist(f"{what} block", row["block"], full["block"], has_open)
        for key in ("count", "sum_ns"):
            comparison.at_most(f"{what} blocked.{key}", row["blocked"][key], full["blocked"][key])
        busy = {span["begin_ns"]: span["end_ns"] for span in spans
                if span["type"] == "busy" and (span["pid"], span["loop"]) == (row["pid"], row["loop"])
                and span["begin_ns"] is not None}
        compare_blocks(comparison, what, row["blocked"]["worst"], full["blocked"]["worst"], busy)


def compare_callbacks(comparison, part, whole):
    for what, row, full in pairs(comparison, "callback", part["callbacks"], whole["callbacks"], "pid", "loop", "kind", "site"):
        for key in ("count", "cancelled", "sends", "overruns"):
            comparison.at_most(f"{what} {key}", row[key], full[key])
        for key in ("duration", "self", "delay", "delay_most", "latency"):
            comparison.dist(f"{what} {key}", row[key], full[key])
    for what, row, full in pairs(comparison, "sync call", part["sync_calls"], whole["sync_calls"], "pid", "loop", "kind", "called_from"):
        comparison.dist(what, row["duration"], full["duration"])
    unknown = sum(row["duration"]["count"] - row["self"]["count"] for row in part["callbacks"])
    without = sum(row["count"] - row["duration"]["count"] for row in part["callbacks"])
    if not unknown <= part["trace"]["loss"]["spans_unknown"] <= unknown + without:
        comparison.say("spans_unknown", part["trace"]["loss"]["spans_unknown"], unknown)


def compare_pools(comparison, part, whole):
    for what, row, full in pairs(comparison, "pool", part["pool"], whole["pool"], "pid"):
        for key in ("busy_ns", "saturated_ns", "max_queue_depth", "utilization"):
            comparison.at_most(f"{what} {key}", row[key], full[key] and full[key] * (1 + 1e-9))
        for key in ("never_started", "never_finished"):
            comparison.at_most(f"{what} {key}", row["stuck"][key], full["stuck"][key])
        for name, request, other in pairs(comparison, f"{what} request", [r for r in row["requests"] if address(r["site"])],
                                          full["requests"], "kind", "site"):
            for key in ("count", "cancelled", "slow_io_capped"):
                comparison.at_most(f"{name} {key}", request[key], other[key])
            for key in ("queue", "service", "return"):
                comparison.dist(f"{name} {key}", request[key], other[key])
            if request["engine"] not in ("unknown", other["engine"]):
                comparison.say(f"{name} engine", request["engine"], other["engine"])
        what_if, other = row["what_if"], full["what_if"]
        if what_if and other:
            comparison.at_most(f"{what} what if", what_if["requests"], other["requests"])
            comparison.at_most(f"{what} what if sum", what_if["recorded"]["sum_ns"], other["recorded"]["sum_ns"])
            for a, b in zip(what_if["threads"], other["threads"]):
                comparison.at_most(f"{what} with {a['threads']}", a["sum_ns"], b["sum_ns"])


WHO = ("pid", "loop", "what", "kind", "site")


def is_known(row):
    # Of a request whose submission was lost nobody knows whose it was.
    return row["what"] != "unknown" and (row["what"] != "request" or address(row["site"]))


def compare_blame(comparison, part, whole):
    for what, row, full in pairs(comparison, "culprit", [r for r in part["blame"]["culprits"] if is_known(r)],
                                 whole["blame"]["culprits"], *WHO):
        comparison.at_most(f"{what} victims", row["victims"], full["victims"])
        for key in ("inflicted_ns", "wall_ns", "worst_ns"):
            comparison.at_most(f"{what} {key}", row[key], full[key], comparison.slack_ns)
    for what, row, full in pairs(comparison, "victim", [r for r in part["blame"]["victims"] if is_known(r)],
                                 whole["blame"]["victims"], *WHO):
        for key in ("suffered_ns", "count", "worst_ns", "stale_ns"):
            comparison.at_most(f"{what} {key}", row[key], full[key])
        known = by(full["by"], "what", "kind", "site")
        for key, by_row in by(row["by"], "what", "kind", "site").items():
            if is_known(by_row):
                comparison.at_most(f"{what} by {key}", by_row["ns"], known.get(key, {"ns": 0})["ns"], comparison.slack_ns)


# Of LTTng's loss itself.
ABOUT_LOSS = {"events-lost", "totals-missing", "trace-incomplete"}


def compare_findings(comparison, part, whole):
    def place(finding):
        return (finding["id"], finding["where"].get("pid"), finding["where"].get("loop"))
    known = {place(finding) for finding in whole["findings"]}
    for finding in part["findings"]:
        if finding["id"] not in ABOUT_LOSS and place(finding) not in known:
            comparison.say("finding", finding["id"], finding["text"])


# By what a span is known in both, and which of its facts must be the same.
SPANS = {
    "callback": (("pid", "loop", "kind", "op", "end_ns"),
                 ("begin_ns", "delay_ns", "latency_ns", "parent", "scheduled_ns", "result", "cancelled")),
    "work": (("pid", "kind", "op", "end_ns"), ("begin_ns", "queue_ns", "tid")),
    "sync_call": (("pid", "loop", "kind", "end_ns", "begin_ns"), ()),
}


def compare_spans(comparison, part, whole):
    table = collections.defaultdict(list)
    for span in whole:
        keys = SPANS.get(span["type"], ((),))[0]
        table[(span["type"], *(span.get(key) for key in keys))].append(span)
    polls = collections.defaultdict(list)
    for span in whole:
        if span["type"] in ("poll", "outside"):
            polls[(span["type"], span["pid"], span["loop"])].append((span["begin_ns"], span["end_ns"]))
    for span in part:
        if span["type"] in SPANS:
            keys, facts = SPANS[span["type"]]
            key = (span["type"], *(span.get(key) for key in keys))
            if not table[key]:
                comparison.say("span", f"no {key} in the whole")
            for fact in facts if table[key] else ():
                comparison.same(f"{key} {fact}", span.get(fact), table[key][0].get(fact))
        elif span["type"] in ("poll", "outside"):
            own = polls[(span["type"], span["pid"], span["loop"])]
            covered = sum(max(0, min(end, span["end_ns"]) - max(begin, span["begin_ns"])) for begin, end in own)
            # A poll's event comes a moment before the busy interval after it.
            if span["end_ns"] - span["begin_ns"] > covered + comparison.slack_ns:
                comparison.say(f"{span['type']} at {span['begin_ns']}", f"{span['end_ns'] - span['begin_ns']} of {covered}")


# --- Running ---

class Analysis:
    def __init__(self, uvscope, place):
        self.uvscope, self.log = uvscope, pathlib.Path(place, "events")

    def run(self, *arguments):
        done = subprocess.run([self.uvscope, *arguments, "--in-process", self.log], capture_output=True, text=True, timeout=60)
        if done.returncode not in (0, 4):
            raise SystemExit(f"{arguments}: exit status {done.returncode}: {done.stderr}")
        return done.stdout if done.returncode == 0 else ""

    def of(self, events):
        ordered = sorted(events, key=lambda event: event[0])
        self.log.write_text("".join(line + "\n" for _, _, line in ordered))
        report = self.run("report", "--format", "json")
        spans = self.run("export", "--to", "ndjson")
        return (json.loads(report) if report else None,
                [span for span in map(json.loads, spans.splitlines()) if span["type"] not in ("process", "loop")])


def check(name, events, slack_ns, rng, analysis, most):
    whole, whole_spans = analysis.of(events)
    count = wrong = 0
    for pattern, left in patterns(events, rng, most):
        part, spans = analysis.of(left)
        if part is None:
            continue  # nothing of it was left, and that was said
        comparison = Comparison(slack_ns)
        compare_loops(comparison, part, whole, spans, whole_spans)
        compare_callbacks(comparison, part, whole)
        compare_pools(comparison, part, whole)
        compare_blame(comparison, part, whole)
        compare_findings(comparison, part, whole)
        compare_spans(comparison, spans, whole_spans)
        count += 1
        wrong += bool(comparison.wrong)
        for sentence in comparison.wrong[:5]:
            print(f"{name}, without {pattern}: {sentence}", file=sys.stderr)
    return count, wrong


def record(program, arguments, place):
    trace = pathlib.Path(place, "trace-" + pathlib.Path(program).name)
    done = subprocess.run([arguments.uvscope, "record", "--detail", "full", "-o", trace, "--", program],
                          capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise SystemExit(f"{program}: exit status {done.returncode}: {done.stderr}")
    log = subprocess.run([arguments.to_log, trace], check=True, capture_output=True, text=True).stdout
    return read_log(log)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uvscope", required=True)
    parser.add_argument("--to-log", required=True)
    parser.add_argument("--log", action="append", default=[], type=pathlib.Path, help="a text event log without loss")
    parser.add_argument("--most", type=int, default=8, help="single packets, and single events, of each trace")
    parser.add_argument("--events", type=int, default=4000, help="longer recordings are left out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("program", nargs="*", help="is recorded")
    arguments = parser.parse_args()
    traces = all_wrong = 0
    with tempfile.TemporaryDirectory(prefix="uvs-loss-") as place:
        analysis = Analysis(arguments.uvscope, place)
        named = [(log.stem, read_log(log.read_text()), 0) for log in arguments.log]
        named += [(pathlib.Path(program).name, record(program, arguments, place), SLACK_NS) for program in arguments.program]
        for name, events, slack_ns in named:
            if not 3 < len(events) <= arguments.events:
                continue
            count, wrong = check(name, events, slack_ns, random.Random(f"{arguments.seed} {name}"), analysis, arguments.most)
            traces += count
            all_wrong += wrong
            print(f"{name}: {len(events)} events, {count} incomplete traces, {wrong} with something wrong")
    print(f"{traces} incomplete traces, {all_wrong} with something wrong")
    return 1 if all_wrong or not traces else 0


sys.exit(main())
