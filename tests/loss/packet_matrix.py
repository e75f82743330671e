#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Records programs, splits what they recorded into many small packets, and takes packets and events away from them with the
counters that LTTng would have left; holds what both readers report of the rest against the report of the whole."""

import argparse
import collections
import dataclasses
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import compare_loss
import ctf_packets


# --- What LTTng does ---

def discard(packets, is_lost):
    """Events that had no room, one by one: counted in the packet that they would have been in."""
    left = []
    for packet in packets:
        events = [event for event in packet.events if not is_lost(event)]
        left.append(dataclasses.replace(packet, events=events, discarded=len(packet.events) - len(events)))
    return left


def fill(packets, first, last, kept):
    """All buffers are full: a packet ends early, after `kept` events, when there is room again, in the `last` one."""
    at = max(1, len(packets[last].events) // 2)
    lost = packets[first].events[kept:] + packets[last].events[:at]
    lost += [event for packet in packets[first + 1:last] for event in packet.events]
    again = packets[last].events[at:]
    again_ns = again[0].time_ns if again else packets[last].end_ns
    return (packets[:first] +
            [dataclasses.replace(packets[first], end_ns=again_ns, events=packets[first].events[:kept], discarded=len(lost)),
             dataclasses.replace(packets[last], begin_ns=again_ns, events=again)] + packets[last + 1:])


def overwrite(packets, is_lost):
    """The newest one is always there."""
    left, gone = [], 0
    for at, packet in enumerate(packets):
        if is_lost(at) and at + 1 < len(packets):
            gone += 1
        else:
            left.append(dataclasses.replace(packet, overwritten=gone))
            gone = 0
    return left


# --- Cut traces ---

@dataclasses.dataclass
class Cut:
    name: str
    packets: list         # of each stream
    bytes_off: dict = dataclasses.field(default_factory=dict)  # of the end of a stream's file
    recorded: bool = True  # with the recording's facts; else as from a session of one's own


def spread(layout, rng, change):
    """The change in one stream of those that have most."""
    number = rng.choice(sorted(range(len(layout)), key=lambda at: -len(layout[at]))[:2])
    return [change(packets) if at == number else packets for at, packets in enumerate(layout)]


def overwritten(layout, rng):
    yield "the first packets", [overwrite(packets, lambda at: at < 3) for packets in layout]
    yield "one in the middle", spread(layout, rng, lambda p: overwrite(p, {len(p) // 2}.__contains__))
    yield "the last but one", spread(layout, rng, lambda p: overwrite(p, {len(p) - 2}.__contains__))
    yield "all but the last of a processor", spread(layout, rng, lambda p: overwrite(p, lambda at: True))
    yield "all but the ends of a processor", spread(layout, rng, lambda p: overwrite(p, lambda at: at > 0))
    for every in (2, 3, 7):
        yield f"each packet of {every}", [overwrite(p, lambda at: at % every == 1) for p in layout]
    for share in (0.1, 0.5, 0.9):
        yield f"{share} of the packets", [overwrite(p, lambda at: rng.random() < share) for p in layout]


def discarded(layout, rng):
    names = sorted({event.name for packets in layout for packet in packets for event in packet.events} - {"lean"})
    for share in (0.01, 0.2, 0.8):
        yield f"{share} of the events", [discard(p, lambda event: rng.random() < share) for p in layout]
    for name in names:
        yield f"all {name}", [discard(p, lambda event: event.name == name) for p in layout]
    ends = {id(event) for packets in layout for packet in packets for event in packet.events[-9:]}
    yield "each packet's end", [discard(packets, lambda event: id(event) in ends) for packets in layout]
    for _ in range(2):
        def change(packets):
            if len(packets) < 2:
                return packets
            first = rng.randrange(len(packets) - 1)
            kept = rng.randrange(len(packets[first].events) + 1)
            return fill(packets, first, rng.randrange(first + 1, min(len(packets), first + 5)), kept)
        yield "what came while buffers were full", spread(layout, rng, change)
        yield "what came while all buffers were full", [change(packets) for packets in layout]


def cut_off(layout, rng):
    """Of a killed daemon, or a full disk: nothing counts what is behind."""
    yield "the last packets", spread(layout, rng, lambda p: p[:-3]), {}
    yield "the second half", spread(layout, rng, lambda p: p[:len(p) // 2]), {}
    yield "a processor", spread(layout, rng, lambda p: []), {}
    yield "the last packet's end", layout, {rng.randrange(len(layout)): rng.randrange(1, ctf_packets.PAGE)}
    yield "all last packets' ends", layout, {number: 1 for number in range(len(layout))}
    for number, packets in enumerate(layout):
        yield f"all from the middle of a packet of {number} on", [
            packets[:len(packets) // 3] if at == number else p for at, p in enumerate(layout)], {number: 100}


def cuts(layout, rng):
    for name, packets in overwritten(layout, rng):
        yield Cut(name, packets, recorded=rng.random() < 0.7)
    for name, packets in discarded(layout, rng):
        yield Cut(name, packets, recorded=rng.random() < 0.7)
    for name, packets, bytes_off in cut_off(layout, rng):
        yield Cut(name, packets, bytes_off)
    # Everything at once.
    first = [discard(packets, lambda event: rng.random() < 0.1) for packets in layout]
    both = [overwrite(packets, lambda at: rng.random() < 0.2) for packets in first]
    yield Cut("some of all", both)
    yield Cut("some of all, and the end", both, {rng.randrange(len(layout)): rng.randrange(1, ctf_packets.PAGE)})


# --- What must be said of the loss ---

def kept_in(cut, streams):
    """The events that can be read."""
    kept = []
    for number, packets in enumerate(cut.packets):
        readable = packets[:-1] if number in cut.bytes_off else packets
        kept += [event for packet in readable for event in packet.events]
    return kept


def totals_of(cut):
    """Events and packets that the streams and the recording say were lost; what a stream began with is not known."""
    events = packets = 0
    for number, stream in enumerate(cut.packets):
        stream = stream[:-1] if number in cut.bytes_off else stream
        events += sum(packet.discarded for packet in (stream if cut.recorded else stream[1:]))
        packets += sum(packet.overwritten for packet in (stream if cut.recorded else stream[1:]))
    return events, packets


def counts(events):
    return collections.Counter((event.fields["loop"] >> 10, event.fields["callback"]) for event in events
                               if event.name == "callback")


def check_loss(cut, report, lost, kept):
    trace = report["trace"]
    events, packets = totals_of(cut)
    loss = trace["loss"]
    if lost and not (loss["events"] or loss["packets"] or loss["intervals"] or trace["incomplete"]):
        yield "nothing is said to be lost"
    for name, found, least in (("events", loss["events"], events), ("packets", loss["packets"], packets)):
        if found is not None and found != least:
            yield f"{found} {name} are said to be lost, not {least}"
    if not trace["incomplete"]:
        for event in lost:
            end_ns = trace["begin_ns"] + trace["duration_ns"]
            if trace["begin_ns"] < event.time_ns < end_ns and not any(
                    interval["begin_ns"] <= event.time_ns <= interval["end_ns"] for interval in loss["intervals"]):
                yield f"a {event.name} at {event.time_ns} was lost in no interval of loss"
                break
    # A callback that was recorded is one that is counted, even where it is not told whose process it was in; of a lean
    # recording so are those that it only has the totals of.
    is_lean = any(event.name == "totals" for event in kept + lost)
    found = collections.Counter()
    for row in report["callbacks"]:
        found[row["pid"], row["site"]["address"] if row["site"] else 0] += row["count"]
    for key, count in counts(kept).items():
        if found[key] < count if is_lean else found[key] != count:
            yield f"{found[key]} callbacks {key} of {count}"


# --- Running ---

class Trace:
    def __init__(self, uvscope, recording, place, events_each):
        self.uvscope, self.recording, self.place = uvscope, recording, place
        self.facts = json.loads((recording / "uvscope.json").read_text())
        self.streams = ctf_packets.read_streams(recording)
        self.leave_out_others()
        self.layout = [ctf_packets.packets_of(stream, events_each) for stream in self.streams]
        self.events = [event for stream in self.streams for event in stream.events]

    def leave_out_others(self):
        """Root's recordings share a daemon, and have the processes of each other."""
        pids = {event.fields["loop"] >> 10 for stream in self.streams for event in stream.events
                if event.name == "process_info" and event.fields["recording"] == self.facts["id"]}
        for stream in self.streams:
            stream.events = [event for event in stream.events if event.fields["loop"] >> 10 in pids]

    def write(self, cut):
        ctf_packets.copy_without_streams(self.recording, self.place)
        for number, (stream, packets) in enumerate(zip(self.streams, cut.packets)):
            data = b"".join(ctf_packets.stream_of(stream, packets))
            path = self.place / stream.path.relative_to(self.recording)
            path.write_bytes(data[:len(data) - cut.bytes_off.get(number, 0)])
        if cut.recorded:
            events, packets = totals_of(cut)
            facts = dict(self.facts, lost_events=events, lost_packets=packets)
            (self.place / "uvscope.json").write_text(json.dumps(facts))
        else:
            (self.place / "uvscope.json").unlink()

    def read(self, cut):
        """A report of each reader, and the spans."""
        self.write(cut)
        reports = [compare_loss.report_of(self.uvscope, self.place, "--reader", reader) for reader in ("fast", "babeltrace2")]
        for report in filter(None, reports):
            report["trace"].pop("reader")
            report["trace"].pop("reader_note", None)
        return reports, compare_loss.spans_of(self.uvscope, self.place)


