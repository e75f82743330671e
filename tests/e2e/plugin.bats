# SPDX-License-Identifier: MIT
# The babeltrace2 plugin: the report and the spans in a graph that babeltrace2 sets up.

bats_require_minimum_version 1.5.0

load helpers

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    export HOME=$PWD XDG_RUNTIME_DIR=$PWD
    "$UVSCOPE" record -o trace -- "${UVSCOPE%/bin/uvscope}/examples/pool" 0.02 3>&- >record.out 2>&1 || { cat record.out; return 1; }
}

setup() {
    common_setup
    ln -s "$BATS_FILE_TMPDIR/trace" trace
    export BABELTRACE_PLUGIN_PATH=${UVSCOPE%/bin/uvscope}/lib/babeltrace2/plugins
    recording="recording=\"$PWD/trace\""
}

teardown() {
    common_teardown
}

# With a plugin that was built for a sanitizer, babeltrace2 needs its runtime library first. What that finds ends with
# another status than an error of the graph's.
babeltrace2() {
    LD_PRELOAD=$UVS_SANITIZER ASAN_OPTIONS=exitcode=99:detect_leaks=${looks_for_leaks:-1} UBSAN_OPTIONS=exitcode=99 command babeltrace2 "$@"
}

# spans TYPE: how many the filter gave, of the file `spans`.
spans() {
    grep -c " uvscope_span:$1: " spans || true
}

@test "the sink prints the report that the command prints" {
    babeltrace2 trace/ctf -c sink.uvscope.report -p "$recording" >plugin.txt
    "$UVSCOPE" report --reader babeltrace2 "$PWD/trace" >command.txt
    diff plugin.txt command.txt
    # Without the recording there is one fact less.
    babeltrace2 trace/ctf -c sink.uvscope.report >alone.txt
    [ "$(sed -n 1p alone.txt)" = "$(sed -n 1p command.txt)" ]
    grep -q '^  the babeltrace2 graph: ' alone.txt
}

@test "parameters choose form, file and thresholds" {
    babeltrace2 trace/ctf -c sink.uvscope.report \
        -p "$recording,format=\"json\",path=\"report.json\",threshold=\"1us\",top=3" >out
    [ ! -s out ]
    "$UVSCOPE" report --format json --threshold 1us --reader babeltrace2 "$PWD/trace" >command.json
    diff report.json command.json
}

@test "other programs' events beside ours change nothing" {
    babeltrace2 trace/ctf -c filter.uvscope.spans -c sink.ctf.fs -p 'path="others"' >/dev/null
    babeltrace2 trace/ctf -c sink.uvscope.report -p "$recording" >before.txt
    babeltrace2 trace/ctf others -c sink.uvscope.report -p "$recording" >after.txt
    diff before.txt after.txt
}

@test "the filter's spans are those of the export" {
    babeltrace2 trace/ctf -c filter.uvscope.spans -p "$recording" >spans
    "$UVSCOPE" export --to ndjson trace >export.ndjson
    local type
    for type in callback busy poll work; do
        [ "$(spans "$type")" -eq "$(jq -c "select(.type == \"$type\")" export.ndjson | wc -l)" ] ||
            { echo "$type: $(spans "$type")"; return 1; }
    done
    [ "$(spans callback)" -gt 0 ] && [ "$(spans schedule)" -gt 0 ] && [ "$(spans work)" -gt 0 ]
    # The same callbacks: when they began and ended.
    sed -nE 's/.*uvscope_span:callback: .*begin_ns = ([0-9]+), end_ns = ([0-9]+).*/\1 \2/p' spans | sort >ours
    jq -r 'select(.type == "callback") | "\(.begin_ns) \(.end_ns)"' export.ndjson | sort >theirs
    diff ours theirs
    grep -q 'label = "[a-z_]* (pool.c:[0-9]*)"' spans
}

@test "the spans as CTF are the same spans" {
    babeltrace2 trace/ctf -c filter.uvscope.spans >spans
    babeltrace2 trace/ctf -c filter.uvscope.spans -c sink.ctf.fs -p 'path="written",assume-single-trace=yes' >/dev/null
    babeltrace2 written | sed 's/cancelled = [a-z0-9]*//' >again
    [ "$(wc -l <again)" -eq "$(wc -l <spans)" ]
    [ "$(cut -d' ' -f1-3 again)" = "$(cut -d' ' -f1-3 spans)" ]
}

@test "wrong parameters are named, with those there are" {
    run -1 babeltrace2 trace/ctf -c sink.uvscope.report -p 'frmat="json"'
    [[ ${output//$'\n' / } == *'there is no parameter `frmat`; there are format, path, recording'* ]]
    run -1 babeltrace2 trace/ctf -c sink.uvscope.report -p 'format="pdf"'
    [[ $output == *'there is no format `pdf`'* ]]
    run -1 babeltrace2 trace/ctf -c sink.uvscope.report -p 'top="3"'
    [[ $output == *'`top` must be a number'* ]]
    run -1 babeltrace2 trace/ctf -c sink.uvscope.report -p 'threshold="soon"'
    [[ $output == *"'soon' is not a duration"* ]]
    run -1 babeltrace2 trace/ctf -c filter.uvscope.spans -p 'recording="."'
    [[ $output == *'is not a directory that `uvscope record` made'* ]]
    run -1 babeltrace2 trace/ctf -c sink.uvscope.report -p 'path="missing/report"'
    [[ $output == *'cannot write missing/report: No such file or directory'* ]]
}

@test "a trace without our events is an error, and one that breaks off is reported up to there" {
    babeltrace2 trace/ctf -c filter.uvscope.spans -c sink.ctf.fs -p 'path="others"' >/dev/null
    run -1 babeltrace2 others -c sink.uvscope.report
    [[ ${output//$'\n' / } == *'holds no event of uvscope'* ]]
    cp -r trace/ctf damaged
    # The last quarter of the first packet that holds most; its header has the size of what it holds, in bits, at 48.
    local file bytes most=0 stream
    while read -r file; do
        bytes=$(($(od -An -t u8 -j 48 -N 8 "$file") / 8))
        ((bytes <= most)) || most=$bytes stream=$file
    done < <(find damaged -type f -name 'uvscope_[0-9]*' ! -name '*.idx' -size +0)
    head -c $((most / 4)) /dev/zero | tr '\0' '\377' |
        dd of="$stream" bs=1 seek=$((most - most / 4)) conv=notrunc status=none
    # Where its source fails, babeltrace2 2.0.4 leaks a few bytes of its own, now and then.
    local looks_for_leaks=0
    run -1 --separate-stderr babeltrace2 damaged -c sink.uvscope.report
    [[ ${lines[0]} == *'The trace is incomplete: this holds for the part that could be read.' ]]
    [[ $stderr == *'the report is of what came before an error'* ]]
}
