# SPDX-License-Identifier: MIT
# Sessions of one's own, without `record`: begun after the program, stopped and begun again, two at once.

bats_require_minimum_version 1.5.0

load helpers

setup() {
    common_setup
    own_daemon
}

teardown() {
    common_teardown
}

# The program, preloaded, its output in ./output; its pid in $program. ARGUMENT: how long SIGUSR1 holds the loop.
start_mixed() {
    LD_PRELOAD=$(realpath "$(dirname "$UVSCOPE")/../lib/libuvscope.so") background "$UVS_BIN/e2e_mixed" "$1"
    program=$pid
    await is_ready
}

start_session() {
    lttng create "$1" --output="$PWD/$1"
    lttng enable-event -s "$1" --userspace 'uvscope:*'
    lttng start "$1"
}

stop_session() {
    lttng stop "$1"
}

# look TRACE LINES...: the JSON report as `report`, through these lines of Python.
look() {
    "$UVSCOPE" report --format json "$1" >"$1.json"
    /usr/bin/python3 - "$1.json" "$PWD/output" <<EOF
import json, sys
report = json.load(open(sys.argv[1]))
trace_ns = report["trace"]["duration_ns"]
(process,) = report["processes"]
(loop,) = report["loops"]
callbacks = {row["site"]["function"]: row for row in report["callbacks"] if row["site"]}

def most(figure): # of a figure that may be unknown
    return figure and figure["max_ns"] or 0

requests = [row for pool in report["pool"] for row in pool["requests"]]

# Of every report: names are known, and no figure is beyond what is possible.
assert process["exe"].endswith("e2e_mixed"), process
assert loop["name"] == "e2e_mixed" and loop["main"], loop
for name in "on_tick", "on_async", "on_work_done", "on_look_done":
    assert callbacks[name]["count"] > 10, (name, callbacks.keys())
assert 0 <= loop["utilization"] <= 1
# A block may have begun before the trace did.
most_ns = trace_ns * 1.01 + loop["block"]["max_ns"]
assert loop["busy_ns"] + loop["poll_ns"] + loop["outside_ns"] <= most_ns, (loop, trace_ns)

$2
EOF
}

# Long enough for what is announced once a second.
let_run() {
    sleep 1.2
}

@test "a session that is started after the program sees what was started before" {
    start_mixed 0
    start_session late
    let_run
    stop_session late
    look late '
known = {row["kind"]: row["queue"]["count"] for row in requests if row["site"]}
assert known["work"] > 10 and known["fs.stat"] > 10, known
assert callbacks["on_tick"]["delay"]["max_ns"] < trace_ns
'
}

@test "names come within about a second, and each session gets them" {
    start_mixed 0
    start_session first
    let_run
    start_session second
    let_run
    stop_session second
    stop_session first
    look first
    look second
    [ "$(babeltrace2 second | grep -c uvscope:process_info)" -ge 1 ]
    [ "$(babeltrace2 first | grep -c uvscope:process_info)" -ge 2 ]
}

@test "two sessions at once say the same of what both saw" {
    start_mixed 300
    start_session one
    start_session two
    kill -USR1 "$program"
    await grep -q held output
    let_run
    stop_session two
    stop_session one
    local session
    for session in one two; do
        look $session '
assert callbacks["on_signal"]["count"] == 1
assert loop["blocked"]["worst"][0]["duration_ns"] >= 300e6, loop
'
    done
    /usr/bin/python3 - <<'EOF'
import json
one, two = ({row["site"]["function"]: row for row in json.load(open(name))["callbacks"]} for name in ("one.json", "two.json"))
# Each has read the clock when it wrote its event, one after the other.
durations = [session["on_signal"]["duration"]["max_ns"] for session in (one, two)]
assert max(durations) - min(durations) < max(durations) / 20, durations
assert one["on_tick"]["count"] >= two["on_tick"]["count"]
EOF
}

@test "a session that was stopped and started again does not count the time in between" {
    start_mixed 0
    start_session again
    let_run
    stop_session again
    sleep 2
    lttng start again
    let_run
    stop_session again
    look again '
assert trace_ns > 2e9
# Nothing was busy, late or in the pool for the time of the gap.
assert loop["busy_ns"] + loop["poll_ns"] < trace_ns - 1.5e9, (loop, trace_ns)
assert loop["block"]["max_ns"] < 1.5e9
for row in report["callbacks"]:
    assert most(row["duration"]) < 1.5e9 and most(row["delay"]) < 1.5e9, row
for row in requests:
    assert most(row["queue"]) < 1.5e9 and most(row["service"]) < 1.5e9, row
'
}

@test "the same while another session keeps the program tracing" {
    start_mixed 0
    start_session other
    start_session again
    let_run
    stop_session again
    sleep 2
    lttng start again
    let_run
    stop_session again
    stop_session other
    look again '
assert trace_ns > 2e9
assert loop["busy_ns"] + loop["poll_ns"] < trace_ns - 1.5e9, (loop, trace_ns)
'
    look other '
assert loop["busy_ns"] + loop["poll_ns"] > trace_ns - 0.5e9, (loop, trace_ns)
'
}

@test "a session that begins in the middle of a block makes nothing up about it" {
    start_mixed 2000
    kill -USR1 "$program"
    await grep -q holding output
    start_session middle
    await grep -q held output
    let_run
    stop_session middle
    look middle '
# How long it had run is known only if somebody was tracing before, as a daemon of root may.
row = callbacks.get("on_signal")
assert not row or row["duration"]["max_ns"] <= 2.5e9, row
assert loop["block"]["max_ns"] <= 2.5e9
'
}

@test "a session that begins after the program sees who holds the loop" {
    start_mixed 400
    let_run
    start_session late
    let_run
    kill -USR1 "$program"
    await grep -q held output
    let_run
    stop_session late
    look late '
worst = loop["blocked"]["worst"][0]
assert any(frame["function"] == "on_signal" for frame in worst["stack"] or []), worst
assert worst["cpu_ns"], worst
'
}
