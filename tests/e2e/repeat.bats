# SPDX-License-Identifier: MIT
# `uvscope record --repeat`, and those who read its directory.

bats_require_minimum_version 1.5.0

load helpers

setup() {
    common_setup
    pool=${UVSCOPE%/bin/uvscope}/examples/pool
}

teardown() {
    common_teardown
}

@test "a program runs as often as asked for, each time as a recording of its own" {
    run -0 --separate-stderr "$UVSCOPE" record --repeat 3 -o runs -- "$pool" 0.01
    [ "$(grep -c 'Job 12: finished' <<<"$output")" -eq 3 ]
    [[ $stderr == 'uvscope: 3 of 3 runs of '*' MB in '*'/runs — next: uvscope compare OLD '*'/runs' ]]
    [ "$(ls runs | xargs)" = "run-1 run-2 run-3" ]
    local number
    for number in 1 2 3; do
        "$UVSCOPE" check --rule 'pool.count kind=work == 12' "runs/run-$number"
    done
    # Each run is checked; the reader of one takes the last, and says so.
    run -0 "$UVSCOPE" check --rule 'pool.count kind=work == 12' runs
    [ "${#lines[@]}" -eq 3 ] && [[ ${lines[2]} == 'ok        run 3: '* ]]
    run -0 --separate-stderr "$UVSCOPE" report runs
    [[ $stderr == "uvscope: note: of 3 runs this is the last"* && $output == *"runs/run-3: "* ]]
    run -0 --separate-stderr "$UVSCOPE" export --to ndjson runs
    [[ $stderr == "uvscope: note: of 3 runs this is the last"* ]]
    # It is the newest recording too.
    run -0 "$UVSCOPE" check --rule 'pool.count kind=work == 12'
    [ "${#lines[@]}" -eq 3 ]
}

@test "that nothing was recorded is said, and why once" {
    run -0 --separate-stderr "$UVSCOPE" record --repeat 2 -o runs -- true
    [ "${#stderr_lines[@]}" -eq 2 ]
    [[ ${stderr_lines[0]} == *'nothing recorded in '*'/runs/run-1: true never ran a libuv loop that uvscope can see'* ]]
    [[ ${stderr_lines[1]} == 'uvscope: 2 of 2 runs of true, nothing recorded in 2 of them, '*' MB in '*'/runs' ]]
    cat >second <<'END'
[ -e once ] && exec "$1" 0.01
touch once
END
    run -0 --separate-stderr "$UVSCOPE" record --repeat 2 -o others -- sh second "$pool"
    [ "${#stderr_lines[@]}" -eq 2 ]
    [[ ${stderr_lines[1]} == *', nothing recorded in 1 of them, '*' — next: uvscope compare OLD '* ]]
    run -0 --separate-stderr "$UVSCOPE" record -q --repeat 2 -o silent -- true
    [ -z "$stderr" ]
}

@test "what the pool was asked for is the same in each run, and a baseline holds it" {
    "$UVSCOPE" record -q --repeat 2 -o before -- "$pool" 0.01 >/dev/null
    "$UVSCOPE" record -q --repeat 2 -o after -- "$pool" 0.01 >/dev/null
    run -0 "$UVSCOPE" compare --format json before after
    jq -e '.changes | map(select(.metric == "pool.count")) | length == 1 and .[0].evidence == "exact" and
        .[0].verdict == "same" and .[0].old == 12' <<<"$output"
}

@test "the first status that is not 0 is the series', and every run is kept" {
    cat >once <<'END'
echo x >>count
exit $(($(wc -l <count) * 2 - 2))
END
    run -2 "$UVSCOPE" record -q --repeat 3 -o runs -- sh once
    [ "$(wc -l <count)" -eq 3 ]
    [ "$(jq -r .exit runs/run-*/uvscope.json | xargs)" = "0 2 4" ]
}

@test "what cannot be recorded ends the series and leaves nothing" {
    run -127 "$UVSCOPE" record --repeat 3 -o runs -- ./missing
    [ "$(grep -c missing <<<"$output")" -eq 1 ]
    [ ! -e runs ]
    run -2 "$UVSCOPE" record --repeat often -o runs -- true
    [[ $output == *"--repeat 'often' is not a number of runs"* ]]
    run -2 "$UVSCOPE" record --repeat 0 -o runs -- true
}

@test "Ctrl-C ends the series, and a shell's loop around it" {
    cat >waits <<'END'
echo x >>count
[ "$(wc -l <count)" = 1 ] && exit 3
echo ready
while :; do sleep 0.1; done
END
    local loop='for i in 1 2; do "$0" record --repeat 3 -o "runs$i" -- bash waits; done; echo went on'
    run -130 "$BATS_TEST_DIRNAME/in_terminal.py" ready:^C -- bash -c "$loop" "$UVSCOPE"
    [[ $output == *'2 of 3 runs'* && $output != *'went on'* ]]
    [ "$(ls -d runs*/* | xargs)" = "runs1/run-1 runs1/run-2" ]
}

@test "who asks for the end ends the series, after the run" {
    cat >waits <<'END'
trap 'exit 7' TERM
echo x >>count
echo ready >ready
while :; do sleep 0.1; done
END
    background "$UVSCOPE" record --repeat 3 -o runs -- bash waits
    await test -e ready
    kill -TERM "$pid"
    status=0
    wait "$pid" || status=$?
    [ "$status" -eq 7 ]
    [ "$(wc -l <count)" -eq 1 ]
    [ "$(ls runs)" = run-1 ]
    grep -q '1 of 3 runs' errors
}
