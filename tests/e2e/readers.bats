# SPDX-License-Identifier: MIT
# What uvscope writes, read by others' readers; of a program whose functions have the worst names there are: markup,
# quotes, commands, formulas, line breaks, escapes of terminals, bytes that are no UTF-8, and 100,000 characters.

bats_require_minimum_version 1.5.0

load helpers
load browser

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    export HOME=$PWD XDG_RUNTIME_DIR=$PWD
    /usr/bin/python3 - "$UVS_BIN/e2e_hostile" <<'END'
import os
import re
import sys
program = bytearray(open(sys.argv[1], "rb").read())
name = (rb"""<script>hit()</script>"'`$(touch hit)|@all#1,=1+1;%0A::error::forged""" +
        b"\nforged\r\n::error::forged\x1b[2J\x1b]0;x\x07\xff\xfe\xc3\x28\xe2\x80\xae\x01]]>&amp;<!--\\")
places = {match[1]: match.start() for match in re.finditer(b"UVS_HOSTILE_(timer|work)_y", bytes(program))}
for which, prefix in (b"timer", b"="), (b"work", b"@"):
    at = places[which]
    program[at:at + 1 + len(name)] = prefix + name
open("worst", "wb").write(program)
os.chmod("worst", 0o755)
END
    "$UVSCOPE" record -o trace -- ./worst 3>&- >record.out 2>&1 || { cat record.out; return 1; }
}

setup() {
    common_setup
    ln -s "$BATS_FILE_TMPDIR/trace" trace
    golden=$BATS_TEST_DIRNAME/../golden
    build=$(realpath "$BATS_TEST_DIRNAME/../../build")
}

teardown() {
    common_teardown
}

# acts_not FILE: no byte of it acts on a terminal, and no line of it begins with what a name says.
acts_not() {
    not grep -qaP '[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]' "$1"
    not grep -qaE '^(forged|::error::forged)' "$1"
    iconv -f utf-8 -t utf-8 "$1" >/dev/null
}

@test "the report, in each form" {
    local form
    for form in text json html markdown csv; do
        "$UVSCOPE" report --format $form trace >report.$form
        grep -qF 'touch hit' report.$form
        [ "$form" = csv ] || acts_not report.$form
        [ "$(wc -c <report.$form)" -lt 400000 ]
    done
    not grep -qE '<script>hit|@all' report.markdown
    jq -e '[.callbacks[], .pool[].requests[]] | map(.site.function) | map(select(length > 900 and length <= 1001 and test("^[=@]<script>"))) | length == 2' report.json
    /usr/bin/python3 - <<'END'
import csv
rows = list(csv.reader(open("report.csv", encoding="utf-8", newline="")))
assert {len(row) for row in rows} == {17}
cells = [cell for row in rows for cell in row if cell]
assert any("touch hit" in cell for cell in cells)
assert not any(cell[0] in "=+-@\t\r" or any(ord(c) < 32 for c in cell) for cell in cells)
END
}

@test "jq reads a timeline, and spans line by line" {
    "$UVSCOPE" export --to chrome trace >timeline.json
    jq -e '[.traceEvents[] | select(.ph == "X" and (.name | test("touch hit")))] | length >= 14' timeline.json
    "$UVSCOPE" export --to ndjson trace >spans.ndjson
    jq -ne '[inputs | select(.type == "callback")] | length == 14' spans.ndjson
    [ "$(jq -c . spans.ndjson | wc -l)" -eq "$(wc -l <spans.ndjson)" ]
    acts_not timeline.json
    acts_not spans.ndjson
    not grep -q '<' timeline.json spans.ndjson
}

