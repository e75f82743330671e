#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Takes away packets and events of whole traces, as LTTng does when it cannot keep up, and holds what is reported against
the report of the whole: a figure that is not unknown must be right, or a lower bound where docs/ANALYSES.md says so."""

import argparse
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import compare_loss

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


# --- Running ---

class Analysis:
    def __init__(self, uvscope, place):
        self.uvscope, self.log = uvscope, pathlib.Path(place, "events")

    def of(self, events):
        ordered = sorted(events, key=lambda event: event[0])
        self.log.write_text("".join(line + "\n" for _, _, line in ordered))
        report = compare_loss.report_of(self.uvscope, self.log)
        return report and (report, compare_loss.spans_of(self.uvscope, self.log))


def check(name, events, slack_ns, rng, analysis, most):
    whole = analysis.of(events)
    count = wrong = 0
    for pattern, left in patterns(events, rng, most):
        part = analysis.of(left)
        if part is None:
            continue  # nothing of it was left, and that was said
        sentences = compare_loss.compare(part, whole, slack_ns)
        count += 1
        wrong += bool(sentences)
        for sentence in sentences[:5]:
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
        named += [(pathlib.Path(program).name, record(program, arguments, place), compare_loss.SLACK_NS) for program in arguments.program]
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
