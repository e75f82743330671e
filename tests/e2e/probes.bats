# SPDX-License-Identifier: MIT
# The probes of the provider beside those that LTTng generates: the same program by both, and nothing differs.

bats_require_minimum_version 1.5.0

load helpers

setup() {
    common_setup
    export LTTNG_HOME=$HOME
    background lttng-sessiond --no-kernel --quiet
    await lttng list >/dev/null
}

teardown() {
    common_teardown
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
