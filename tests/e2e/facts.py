#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""facts.py REPORT.json WORD...: the report must hold what each word says, else this exits with 1.

  KIND            a callback of the kind ran      sync:KIND    a synchronous call of the kind was made
  pool:KIND       a pool request of the kind has its whole triple       engine:KIND=E    its engine
  processes>=N    loops>=N                        count:KIND=N  so many callbacks of the kind
"""

import json
import re
import sys


def rows(report, section, kind):
    return [row for row in report[section] if row["kind"] == kind]


def requests(report, kind):
    return [row for pool in report["pool"] for row in pool["requests"] if row["kind"] == kind]


def holds(report, word):
    if match := re.fullmatch(r"(processes|loops)>=(\d+)", word):
        return len(report[match[1]]) >= int(match[2])
    if match := re.fullmatch(r"count:([^=]+)=(\d+)", word):
        return sum(row["count"] for row in rows(report, "callbacks", match[1])) == int(match[2])
    if match := re.fullmatch(r"engine:([^=]+)=(\w+)", word):
        return {row["engine"] for row in requests(report, match[1])} == {match[2]}
    section, _, kind = word.rpartition(":")
    if section == "sync":
        return bool(rows(report, "sync_calls", kind))
    if section == "pool":
        found = requests(report, kind)
        return bool(found) and all(row[part] and row[part]["count"] for row in found
                                   for part in ("queue", "service", "return"))
    return any(row["count"] for row in rows(report, "callbacks", kind))


with open(sys.argv[1], encoding="utf-8") as file:
    the_report = json.load(file)
wrong = [word for word in sys.argv[2:] if not holds(the_report, word)]
if the_report["trace"]["loss"]["events"] or the_report["trace"]["loss"]["packets"]:
    wrong.append("events were lost")
if wrong:
    sys.exit("the report does not say: " + ", ".join(wrong))
