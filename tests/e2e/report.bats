# SPDX-License-Identifier: MIT
# `uvscope report` on text event logs, whose figures are known.

load helpers

setup() {
    common_setup
    cat >lesson.events <<'END'
1ms process_info loop=7:- pid=7 schema=1 libuv=76802 pool_size=4 exe="/bin/app"
1ms loop_info loop=7:0 tid=7 is_default=1 name=app
10s callback loop=7:0 op=1 kind=timer callback=0x1000 duration_ns=9990ms delay_ns=1ms
10.001s callback loop=7:0 op=2 kind=timer callback=0x2000 duration_ns=1us delay_ns=9s
11s poll loop=7:0 wait_ns=998ms busy_ns=9.992s callbacks=2 calls=1 timeout_ms=1000
END
}

teardown() {
    common_teardown
}

# run_apart COMMAND...: $status, and the two outputs in $out and $err.
run_apart() {
    status=0
    "$@" >out 2>err || status=$?
    out=$(<out) err=$(<err)
}

@test "the verdict stands first and names the culprit" {
    run_apart "$UVSCOPE" report lesson.events
    [ "$status" -eq 0 ]
    [ -z "$err" ]
    [ "$(head -n 1 out)" = "The loop was blocked once, for 9.99 s, by 0x1000." ]
    [ "$(grep -c '^[A-Z][A-Za-z ]*$' out)" -eq 8 ] # headings
    grep -q '^  timer 0x2000 was late once, by 9\.00 s: mostly because of timer 0x1000\.$' out
    grep -qE '^  timer  0x2000 +1 .* 9\.00 s$' out
    [ "$(tail -n 1 out)" = "  no events were lost" ]
}

@test "the threshold decides what is a block" {
    run_apart "$UVSCOPE" report --threshold 20s lesson.events
    [ "$status" -eq 0 ]
    [[ $(head -n 1 out) == "Nothing blocked the loop for 20 s or more; the longest busy interval was 9.99 s."* ]]
    not grep -q '^Worst blocks$' out
    run_apart "$UVSCOPE" report --threshold 0 lesson.events
    [ "$status" -eq 2 ]
}

@test "only so many rows are shown, and how many more there are" {
    run_apart "$UVSCOPE" report --top 1 lesson.events
    [ "$status" -eq 0 ]
    [ "$(grep -c '… and 1 more' out)" -eq 3 ] # culprits, callbacks, timers
    run_apart "$UVSCOPE" report --top 0 lesson.events
    not grep -q more out
    run_apart "$UVSCOPE" report --top many lesson.events
    [ "$status" -eq 2 ]
    [ "$err" = "uvscope: --top 'many' is not a number of rows" ]
}

@test "who waits for less than the blame's threshold has no culprit" {
    run_apart "$UVSCOPE" report --blame-threshold 10s lesson.events
    [ "$status" -eq 0 ]
    not grep -q '^Who waited' out
    not grep -q '^Culprits$' out
    run_apart "$UVSCOPE" report --blame-threshold 0 lesson.events
    [ "$status" -eq 2 ]
}

@test "an operation is followed back to its root" {
    cat >chain.events <<'END'
0 process_info loop=7:0 pid_ns=7
1ms schedule loop=7:0 op=1 kind=timer callback=0x1000 timeout_ms=5
7ms schedule loop=7:0 op=2 parent=1 kind=fs.open callback=0x2000
8ms callback loop=7:0 op=1 kind=timer callback=0x1000 duration_ns=2ms delay_ns=0
9ms work loop=7:0 op=2 kind=fs.open tid=8 queue_ns=1ms service_ns=1ms
11ms callback loop=7:0 op=2 kind=fs.open callback=0x2000 duration_ns=1ms delay_ns=1ms
20ms poll loop=7:0 wait_ns=8ms busy_ns=12ms callbacks=2 calls=1 timeout_ms=-1
END
    run_apart "$UVSCOPE" report --chain 2 chain.events
    [ "$status" -eq 0 ]
    [ "$(sed -n 2p out)" = "    timer        0x1000: waited 5.00 ms, ran 1.00 ms" ]
    [ "$(sed -n 3p out)" = "    fs.open      0x2000: queued 1.00 ms, on a worker 1.00 ms, late 1.00 ms, ran 1.00 ms" ]
    [ "$(wc -l <out)" -eq 3 ]
    "$UVSCOPE" report --chain 7:2 chain.events | cmp - out
    run_apart "$UVSCOPE" report --chain 8:2 chain.events
    [ "$status" -eq 2 ]
    [ -z "$out" ]
    run_apart "$UVSCOPE" report --chain 2: chain.events
    [ "$status" -eq 2 ]
    [ "$err" = "uvscope: --chain '2:' is not the number of an operation, e.g. 17 or 4242:17" ]
}

@test "colour is for terminals, or when it is asked for" {
    "$UVSCOPE" report lesson.events >plain
    not grep -q $'\x1b' plain
    "$UVSCOPE" report --color always lesson.events >coloured
    grep -q $'\x1b' coloured
    sed 's/\x1b\[[0-9;]*m//g' coloured | cmp - plain
    # script gives it a terminal.
    TERM=xterm script -qec "'$UVSCOPE' report lesson.events" /dev/null </dev/null >terminal
    grep -q $'\x1b' terminal
    NO_COLOR=1 TERM=xterm script -qec "'$UVSCOPE' report lesson.events" /dev/null </dev/null >terminal
    not grep -q $'\x1b' terminal
    TERM=xterm script -qec "'$UVSCOPE' report --color never lesson.events" /dev/null </dev/null >terminal
    not grep -q $'\x1b' terminal
}

