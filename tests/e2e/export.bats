# SPDX-License-Identifier: MIT
# `uvscope export` on text event logs, whose spans are known.

load helpers
load hostile

setup() {
    common_setup
    cat >lesson.events <<'END'
1ms process_info loop=7:- pid=7 schema=1 libuv=76802 pool_size=4 exe="/bin/app"
1ms loop_info loop=7:0 tid=7 is_default=1 name=app
2ms schedule loop=7:0 op=1 kind=timer callback=0x1000 timeout_ms=1
9.9995s schedule loop=7:0 op=3 parent=1 kind=fs.read callback=0x30
10s callback loop=7:0 op=1 kind=timer callback=0x1000 duration_ns=9990ms delay_ns=1ms
10.1s work loop=7:0 op=3 kind=fs.read tid=8 queue_ns=10ms service_ns=40ms
11s poll loop=7:0 wait_ns=999ms busy_ns=9.991s callbacks=1 calls=1 timeout_ms=1000
11.1s callback loop=7:0 op=3 kind=fs.read callback=0x30 duration_ns=1ms delay_ns=1ms
11.2s sync_call loop=7:0 kind=fs.read caller=0x50 duration_ns=20ms
11.3s poll loop=7:0 wait_ns=98ms busy_ns=199ms callbacks=1 calls=1 timeout_ms=1000
END
}

teardown() {
    common_teardown
}

# slice NAME FILTER: that the timeline's events so filtered are one.
one() {
    [ "$(jq "[.traceEvents[] | select($1)] | length" timeline.json)" -eq 1 ] || { cat timeline.json; return 1; }
}

@test "a timeline has callbacks, calls, work and phases where they were" {
    "$UVSCOPE" export --to chrome lesson.events >timeline.json
    one '.ph == "X" and .cat == "callback" and .name == "0x1000" and .tid == 7 and .ts == 10000 and .dur == 9990000'
    one '.ph == "X" and .cat == "sync_call" and .name == "fs.read" and .args.called_from == "0x50" and .dur == 20000'
    one '.ph == "X" and .cat == "work" and .tid == 8 and .ts == 10060000 and .dur == 40000 and .args.queue_ns == 10000000'
    one '.ph == "B" and .cat == "busy" and .name == "blocked" and .tid == 10000000 and .ts == 10000'
    one '.ph == "E" and .cat == "busy" and .name == "blocked" and .tid == 10000000 and .ts == 10001000'
    one '.ph == "M" and .name == "thread_name" and .args.name == "loop 0 (app)"'
    one '.ph == "M" and .name == "process_name" and .args.name == "/bin/app"'
}

@test "arrows lead from where it was asked for, through the worker, to the callback" {
    "$UVSCOPE" export --to chrome lesson.events >timeline.json
    one '.ph == "s" and .id == "0x0000000000003" and .ts == 9999500 and .tid == 7'
    one '.ph == "t" and .id == "0x0000000000003" and .ts == 10060000 and .tid == 8'
    one '.ph == "f" and .id == "0x0000000000003" and .ts == 11099000 and .tid == 7'
    # What none asked for begins with the worker, and what no worker ran either has no arrow.
    sed -i 's/ parent=1//' lesson.events
    "$UVSCOPE" export --to chrome lesson.events >timeline.json
    one '.ph == "s" and .id == "0x0000000000003" and .ts == 10060000 and .tid == 8'
    one '.ph == "f"'
    not grep -q '"ph":"t"' timeline.json
}

# The end of the callback was written down 1 us late, as is when the thread loses its processor just then.
@test "a callback holds what it did, even if it seems to have begun later" {
    cat >late.events <<'END'
1ms process_info loop=7:- pid=7 schema=1 libuv=76802 pool_size=4 exe="/bin/app"
1ms loop_info loop=7:0 tid=7 is_default=1 name=app
12ms sync_call loop=7:0 kind=fs.read caller=0x50 duration_ns=2ms
14ms sync_call loop=7:0 kind=fs.read caller=0x50 duration_ns=1ms
20.001ms callback loop=7:0 op=1 kind=timer callback=0x1000 duration_ns=10000500 delay_ns=1ms
21ms poll loop=7:0 wait_ns=10us busy_ns=10.99ms callbacks=1 calls=1 timeout_ms=1000
END
    "$UVSCOPE" export --to chrome -o timeline.json late.events
    one '.cat == "callback" and .ts == 9999.999 and .dur == 10001.001'
    "$BATS_TEST_DIRNAME/timeline.py" timeline.json
}

@test "a sample of the watchdog is no callback" {
    echo '12s stall loop=7:0 op=9 kind=timer callback=0x1000 tid=7 busy_ns=600ms cpu_ns=1ms frames=0x1000,0x2000' >>lesson.events
    "$UVSCOPE" export --to ndjson lesson.events >spans
    [ "$(grep -c '"type":"callback"' spans)" -eq 2 ]
    "$UVSCOPE" export --to chrome lesson.events >timeline.json
    [ "$(jq '[.traceEvents[] | select(.cat == "callback" and .ph == "X")] | length' timeline.json)" -eq 2 ]
}

