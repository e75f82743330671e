# SPDX-License-Identifier: MIT
"""Takes a trace as LTTng-UST writes it apart into streams of events, and writes packets of them as LTTng would: with the
counters of what it lost."""

import dataclasses
import pathlib
import re
import shutil
import struct

# magic, uuid, stream_id, stream_instance_id; begin, end, content and packet size in bits, number, events discarded, cpu.
HEADER = struct.Struct("<I16sIQ" "QQQQQQI")
METADATA_HEADER = struct.Struct("<I16sIIIBBBBB")
PAGE = 4096


@dataclasses.dataclass
class Event:
    time_ns: int
    name: str
    fields: dict
    number: int
    payload: bytes


@dataclasses.dataclass
class Packet:
    begin_ns: int
    end_ns: int
    events: list
    discarded: int = 0   # since the packet before
    overwritten: int = 0  # packets, since the one before


@dataclasses.dataclass
class Stream:
    path: pathlib.Path  # in the recording
    uuid: bytes
    stream_id: int
    instance: int
    cpu: int
    begin_ns: int
    end_ns: int
    events: list


# --- Reading ---

def read_metadata(path):
    data, at, text = path.read_bytes(), 0, b""
    while at < len(data):
        _, _, _, content, size, *_ = METADATA_HEADER.unpack_from(data, at)
        text += data[at + METADATA_HEADER.size:at + content // 8]
        at += size // 8
    return text.decode()


FIELD = re.compile(r"(?:integer \{ size = (?P<size>\d+);.*?signed = (?P<signed>\d);.*?\}|(?P<string>string)[^;]*?)"
                   r" _(?P<name>\w+)(?:\[ (?P<length>\w+) \])?;")
EVENT = re.compile(r'event \{\s*name = "uvscope:(\w+)";\s*id = (\d+);\s*stream_id = (\d+);.*?fields := struct \{(.*?)\n\t\};',
                   re.S)


def layouts_of(metadata):
    """(stream_id, id): name, [(field, bytes, signed, string, length)]."""
    return {(int(stream), int(number)): (name, [
        (field["name"], int(field["size"] or 0) // 8, field["signed"] == "1", bool(field["string"]), field["length"])
        for field in FIELD.finditer(body)]) for name, number, stream, body in EVENT.findall(metadata)}


def read_fields(layout, data, at):
    fields = {}
    for name, size, signed, is_string, length in layout:
        if is_string:
            end = data.index(b"\0", at)
            fields[name], at = data[at:end].decode(), end + 1
        elif length:
            count = fields[length.removeprefix("_")]
            fields[name], at = data[at:at + count * size], at + count * size
        else:
            fields[name], at = int.from_bytes(data[at:at + size], "little", signed=signed), at + size
    return fields, at


def read_event(layouts, stream_id, data, at, clock_ns):
    number, low = struct.unpack_from("<HI", data, at)
    begin, at = at, at + 6
    time_ns = (clock_ns & ~0xffffffff) | low
    if number == 0xffff:
        number, time_ns = struct.unpack_from("<IQ", data, begin + 2)
        at = begin + 14
    elif time_ns < clock_ns:
        time_ns += 1 << 32
    name, layout = layouts[stream_id, number]
    fields, end = read_fields(layout, data, at)
    return Event(time_ns, name, fields, number, data[at:end]), end


def read_stream(path, layouts):
    """None: it has no packet."""
    data, at, stream = path.read_bytes(), 0, None
    while at < len(data):
        _, uuid, stream_id, instance, begin_ns, end_ns, content, size, _, discarded, cpu = HEADER.unpack_from(data, at)
        if discarded:
            raise SystemExit(f"{path}: {discarded} events were lost already")
        stream = stream or Stream(path, uuid, stream_id, instance, cpu, begin_ns, end_ns, [])
        stream.end_ns, clock_ns, event_at = end_ns, begin_ns, at + HEADER.size
        while event_at < at + content // 8:
            event, event_at = read_event(layouts, stream_id, data, event_at, clock_ns)
            clock_ns = event.time_ns
            stream.events.append(event)
        at += size // 8
    return stream


def read_streams(trace):
    streams = []
    for metadata in sorted(trace.glob("ctf/**/metadata")):
        layouts = layouts_of(read_metadata(metadata))
        paths = sorted(path for path in metadata.parent.iterdir() if path.is_file() and path != metadata)
        streams += filter(None, (read_stream(path, layouts) for path in paths))
    return streams


# --- Writing ---

def packets_of(stream, count):
    """Of so many events each: one ends, and the next begins, with the first event that has no room."""
    groups = [stream.events[at:at + count] for at in range(0, len(stream.events), count)] or [[]]
    begins = [stream.begin_ns] + [group[0].time_ns for group in groups[1:]]
    return [Packet(begin, end, group) for begin, end, group in zip(begins, begins[1:] + [stream.end_ns], groups)]


def content_of(packet):
    content, clock_ns = [], packet.begin_ns
    for event in packet.events:
        if event.time_ns - clock_ns < 1 << 32:
            content.append(struct.pack("<HI", event.number, event.time_ns & 0xffffffff))
        else:
            content.append(struct.pack("<HIQ", 0xffff, event.number, event.time_ns))
        content.append(event.payload)
        clock_ns = event.time_ns
    return b"".join(content)


def stream_of(stream, packets):
    """The packets, as bytes."""
    data, discarded, number = [], 0, -1
    for packet in packets:
        discarded += packet.discarded
        number += packet.overwritten + 1
        content = content_of(packet)
        size = (HEADER.size + len(content) + PAGE - 1) // PAGE * PAGE
        header = HEADER.pack(0xc1fc1fc1, stream.uuid, stream.stream_id, stream.instance, packet.begin_ns, packet.end_ns,
                             (HEADER.size + len(content)) * 8, size * 8, number, discarded, stream.cpu)
        data.append((header + content).ljust(size, b"\0"))
    return data


def copy_without_streams(trace, to):
    """Without indexes too: a reader makes its own."""
    shutil.rmtree(to, ignore_errors=True)
    for path in trace.rglob("*"):
        if path.is_file() and (path.name == "metadata" or "ctf" not in path.relative_to(trace).parts):
            copy = to / path.relative_to(trace)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