@test "names from the trace cannot act on the terminal" {
    sed -i 's,/bin/app,/bin/\\x1b[2J,' lesson.events
    printf '%b' "$(<lesson.events)" >hostile.events
    grep -q $'\x1b' hostile.events
    run_apart "$UVSCOPE" report hostile.events
    [ "$status" -eq 0 ]
    not grep -q $'\x1b' out
    grep -qF '/bin/\x1b[2J' out
}

@test "JSON keeps to its schema" {
    cat >rich.events <<'END'
1ms process_info loop=7:- pid=7 schema=1 libuv=76802 pool_size=1 exe="/bin/app" argv="app"
2ms process_info loop=8:- pid=8 schema=1 libuv=76802 pool_size=4 hooks=1
3ms schedule loop=7:0 op=1 kind=work callback=0x10
4ms schedule loop=7:0 op=2 kind=fs.read callback=0x20
20ms work loop=7:0 op=1 kind=work queue_ns=1ms service_ns=16ms
25ms sync_call loop=7:0 kind=fs.read caller=0x30 duration_ns=2ms
90ms callback loop=7:0 op=1 kind=work callback=0x11 duration_ns=66ms delay_ns=4ms
90ms callback loop=7:0 op=9 kind=write callback=0x12 duration_ns=0 delay_ns=4ms
99ms poll loop=7:0 wait_ns=5ms busy_ns=80ms callbacks=2 calls=1 timeout_ms=9
100ms lost begin_ns=30ms end_ns=40ms events=3
101ms sync_call loop=8:- kind=spawn caller=0x40 duration_ns=2ms
120ms stall loop=8:0 op=0 busy_ns=60ms
END
    run_apart "$UVSCOPE" report --format json rich.events
    [ "$status" -eq 0 ]
    "$UVSCOPE" report --format json lesson.events >lesson.json
    /usr/bin/python3 "$BATS_TEST_DIRNAME/../unit/test_schema.py" out lesson.json
    [ "$(/usr/bin/python3 -c 'import json; print(json.load(open("out"))["trace"]["loss"]["events"])')" = 3 ]
}

@test "losses are said" {
    echo '12s lost begin_ns=1s end_ns=2s events=1234' >>lesson.events
    run_apart "$UVSCOPE" report lesson.events
    [ "$status" -eq 0 ]
    grep -q '^  1,234 events were lost' out
}

@test "an incomplete trace is reported, with a warning and 4" {
    echo '12s nonsense' >>lesson.events
    run_apart "$UVSCOPE" report lesson.events
    [ "$status" -eq 4 ]
    [[ $err == "uvscope: warning: the trace is incomplete: "* ]]
    [[ $(head -n 1 out) == "The loop was blocked once, for 9.99 s, by 0x1000. The trace is incomplete"* ]]
    run_apart "$UVSCOPE" report --format json lesson.events
    [ "$status" -eq 4 ]
    /usr/bin/python3 "$BATS_TEST_DIRNAME/../unit/test_schema.py" out
}

@test "no trace, two traces, an empty one" {
    run_apart "$UVSCOPE" report not-there
    [ "$status" -eq 4 ]
    [ -z "$out" ]
    [[ $err == uvscope:*not-there* ]]
    run_apart "$UVSCOPE" report lesson.events lesson.events
    [ "$status" -eq 2 ]
    : >empty.events
    run_apart "$UVSCOPE" report empty.events
    [ "$status" -eq 4 ]
    [ -z "$out" ]
    run_apart "$UVSCOPE" report # there is no newest one
    [ "$status" -eq 4 ]
    [ -z "$out" ]
}

@test "in the same process it says the same" {
    "$UVSCOPE" report lesson.events >worker
    "$UVSCOPE" report --in-process lesson.events >same
    cmp worker same
}

@test "a full disk is an error, a closed pipe is none" {
    run_apart bash -c "'$UVSCOPE' report lesson.events >/dev/full"
    [ "$status" -eq 3 ]
    [ "$err" = "uvscope: cannot write the output: No space left on device" ]
    # true ends without reading; the fifo makes sure that it has.
    mkfifo pipe
    for how in "" "trap '' PIPE;"; do
        run_apart bash -c "$how (exec 3>pipe; : >opened; while [ ! -e closed ]; do :; done; exec '$UVSCOPE' report \
            lesson.events >&3) & : <pipe; while [ ! -e opened ]; do :; done; : >closed; wait \$!"
        rm opened closed
        [ "$status" -eq 141 ]
        [ -z "$err" ]
    done
}

@test "a reader that takes its time gets everything" {
    run_apart bash -c "'$UVSCOPE' report --format json lesson.events | (sleep 2; cat)"
    [ "$status" -eq 0 ]
    [ "$(tail -n 1 out)" = "}" ]
}

@test "on a terminal lines fit it, elsewhere they are as long as they get" {
    cp "$BATS_TEST_DIRNAME/../golden/pool_mixed.events" .
    script -qec "stty cols 80; '$UVSCOPE' report --color never pool_mixed.events" /dev/null </dev/null | tr -d '\r' >narrow
    "$UVSCOPE" report pool_mixed.events >whole
    /usr/bin/python3 - <<'END'
narrow, whole = (open(name, encoding="utf-8").read() for name in ("narrow", "whole"))
assert max(map(len, narrow.splitlines())) <= 80
assert max(map(len, whole.splitlines())) > 100
said = "(more columns on a wider terminal)"
assert said in narrow and said not in whole
END
}