def sentences_of(trace, cut, whole):
    reports, spans = trace.read(cut)
    if reports[0] != reports[1]:
        yield "the readers do not agree"
    if not reports[0]:
        return  # nothing of it was left, and that was said
    kept = kept_in(cut, trace.streams)
    of_kept = set(map(id, kept))
    lost = [event for event in trace.events if id(event) not in of_kept]
    yield from compare_loss.compare((reports[0], spans), whole, compare_loss.SLACK_NS)
    yield from check_loss(cut, reports[0], lost, kept)


def check(name, trace, rng, rounds):
    """The numbers of cut traces, and of those with something wrong."""
    (whole, other), spans = trace.read(Cut("nothing", trace.layout))
    if whole != other or whole["trace"]["loss"]["events"] != 0:
        raise SystemExit(f"{name} is not whole")
    count = wrong = 0
    for cut in (cut for _ in range(rounds) for cut in cuts(trace.layout, rng)):
        sentences = list(sentences_of(trace, cut, (whole, spans)))
        count += 1
        wrong += bool(sentences)
        for sentence in sentences[:5]:
            print(f"{name}, without {cut.name}{'' if cut.recorded else ' (own session)'}: {sentence}", file=sys.stderr)
    return count, wrong


def record(arguments, program, place):
    done = subprocess.run([arguments.uvscope, "record", "--detail", arguments.detail, "--stall", "5ms", "-o", place, "--",
                           program], capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise SystemExit(f"{program}: exit status {done.returncode}: {done.stderr}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uvscope", required=True)
    parser.add_argument("--detail", default="full")
    parser.add_argument("--rounds", type=int, default=1, help="over all patterns")
    parser.add_argument("--events", type=int, default=40, help="in a packet")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("program", nargs="+", help="is recorded")
    arguments = parser.parse_args()
    traces = all_wrong = 0
    with tempfile.TemporaryDirectory(prefix="uvs-loss-") as scratch:
        for number, program in enumerate(arguments.program):
            recording = pathlib.Path(scratch, str(number))
            record(arguments, program, recording)
            trace = Trace(arguments.uvscope, recording, pathlib.Path(scratch, "cut"), arguments.events)
            name = pathlib.Path(program).name
            count, wrong = check(name, trace, random.Random(f"{arguments.seed} {name}"), arguments.rounds)
            traces += count
            all_wrong += wrong
            print(f"{name}: {len(trace.events)} events in {sum(map(len, trace.layout))} packets, {count} cut traces, "
                  f"{wrong} with something wrong")
    return 1 if all_wrong or not traces else 0


if __name__ == "__main__":
    sys.exit(main())
