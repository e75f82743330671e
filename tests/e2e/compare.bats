# SPDX-License-Identifier: MIT
# `uvscope compare`, and the baseline and the outputs of `uvscope check`, on text event logs, whose figures are known.

bats_require_minimum_version 1.5.0

load helpers

setup() {
    common_setup
}

teardown() {
    common_teardown
}

# a_run FILE DURATION OPENS: a program whose timer took so long, ten times, and that opened so many files.
a_run() {
    {
        echo '1ms process_info loop=7:- pid=7 schema=1 libuv=76802 pool_size=4 exe="/bin/app"'
        echo '1ms loop_info loop=7:0 tid=7 is_default=1 name=app'
        local i
        for i in {1..10}; do
            echo "${i}00ms callback loop=7:0 op=$i kind=timer callback=0x1000 duration_ns=$2 delay_ns=0"
        done
        for ((i = 0; i < $3; i++)); do
            echo "1001ms sync_call loop=7:0 kind=fs.open caller=0x50 duration_ns=1us"
        done
        echo "1100ms poll loop=7:0 wait_ns=99ms busy_ns=1000ms callbacks=10 calls=1 timeout_ms=1000"
    } >"$1"
}

# runs NAME DURATION_US OPENS: six of them, NAME-1 to NAME-6, each a little slower.
runs() {
    local i
    for i in {1..6}; do
        a_run "$1-$i" "$(($2 + 50 * i))us" "$3"
    done
}

sides() {
    local i
    for i in {1..6}; do
        printf -- '--old old-%d --new new-%d ' "$i" "$i"
    done
}

@test "equal runs are the same" {
    runs old 20000 3
    runs new 20020 3
    run -0 "$UVSCOPE" compare $(sides)
    [[ $output == '6 runs against 6: 0 figures are worse, 0 are better, '*' the same.' ]]
    run -0 "$UVSCOPE" compare --all $(sides)
    [[ $output == *'  same    sync_call.count of fs.open 0x50: 3 -> 3, +0.0 % (the same in every run of a side)'* ]]
}

@test "a comparison that cannot be written is an error, with the reason" {
    runs old 20000 3
    runs new 24000 3
    local form
    for form in text json markdown; do
        run -3 bash -c '"$0" compare --format "$@" >/dev/full' "$UVSCOPE" $form $(sides)
        [ "$output" = 'uvscope: cannot write the output: No space left on device' ]
    done
}

@test "a slower callback is worse, a faster one better" {
    runs old 20000 3
    runs new 24000 3
    run -0 "$UVSCOPE" compare $(sides)
    [[ ${lines[1]} == '  worse   callback.duration.min of timer 0x1000: 20.1 ms -> 24.1 ms, +20 % (the shortest of all calls)' ]]
    run -0 "$UVSCOPE" compare --format json $(sides)
    jq -e '.changes[0] | .metric == "callback.duration.min" and .verdict == "worse" and .evidence == "floor" and
        .gated and .superiority == 1 and .old_runs == 6' <<<"$output"
    run -0 "$UVSCOPE" compare --format markdown $(sides)
    [[ $output == *'| worse | `callback.duration.min` | timer 0x1000 | 20.1 ms | 24.1 ms | +20 % | the shortest of all calls |'* ]]
    run -0 "$UVSCOPE" compare $(sides | sed 's/--old/--x/g; s/--new/--old/g; s/--x/--new/g')
    [[ ${lines[1]} == '  better  callback.duration.min of timer 0x1000: 24.1 ms -> 20.1 ms, -17 % (the shortest of all calls)' ]]
}

@test "one call more is found among equal counts" {
    runs old 20000 3
    runs new 20000 4
    run -0 "$UVSCOPE" compare $(sides)
    [[ ${lines[1]} == '  worse   sync_call.count of fs.open 0x50: 3 -> 4, +33 % (the same in every run of a side)' ]]
}

@test "with one run of each, noise cannot be told, and that is said" {
    a_run old 20ms 3
    a_run new 30ms 3
    run -0 "$UVSCOPE" compare old new
    [[ ${lines[0]} == *'So few runs cannot tell noise'* ]]
    [[ $output == *'callback.duration.p50 of timer 0x1000: 20.0 ms -> 30.0 ms, +50 % (noise cannot be told)'* ]]
    run -0 "$UVSCOPE" compare --tolerance 60% old new
    [[ $output == *': 0 figures are worse, '* ]]
}

@test "reports saved as JSON are runs too" {
    a_run old 20ms 3
    a_run new 30ms 3
    "$UVSCOPE" compare old new >traces
    "$UVSCOPE" report --format json old >old.json
    "$UVSCOPE" report --format json new >new.json
    "$UVSCOPE" compare old.json new.json >saved
    diff traces saved
}

