#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes the inputs that fuzzing starts from: corpus/TARGET/*, out of the golden tests' event logs, the documented
rules, the seeds in the repository and a program that is recorded here and now."""

import argparse
import json
import pathlib
import re
import shutil
import subprocess

HERE = pathlib.Path(__file__).parent
TESTS = HERE.parent
MAX_BYTES = 64 << 10  # of one input: longer ones only make each run slower


def put(corpus, target, name, data):
    directory = corpus / target
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_bytes(data[:MAX_BYTES])


def put_streams(corpus, name, first, second):
    put(corpus, "stream", f"{name}-0", first)
    put(corpus, "stream", f"{name}-1", second)
    first = first[:MAX_BYTES // 2]
    second = second[:MAX_BYTES // 2 - 2]
    put(corpus, "trace", name, len(second).to_bytes(2, "big") + first + second)


def put_metadata(corpus, name, metadata, stream):
    # A share of 128 / 256: as much stream as metadata.
    put(corpus, "metadata", name, b"\x7f" + metadata + stream[:len(metadata)].ljust(len(metadata), b"\0"))


def from_goldens(corpus, build):
    logs = sorted(TESTS.glob("golden/*.events"))
    traces = corpus / "traces"
    traces.mkdir(parents=True)
    subprocess.run([build / "make_streams", traces, *logs], check=True)
    words = set()
    for log in logs:
        text = log.read_text()
        events = "".join(line + "\n" for line in text.splitlines() if not line.startswith("#"))
        put(corpus, "text", log.stem, events.encode())
        words |= {word.split("=")[0] + "=" if "=" in word else word for word in events.split()}
        trace = traces / log.stem
        put_streams(corpus, log.stem, (trace / "ch_0").read_bytes(), (trace / "ch_1").read_bytes())
    put_metadata(corpus, "written", (trace / "metadata").read_bytes(), (trace / "ch_0").read_bytes())
    quoted = sorted('"%s"' % word for word in words if re.fullmatch(r"[\w=.:-]+", word))
    (corpus / "text.dict").write_text("\n".join(quoted) + "\n")


def from_reports(corpus):
    for report in sorted(TESTS.glob("golden/*.json")):
        put(corpus, "runs", report.stem, json.dumps(json.loads(report.read_text())).encode())


def from_documents(corpus):
    text = (TESTS.parent / "docs" / "ANALYSES.md").read_text()
    rules = re.findall(r"^    ((?:loop|callback|pool|sync_call|loss|blame)\.\S.*)$", text, re.M)
    for number, rule in enumerate(rules):
        put(corpus, "rule", f"documented-{number}", rule.encode())


def from_objects(corpus, build):
    # Seven addresses in the text of so small an object; they are said in front of it.
    addresses = b"\x07" + b"".join((0x1000 + 8 * i).to_bytes(2, "big") for i in range(7))
    put(corpus, "elf", "debug", addresses + (build / "elf_seed.so").read_bytes())


def from_recording(corpus, uvscope, program):
    trace = corpus / "recorded"
    done = subprocess.run([uvscope, "record", "--detail", "full", "-o", trace, "--", program],
                          capture_output=True, text=True, timeout=60)
    metadata = next(trace.glob("ctf/**/metadata"), None)
    if not metadata:
        raise SystemExit(f"no recording to start from: {done.stderr}")
    streams = sorted(path for path in metadata.parent.iterdir()
                     if path.is_file() and path.name != "metadata" and path.stat().st_size)
    shutil.copytree(metadata.parent, corpus / "recorded-trace")
    data = [stream.read_bytes() for stream in streams[:2]]
    put_streams(corpus, "recorded", data[0], data[-1])
    put_metadata(corpus, "recorded", metadata.read_bytes(), data[0])
    put(corpus, "json", "recorded-recording", b"\0" + (trace / "uvscope.json").read_bytes())
    put(corpus, "json", "recorded-symbols", b"\1" + (trace / "symbols.json").read_bytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="the directory of the targets")
    parser.add_argument("--corpus", type=pathlib.Path, required=True, help="made anew")
    parser.add_argument("--uvscope", type=pathlib.Path, required=True)
    parser.add_argument("--program", type=pathlib.Path, required=True, help="what is recorded")
    arguments = parser.parse_args()
    shutil.rmtree(arguments.corpus, ignore_errors=True)
    from_goldens(arguments.corpus, arguments.build)
    from_documents(arguments.corpus)
    from_reports(arguments.corpus)
    from_objects(arguments.corpus, arguments.build)
    from_recording(arguments.corpus, arguments.uvscope, arguments.program)
    for seed in sorted(HERE.glob("seeds/*/*")):
        put(arguments.corpus, seed.parent.name, seed.name, seed.read_bytes())


main()
