# SPDX-License-Identifier: MIT
# `uvscope check` on a text event log.

load helpers

setup() {
    common_setup
    cat >lesson.events <<'END'
1ms process_info loop=7:- pid=7 schema=1 libuv=76802 pool_size=4 exe="/bin/app"
10s callback loop=7:0 op=1 kind=timer callback=0x1000 duration_ns=9990ms delay_ns=1ms
10.001s callback loop=7:0 op=2 kind=timer callback=0x2000 duration_ns=1us delay_ns=9s
11s poll loop=7:0 wait_ns=998ms busy_ns=9.992s callbacks=2 calls=1 timeout_ms=1000
END
}

teardown() {
    common_teardown
}

# run_check ARGUMENT...: $status, and the two outputs in $out and $err.
run_check() {
    status=0
    "$UVSCOPE" check "$@" >out 2>err || status=$?
    out=$(<out) err=$(<err)
}

@test "rules that hold end with 0" {
    run_check --rule 'loop.block.max < 11s' --rule 'callback.count == 2' lesson.events
    [ "$status" -eq 0 ]
    [ -z "$err" ]
    [ "$out" = "ok        loop.block.max < 11s: 9.99 s (pid 7 loop 0, by timer 0x1000)
ok        callback.count == 2: 2 (pid 7 loop 0)" ]
}

@test "every violated rule is named, with its figure and its place" {
    run_check lesson.events --rule 'loop.block.max < 50ms' --rule 'loop.iterations >= 1' \
        --rule 'callback.delay.p99 kind=timer by site min 1 < 10ms'
    [ "$status" -eq 1 ]
    [ "$out" = "VIOLATED  loop.block.max < 50ms: 9.99 s (pid 7 loop 0, by timer 0x1000)
ok        loop.iterations >= 1: 1 (pid 7 loop 0)
VIOLATED  callback.delay.p99 kind=timer by site min 1 < 10ms: 9.00 s (pid 7 loop 0, timer 0x2000)" ]
}

@test "no data is a violation, unless that is allowed" {
    run_check --rule 'pool.queue.p99 < 10ms' lesson.events
    [ "$status" -eq 1 ]
    [[ $out == "VIOLATED  pool.queue.p99 < 10ms: no data"* ]]
    run_check --rule 'pool.queue.p99 < 10ms or none' lesson.events
    [ "$status" -eq 0 ]
}

@test "wrong rules are all named, before any trace is read" {
    run_check --rule 'loop.blok.max < 50ms' --rule 'loop.block.max < 50' --rule 'loop.block.max < 1s' not-there
    [ "$status" -eq 2 ]
    [ -z "$out" ]
    [[ $err == *"did you mean loop.block.max"*"the value has no unit"* ]]
    [[ $err != *not-there* ]]
    run_check lesson.events
    [ "$status" -eq 2 ]
    [[ $err == *"--rule 'loop.block.max < 50ms'"* ]]
}

@test "a loop that was seen but for a moment has no utilization to judge; that of a program in one callback has" {
    run_check --rule 'loop.utilization pid=7 < 90%' --rule 'loop.utilization < 90%' "$BATS_TEST_DIRNAME/../golden/brief_loop.events"
    [ "$status" -eq 1 ]
    [ "$out" = "ok        loop.utilization pid=7 < 90%: 37.5 % (pid 7 loop 1)
VIOLATED  loop.utilization < 90%: 100.0 % (pid 8 loop 0)" ]
}

@test "rules from a file" {
    cat >rules <<'END'
# what our users notice
loop.block.max < 11s   # in the lesson

  callback.count site~'#' == 0
END
    run_check --rules rules --rule 'loop.iterations == 1' lesson.events
    [ "$status" -eq 0 ]
    [ "$(wc -l <out)" -eq 3 ]
    echo 'callback.count kind=tmier < 1' >>rules
    run_check --rules rules lesson.events
    [ "$status" -eq 2 ]
    [[ $err == "uvscope: rules:5: "*"did you mean timer?" ]]
    echo '# nothing' >rules
    run_check --rules rules lesson.events
    [ "$status" -eq 2 ]
    run_check --rules not-there lesson.events
    [ "$status" -eq 2 ]
    [[ $err == *not-there* ]]
    run_check --rules . lesson.events
    [ "$status" -eq 2 ]
}

@test "lost events are noted, and never pass for data" {
    sed -i '/callback=0x1000/i 2s lost begin_ns=1s end_ns=2s events=1234' lesson.events
    run_check --rule 'callback.self.max < 11s or none' --rule 'loop.block.max < 11s' lesson.events
    [ "$status" -eq 1 ]
    [[ $out == "VIOLATED  callback.self.max < 11s or none: unknown"*"note      1,234 events were lost"* ]]
}

@test "an incomplete trace ends with 4 and the verdicts that could be reached" {
    echo '12s nonsense' >>lesson.events
    run_check --rule 'loop.block.max < 11s' lesson.events
    [ "$status" -eq 4 ]
    [[ $out == "ok        loop.block.max"* ]]
    [[ $err == *incomplete* ]]
    run_check --rule 'loop.block.max < 11s' not-there
    [ "$status" -eq 4 ]
    [ -z "$out" ]
}

@test "JSON has the figures" {
    run_check --format json --rule 'loop.block.max < 50ms' --rule 'pool.queue.p99 < 1s or none' lesson.events
    [ "$status" -eq 1 ]
    /usr/bin/python3 - <<'END'
import json
check = json.load(open("out"))
assert check["schema"] == 1 and check["passed"] is False and check["trace"]["path"] == "lesson.events"
block, queue = (rule["verdicts"] for rule in check["rules"])
assert [rule["passed"] for rule in check["rules"]] == [False, True]
assert block[0]["value"] == 9992000000 and block[0]["unit"] == "ns" and "0x1000" in block[0]["where"], block
assert queue[0]["value"] is None and queue[0]["no_data"] and queue[0]["where"] is None, queue
END
}
