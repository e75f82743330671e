# SPDX-License-Identifier: MIT
"""Holds what is reported of a trace that lost events against the report of the whole: a figure that is not unknown must be
right, or a lower bound where docs/ANALYSES.md says so."""

import collections
import json
import subprocess

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


def compare(part, whole, slack_ns):
    """What is wrong, in sentences. part, whole: pairs of a report and the spans of an export."""
    comparison = Comparison(slack_ns)
    (report, spans), (whole_report, whole_spans) = part, whole
    compare_loops(comparison, report, whole_report, spans, whole_spans)
    compare_callbacks(comparison, report, whole_report)
    compare_pools(comparison, report, whole_report)
    compare_blame(comparison, report, whole_report)
    compare_findings(comparison, report, whole_report)
    compare_spans(comparison, spans, whole_spans)
    return comparison.wrong


# --- What is compared ---

def run(uvscope, command, trace, *arguments):
    """What it printed; nothing where nothing of the trace could be read."""
    done = subprocess.run([uvscope, command, *arguments, "--in-process", trace], capture_output=True, text=True, timeout=60)
    if done.returncode not in (0, 4):
        raise SystemExit(f"{command} {arguments}: exit status {done.returncode}: {done.stderr}")
    return done.stdout


def report_of(uvscope, trace, *arguments):
    text = run(uvscope, "report", trace, "--format", "json", *arguments)
    return json.loads(text) if text else None


def spans_of(uvscope, trace):
    spans = map(json.loads, run(uvscope, "export", trace, "--to", "ndjson").splitlines())
    return [span for span in spans if span["type"] not in ("process", "loop")]