@test "what cannot be compared is refused, and why" {
    a_run old 20ms 3
    run -2 "$UVSCOPE" compare old
    [[ $output == *'two are compared, OLD and NEW'* ]]
    run -2 "$UVSCOPE" compare
    run -2 "$UVSCOPE" compare old old --tolerance much
    [[ $output == *"'much' is not a percentage"* ]]
    echo '{"some": "thing"}' >other.json
    run -2 "$UVSCOPE" compare old other.json
    [[ $output == *'other.json is neither a report'* ]]
    run -4 "$UVSCOPE" compare old missing
}

@test "a baseline is made, holds, and is broken" {
    runs old 20000 3
    runs new 24000 4
    run -1 "$UVSCOPE" check --rule 'loop.block.max < 1ms' --baseline base.json --update-baseline old-*
    [[ $output == *'a rule is violated, so base.json stays as it is'* ]]
    [ ! -e base.json ]
    run -0 "$UVSCOPE" check --baseline base.json --update-baseline old-*
    [[ $output == *'base.json now is the baseline of 6 runs'* ]]
    run -0 "$UVSCOPE" check --baseline base.json old-*
    [[ ${lines[0]} == 'ok        nothing is worse than the baseline' ]]
    run -1 "$UVSCOPE" check --baseline base.json new-*
    [[ $output == *'VIOLATED  callback.duration.min of timer 0x1000: 20.1 ms -> 24.1 ms, +20 % (the shortest of all calls)'* ]]
    [[ $output == *'VIOLATED  sync_call.count of fs.open 0x50: 3 -> 4, +33 %'* ]]
    run -1 "$UVSCOPE" check --baseline base.json --tolerance 30% new-*
    [[ $output != *'VIOLATED  callback'* ]]
    run -1 "$UVSCOPE" check --baseline base.json --format json new-*
    jq -e '.passed == false and .baseline.worse >= 2 and (.runs | length) == 6' <<<"$output"
    # Accepted: what got worse is said once more.
    run -0 "$UVSCOPE" check --baseline base.json --update-baseline new-*
    [[ $output == *'VIOLATED  sync_call.count'* ]]
    run -0 "$UVSCOPE" check --baseline base.json new-*
}

@test "a baseline that is missing, damaged or newer is refused" {
    a_run new 20ms 3
    run -2 "$UVSCOPE" check --baseline missing.json new
    [[ $output == *'cannot read missing.json: No such file or directory'* ]]
    echo '{"baseline":1,"runs":3}' >damaged.json
    run -2 "$UVSCOPE" check --baseline damaged.json new
    [[ $output == *'damaged.json is a damaged baseline'* ]]
    echo '{"baseline":9,"runs":[]}' >newer.json
    run -2 "$UVSCOPE" check --baseline newer.json new
    [[ $output == *'schema 9'* ]]
    run -2 "$UVSCOPE" check --update-baseline new
    run -2 "$UVSCOPE" check --rule 'loop.block.max < 1s' --github --format json new
}

@test "the outputs for continuous integration" {
    runs old 20000 3
    runs new 24000 4
    "$UVSCOPE" check --baseline base.json --update-baseline old-* >/dev/null 2>&1
    export GITHUB_STEP_SUMMARY=$PWD/summary.md
    echo before >summary.md
    run -1 "$UVSCOPE" check --rule 'loop.block.max < 1ms' --rule 'loop.iterations > 0' --baseline base.json \
        --junit junit.xml --github --markdown comment.md --benchmark benchmark.json new-*
    [ "$(grep -c '^::error title=uvscope::' <<<"$output")" -eq 8 ]
    [[ $output == *'::error title=uvscope::sync_call.count of fs.open 0x50: 3 -> 4, +33 %25'* ]]
    /usr/bin/python3 - <<'END'
import xml.etree.ElementTree as xml
root = xml.parse("junit.xml").getroot()
assert root.tag == "testsuites", root.tag
suites = {suite.get("name"): suite for suite in root}
assert set(suites) == {"uvscope rules", "uvscope baseline"}, suites
for suite in suites.values():
    assert int(suite.get("tests")) == len(suite.findall("testcase"))
    assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))
assert suites["uvscope rules"].get("failures") == "6" and suites["uvscope rules"].get("tests") == "12"
assert int(root.get("tests")) == sum(int(s.get("tests")) for s in root) and root.get("failures") == "8"
END
    grep -q '^### uvscope: the check failed$' comment.md
    [ "$(sed -n 1p summary.md)" = before ] && diff <(sed 1d summary.md) comment.md
    jq -e 'map(select(.name == "callback.duration.min of timer 0x1000")) | length == 1 and
        .[0].unit == "ms" and .[0].value > 24 and .[0].value < 25' benchmark.json
    run -3 "$UVSCOPE" check --rule 'loop.iterations > 0' --junit missing/junit.xml new-1
    [[ $output == *'cannot write missing/junit.xml: No such file or directory'* ]]
}