@test "a window leaves out what does not touch it" {
    "$UVSCOPE" export --to chrome --from 11.1s lesson.events >timeline.json
    one '.ph == "X" and .cat == "sync_call"'
    [ "$(jq '[.traceEvents[] | select(.cat == "callback")] | length' timeline.json)" -eq 0 ]
    "$UVSCOPE" export --to chrome --until 10s lesson.events >timeline.json
    one '.ph == "X" and .cat == "callback"'
    [ "$(jq '[.traceEvents[] | select(.cat == "sync_call")] | length' timeline.json)" -eq 0 ]
    "$UVSCOPE" export --to ndjson --around worst --threshold 1s lesson.events >spans
    [ "$(wc -l <spans)" -eq "$("$UVSCOPE" export --to ndjson lesson.events | wc -l)" ]
    run "$UVSCOPE" export --to chrome --from 2s --until 1s lesson.events
    [ "$status" -eq 2 ]
}

@test "around the worst block is what is near it" {
    for i in $(seq 1 99); do
        echo "$((i * 1000 + 1))ms callback loop=7:0 op=$i kind=timer callback=0x10 duration_ns=1ms"
        echo "$((i * 1000 + 1))ms poll loop=7:0 wait_ns=0 busy_ns=$((i == 50 ? 300 : 1))ms callbacks=1 calls=1 timeout_ms=1"
    done >many.events
    "$UVSCOPE" export --to ndjson --around worst many.events >spans
    [ "$(jq -s '[.[] | select(.type == "callback")] | length' spans)" -eq 1 ]
    jq -se '[.[] | select(.type == "busy")] | length == 1 and .[0].duration_ns == 300000000' spans
}

@test "ndjson is one object a line, with who asked" {
    "$UVSCOPE" export --to ndjson lesson.events >spans
    [ "$(jq -c . spans | wc -l)" -eq "$(wc -l <spans)" ]
    jq -se '[.[] | select(.type == "callback" and .op == 3)] | length == 1 and .[0].parent == 1 and
        .[0].scheduled_ns == 9999500000 and .[0].latency_ns == 51000000 and .[0].kind == "fs.read"' spans
    jq -se '[.[] | select(.type == "loop")] == [{"type":"loop","pid":7,"loop":0,"tid":7,"name":"app","main":true}]' spans
}

@test "the queries of the documentation give what they promise" {
    "$UVSCOPE" export --to sqlite -o trace.db "$BATS_TEST_DIRNAME/sql.events"
    "$BATS_TEST_DIRNAME/sql_of_docs" "$BATS_TEST_DIRNAME/../../docs/SQL.md" trace.db >results
    [ "$(grep -c '^--' results)" -eq 10 ]
    diff -u "$BATS_TEST_DIRNAME/sql.expected" results
    [ "$(sqlite3 trace.db 'PRAGMA integrity_check')" = ok ]
    [ "$(find . -name 'trace.db*' | wc -l)" -eq 1 ]
}

@test "a database is no stream" {
    run "$UVSCOPE" export --to sqlite lesson.events
    [ "$status" -eq 2 ]
    run "$UVSCOPE" export --to sqlite -o trace.db.gz lesson.events
    [ "$status" -eq 2 ]
    [ -z "$(find . -name 'trace.db*')" ]
}

@test "a name that ends in .gz is compressed, and a file appears when it is whole" {
    "$UVSCOPE" export --to chrome lesson.events >timeline.json
    "$UVSCOPE" export --to chrome -o timeline.json.gz lesson.events
    zcat timeline.json.gz | cmp - timeline.json
    [ "$(find . -name 'timeline.json*' | wc -l)" -eq 2 ]
    echo before >kept
    run "$UVSCOPE" export --to chrome -o kept no-such-trace
    [ "$status" -eq 4 ]
    [ "$(cat kept)" = before ]
    [ "$(find . -name 'kept*' | wc -l)" -eq 1 ]
    run "$UVSCOPE" export --to chrome -o no/such/place lesson.events
    [ "$status" -eq 3 ]
    [[ $output == "uvscope: cannot write no/such/place: "* ]]
    if [ -c /dev/full ]; then
        run "$UVSCOPE" export --to chrome -o /dev/full lesson.events
        [ "$status" -eq 3 ]
    fi
}

