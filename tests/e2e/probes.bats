# SPDX-License-Identifier: MIT
# The probes of the provider beside those that LTTng generates: the same program by both, and nothing differs. And the
# clock, which is read once for an event and for what it tells.

bats_require_minimum_version 1.5.0

load helpers

setup() {
    common_setup
    own_daemon
}

teardown() {
    common_teardown
}

runtime() {
    echo "$(dirname "$UVSCOPE")/../lib/libuvscope.so"
}

# emit_by PROBES EVENT [OPTIONS]: records the event ("*": all) into ./PROBES, by these probes.
emit_by() {
    local probes=$1 event=$2
    shift 2
    lttng create "$probes" --output="$PWD/$probes"
    lttng enable-event -s "$probes" --userspace "uvscope:$event" "$@"
    lttng start "$probes"
    "$UVS_BIN/e2e_emit_$probes" 100
    lttng destroy "$probes"
}

# decoded TRACE: its events, but for when and where they were emitted.
decoded() {
    babeltrace2 "$1" | sed 's/.* uvscope:/uvscope:/; s/{ cpu_id = [0-9]* }, //'
}

# description TRACE: its metadata, but for what names the trace and the machine.
description() {
    local metadata
    metadata=$(find "$1" -name metadata)
    babeltrace2 --output-format=ctf-metadata "$(dirname "$metadata")" | sed '/^\(env\|clock\) {/,/^};/d; /uuid = /d'
}

@test "the same events in the same layout" {
    emit_by generated '*'
    emit_by packed '*'
    diff <(decoded generated) <(decoded packed)
    diff <(description generated) <(description packed)
    [ "$(decoded packed | cut -d: -f2 | sort -u | wc -l)" -ge 18 ]
    description packed | grep -q 'name = "uvscope:callback"'
}

@test "a filter lets the same through" {
    emit_by generated 'callback' --filter 'depth > 127 && duration_ns != 0'
    emit_by packed 'callback' --filter 'depth > 127 && duration_ns != 0'
    diff <(decoded generated) <(decoded packed)
    local count
    count=$(decoded packed | wc -l)
    [ "$count" -gt 10 ] && [ "$count" -lt 90 ]
}

@test "a trigger on an event that nobody records fires" {
    local probes
    for probes in generated packed; do
        lttng create started-by-$probes --output="$PWD/started-by-$probes"
        lttng enable-event -s started-by-$probes --userspace 'uvscope:loop_end'
        lttng add-trigger --name=on-callback --condition=event-rule-matches --type=user:tracepoint \
            --name=uvscope:callback --capture=duration_ns \
            --action=start-session started-by-$probes
        not grep -qF '[active' <(lttng list started-by-$probes)
        "$UVS_BIN/e2e_emit_$probes" 100
        await grep -qF '[active' <(lttng list started-by-$probes)
        lttng remove-trigger on-callback
    done
}

# stat_by PRELOAD [OPTIONS]: records 200 requests to the pool into ./stat.
stat_by() {
    local preload=$1
    shift
    lttng create stat --output="$PWD/stat"
    lttng enable-event -s stat --userspace 'uvscope:work' "$@"
    lttng enable-event -s stat --userspace 'uvscope:schedule'
    lttng start stat
    LD_PRELOAD=$preload "$UVS_BIN/../bench/bench_runtime" fs_stat 200
    lttng destroy stat
}

# Of each request: how long it was in service, and from when it was asked for, by the one event, until it was taken less
# the time that it waited, by the other.
measured() {
    babeltrace2 --clock-cycles stat | tr -d '[],{}' | awk '
        function value(name,  i) { for (i = 1; i < NF; i++) if ($i == name) return $(i + 2) }
        / uvscope:schedule: / { asked[value("op")] = $1 }
        / uvscope:work: / { print value("service_ns"), $1 - value("service_ns") - value("queue_ns") - asked[value("op")] }'
}

is_of_one_reading() {
    rm -rf stat
    stat_by "$(runtime)"
    [ "$(measured | wc -l)" = 200 ] && [ -z "$(measured | awk '$2 != 0 || $1 > 1e11')" ]
}

# Where root records too, as another test may just now, each event has two times, of which the last is told.
@test "an event and what it tells are of one reading of the clock" {
    local tries=20
    until is_of_one_reading; do
        ((tries-- > 0))
    done
}

# Records a program that reads into ./echo.
echo_by() {
    lttng create echo --output="$PWD/echo"
    lttng enable-event -s echo --userspace 'uvscope:poll,uvscope:callback'
    lttng start echo
    LD_PRELOAD=$1 "$UVS_BIN/../truth/truth_tcp_echo"
    lttng destroy echo
}

# Of each callback that read, whether it was ready since the very moment at which a busy interval begins: that is counted
# back from the poll event behind the interval, however late that came.
polled() {
    babeltrace2 --clock-cycles echo | tr -d '[],{}' | awk '
        function value(name,  i) { for (i = 1; i < NF; i++) if ($i == name) return $(i + 2) }
        / uvscope:poll: / { begins[sprintf("%.0f", $1 - value("wait_ns") - value("busy_ns"))] }
        / uvscope:callback: / && value("kind") == 7 { since[NR] = sprintf("%.0f", $1 - value("duration_ns") - value("delay_ns")) }
        END { for (i in since) print since[i] in begins ? "exact" : "off" }'
}

is_polled_exactly() {
    rm -rf echo
    echo_by "$(runtime)"
    [ "$(polled | sort -u)" = exact ]
}

@test "a busy interval begins when the poll before it ended, to the nanosecond" {
    local tries=20
    until is_polled_exactly; do
        ((tries-- > 0))
    done
}

@test "a filter sees how long it took" {
    stat_by "$(runtime)" --filter 'service_ns < 100000000000'
    [ "$(measured | awk '$1 < 1e11' | wc -l)" = 200 ]
}

@test "the clock of a program that has LTTng itself is left alone, and read beside" {
    stat_by "liblttng-ust.so.1:$(runtime)"
    [ "$(measured | awk '$1 < 1e11' | wc -l)" = 200 ]
    [ "$(measured | awk '$2 != 0' | wc -l)" -gt 0 ]
}