@test "a timeline has nothing that viewers would leave out or misplace" {
    local log
    for log in "$PWD/trace" "$golden"/{blame_dns,chain,gc,io_uring,open_block,pool_mixed,polls,slices_onset}.events; do
        "$UVSCOPE" export --to chrome -o "$(basename "$log").json" "$log"
    done
    "$BATS_TEST_DIRNAME/timeline.py" ./*.json
    [ "$(jq -s '[.[].traceEvents[] | select(.ph == "f")] | length' ./*.json)" -gt 20 ]
}

# shows FILTER: that it holds of what speedscope showed.
shows() {
    jq -e "$1" shown.json || { cat shown.json; return 1; }
}

@test "speedscope shows each loop, worker and function, and complains of nothing" {
    local file
    # ./bootstrap test installs it.
    local speedscope=$build/node/node_modules/speedscope/dist/release/index.html
    [ -e "$speedscope" ]
    "$UVSCOPE" export --to chrome -o worst.json trace
    "$UVSCOPE" export --to chrome -o chain.json.gz "$golden/chain.events"
    "$UVSCOPE" export --to folded -o stacks.folded "$golden/stacks.events"
    {
        echo 'const files = ['
        for file in worst.json chain.json.gz stacks.folded; do
            echo "[\"$file\", \"$(base64 -w0 $file)\"],"
        done
        echo '];'
        cat "$BATS_TEST_DIRNAME/speedscope.js"
    } >load.js
    open_page "file://$speedscope#view=sandwich&localProfilePath=$PWD/load.js" --window-size=1200,1000 --virtual-time-budget=600000
    /usr/bin/python3 -c 'import html, sys; print(html.unescape(sys.stdin.read()))' <<<"$result" >shown.json
    shows '.complaints == []'
    # A loop, its phases and workers; the timer's callbacks and the works by their names.
    shows '[.shown[] | select(.file == "worst.json")] | length >= 4 and
        (map(.frames[][2]) | map(select(startswith("=<script>hit()</script>"))) | length == 2) and
        (map(.frames[][2]) | map(select(startswith("@<script>hit()</script>"))) | length == 12)'
    shows '[.shown[] | select(.file == "chain.json.gz") | [.profile, (.frames[] | .[1] + " " + .[2])]] | .[1:] == [
        ["chain (pid 7), pool worker (tid 8)",
            "30.00ms (67%) 0x350 {\"kind\":\"work\",\"op\":3,\"queue_ns\":0}",
            "15.00ms (33%) 0x200 {\"kind\":\"fs.open\",\"op\":2,\"queue_ns\":20000000}"],
        ["chain (pid 7), loop 0 phases (tid 10000000)",
            "373.00ms (75%) poll", "102.00ms (20%) blocked", "25.00ms (5.0%) busy"]]'
    shows '.shown[] | select(.file == "stacks.folded") | .frames | map(select(.[2] == "0x9000")[0:2]) == [["180,000 (67%)", "50,000 (19%)"]]'
}

@test "sqlite3 finds nothing wrong with a database" {
    "$UVSCOPE" export --to sqlite -o trace.db trace
    [ "$(sqlite3 trace.db 'PRAGMA integrity_check')" = ok ]
    [ -z "$(sqlite3 trace.db 'PRAGMA foreign_key_check')" ]
    [ "$(sqlite3 trace.db "SELECT count(*) FROM callbacks WHERE kind = 'timer' AND label LIKE '=<script>hit()</script>\"''%'")" = 1 ]
    sqlite3 -noheader trace.db 'SELECT label FROM site' | iconv -f utf-8 -t utf-8 >labels
}

@test "flame graph tools read stacks: frames, a blank, a number" {
    "$UVSCOPE" export --to folded trace >stacks.folded
    acts_not stacks.folded
    grep -q 'touch hit' stacks.folded
    not grep -qvE '^[^ ].* [0-9]+$' stacks.folded
}

# Prometheus's text format, and OpenMetrics, by the parsers of Prometheus's own library.
@test "Prometheus takes every sample, once" {
    local log
    for log in "$PWD/trace" "$golden"/{identity,pool_mixed,lost,nonsense}.events; do
        "$UVSCOPE" export --to openmetrics -o "$(basename "$log").prom" "$log"
    done
    acts_not trace.prom
    /usr/bin/python3 - *.prom <<'END'
import sys
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics
for name in sys.argv[1:]:
    text = open(name, encoding="utf-8").read()
    families = [list(read(text)) for read in (openmetrics.text_string_to_metric_families, parser.text_string_to_metric_families)]
    samples = [[(s.name, tuple(sorted(s.labels.items()))) for f in read for s in f.samples] for read in families]
    assert len(samples[0]) > 10 and sorted(samples[0]) == sorted(samples[1]), name
    assert len(set(samples[0])) == len(samples[0]), name
    assert all(f.type in ("histogram", "gauge") and f.documentation for read in families for f in read), name
END
    # And by Prometheus itself, which ./bootstrap test unpacks.
    local samples
    for samples in *.prom; do
        PATH=$build/prometheus:$PATH promtool check metrics <"$samples"
    done
}

@test "xmllint finds JUnit's XML to be as its schema says" {
    run -1 "$UVSCOPE" check --rule 'callback.duration.max by site < 1ms' --rule 'blame.suffered.max by site < 1ms' \
        --rule 'sync_call.count >= 0' --junit junit.xml --github --markdown comment.md --benchmark benchmark.json trace
    printf '%s\n' "$output" >annotations
    xmllint --noout --nonet --schema "$BATS_TEST_DIRNAME/junit.xsd" junit.xml
    [ "$(xmllint --xpath 'count(//testcase[failure])' junit.xml)" = "$(xmllint --xpath 'string(/testsuites/@failures)' junit.xml)" ]
    [ "$(xmllint --xpath 'count(//testcase)' junit.xml)" = "$(xmllint --xpath 'string(/testsuites/@tests)' junit.xml)" ]
    xmllint --xpath 'string(//failure/@message)' junit.xml | grep -q 'touch hit'
    acts_not junit.xml
    acts_not annotations
    acts_not comment.md
    # Each annotation is one line, and none is a name's.
    [ "$(grep -c '^::error title=uvscope::' annotations)" -eq "$(xmllint --xpath 'string(/testsuites/@failures)' junit.xml)" ]
    not grep -qE '<script>hit|@all' comment.md
}

@test "a comparison, in each form" {
    "$UVSCOPE" report --format json trace >run.json
    local form
    for form in text json markdown; do
        "$UVSCOPE" compare --format $form trace run.json >compared.$form
        acts_not compared.$form
    done
    "$UVSCOPE" check --baseline base.json --update-baseline trace
    "$UVSCOPE" check --baseline base.json --benchmark benchmark.json trace >out
    acts_not out
    jq -e 'map(.name) | any(test("touch hit"))' benchmark.json
}

@test "the plugin's report and spans" {
    export BABELTRACE_PLUGIN_PATH=${UVSCOPE%/bin/uvscope}/lib/babeltrace2/plugins
    recording="recording=\"$BATS_FILE_TMPDIR/trace\""
    babeltrace2 trace/ctf -c sink.uvscope.report -p "$recording" >report.txt
    acts_not report.txt
    grep -qF 'touch hit' report.txt
    # Names are strings of the CTF there, as they are.
    babeltrace2 trace/ctf -c filter.uvscope.spans -p "$recording" -c sink.ctf.fs -p 'path="spans"'
    [ "$(babeltrace2 spans | grep -ac ' uvscope_span:callback: ')" -eq 14 ]
}

@test "a file name is completed as it is" {
    local name=$'a "trace" `touch hit` $(touch hit) \e[2J'
    mkdir "$name"
    "$UVSCOPE" completion bash >completion
    # shellcheck disable=SC2016
    bash --norc -c 'source ./completion; COMP_WORDS=(uvscope report a); COMP_CWORD=2; _uvscope; printf "%s\n" "${COMPREPLY[@]}"' >replies
    [ "$(<replies)" = "$name" ]
    [ ! -e hit ]
}