@test "what takes no more is said with the reason, while spans are written and at the end" {
    local i form
    {
        head -n 2 lesson.events
        for i in {1..100}; do
            echo "$((i * 100))ms callback loop=7:0 op=$i kind=timer callback=0x1000 duration_ns=20ms delay_ns=0"
        done
    } >long.events
    for form in chrome ndjson openmetrics; do
        run bash -c '"$0" export --to "$1" long.events >/dev/full' "$UVSCOPE" $form
        [ "$status" -eq 3 ]
        [[ $output == 'uvscope: cannot write the '*': No space left on device' ]]
    done
}

@test "a form must be named" {
    run "$UVSCOPE" export lesson.events
    [ "$status" -eq 2 ]
    [[ $output == *"--to chrome|"* ]]
    run "$UVSCOPE" export --to papyrus lesson.events
    [ "$status" -eq 2 ]
}

@test "hostile names stay names" {
    hostile_events
    for form in chrome ndjson; do
        "$UVSCOPE" export --to $form hostile.events >out
        jq -c . out >parsed
        iconv -f utf-8 -t utf-8 out >/dev/null
        not grep -q $'\x1b' out
        not grep -q '<' out
    done
    [ "$(jq -c . parsed | wc -l)" -eq "$(wc -l <out)" ]
    "$UVSCOPE" export --to sqlite -o hostile.db hostile.events
    sqlite3 hostile.db 'SELECT label FROM site' | iconv -f utf-8 -t utf-8 >labels
    grep -q '<script>' labels
    [ "$(sqlite3 hostile.db 'SELECT count(*) FROM callbacks')" -eq 1 ]
}

@test "openmetrics has histograms that add up, one series for each function" {
    hostile_events
    for log in lesson hostile; do
        "$UVSCOPE" export --to openmetrics -o $log.prom $log.events
        /usr/bin/python3 - $log.prom <<'END'
import re
import sys
text = open(sys.argv[1], encoding="utf-8").read()
assert text.endswith("# EOF\n")
sample = re.compile(r'(\w+)((?:\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+\})?) ([0-9.]+)')
samples = {}
for line in text.splitlines():
    if not line.startswith("# "):
        match = sample.fullmatch(line)
        assert match and match[1] + match[2] not in samples, line
        samples[match[1] + match[2]] = float(match[3])
for name, value in samples.items():
    if 'le="+Inf"' in name:
        assert value == samples[name.replace("_bucket", "_count").replace(',le="+Inf"', "")], name
if sys.argv[1].startswith("lesson"):
    assert samples['uvscope_loop_block_seconds_bucket{pid="7",loop="0",le="1"}'] == 1
    assert samples['uvscope_loop_block_seconds_bucket{pid="7",loop="0",le="10"}'] == 2
    assert samples['uvscope_loop_block_seconds_sum{pid="7",loop="0"}'] == 10.19
    assert samples['uvscope_loop_iterations{pid="7",loop="0"}'] == 2
END
    done
    run "$UVSCOPE" export --to openmetrics --from 1s lesson.events
    [ "$status" -eq 2 ]
}

@test "garbage collections and stalls are in each export" {
    golden="$BATS_TEST_DIRNAME/../golden"
    "$UVSCOPE" export --to chrome "$golden/gc.events" >timeline.json
    [ "$(jq -c '[.traceEvents[] | select(.cat == "gc") | .name] | sort | unique' timeline.json)" = '["GC: mark_compact","GC: of an unknown kind","GC: scavenge"]' ]
    [ "$("$UVSCOPE" export --to ndjson "$golden/gc.events" | jq -c 'select(.type == "gc" and .kind == "mark_compact") | .duration_ns')" = 40000000 ]
    "$UVSCOPE" export --to sqlite -o gc.db "$golden/gc.events"
    [ "$(sqlite3 gc.db "SELECT kind, sum(duration_ns) FROM gc WHERE kind = 'mark_compact'")" = 'mark_compact|40000000' ]
    samples=$(grep -c '^[^#].* stall ' "$golden/stacks.events")
    [ "$samples" -gt 0 ]
    "$UVSCOPE" export --to chrome "$golden/stacks.events" >timeline.json
    [ "$(jq '[.traceEvents[] | select(.cat == "stall")] | length' timeline.json)" -eq "$samples" ]
    [ "$("$UVSCOPE" export --to ndjson "$golden/stacks.events" | jq -c 'select(.type == "stall" and .label)' | wc -l)" -gt 0 ]
    "$UVSCOPE" export --to sqlite -o stacks.db "$golden/stacks.events"
    [ "$(sqlite3 stacks.db 'SELECT count(*) FROM stall')" -eq "$samples" ]
    # The time that a sample stands for, of all that found this function innermost.
    [ "$(sqlite3 stacks.db "SELECT sum(sampled_ns) FROM stall JOIN site ON site.id = site_id WHERE label = '0x9000'")" = 50000000 ]
    [ "$("$UVSCOPE" export --to ndjson "$golden/stacks.events" | jq 'select(.label == "0x9000") | .sampled_ns')" = 50000000 ]
}
