# SPDX-License-Identifier: MIT
# The places where a libuv can be: what `record` sees of it, and what must be left alone.

bats_require_minimum_version 1.5.0

load helpers

runtime=${UVSCOPE%/bin/*}/lib/libuvscope.so

setup() {
    common_setup
}

teardown() {
    common_teardown
}

# field PATH: of the report, in the way of Python.
field() {
    "$UVSCOPE" report --format json trace |
        /usr/bin/python3 -c "import json, sys; r = json.load(sys.stdin); print($1)"
}

# The ticker at that place of libuv, recorded: each of its ticks is there, and how it was hooked.
ticks_seen() {
    "$UVSCOPE" record -q -o trace "$1" 7 1
    [ "$(field "sum(c['count'] for c in r['callbacks'] if c['kind'] == 'timer')")" = 7 ]
    [ "$(field "r['processes'][0]['hooks']")" = "$2" ]
    [ "$(field "r['processes'][0]['unhooked']")" = '[]' ]
}

@test "libuv in a shared library" {
    ticks_seen "$ticker" interposed
}

@test "libuv in a shared library that calls itself directly" {
    ticks_seen "$UVS_BIN/e2e_symbolic" patched
}

@test "libuv in the executable, exported" {
    ticks_seen "$UVS_BIN/e2e_exporting" patched
    [ ! -e trace/libuv.symbols ]
}

@test "libuv in the executable, not exported" {
    run -0 nm -D --defined-only "$UVS_BIN/e2e_hidden"
    [[ $output != *uv_run* ]]
    ticks_seen "$UVS_BIN/e2e_hidden" patched
    [ "$(field "r['processes'][0]['libuv']")" = None ] # the linker has dropped uv_version
}

@test "the names found in one executable are not believed of another" {
    "$UVSCOPE" record -q -o trace "$UVS_BIN/e2e_hidden" 1 1
    export UVSCOPE_LIBUV=$PWD/trace/libuv.symbols UVSCOPE_DEBUG=1
    run -0 --separate-stderr env LD_PRELOAD=$runtime "$UVS_BIN/e2e_hidden" 3 1
    [[ $stderr == *'libuv in the executable'* ]]
    run -0 --separate-stderr env LD_PRELOAD=$runtime "$UVS_BIN/e2e_unknown" 3 1
    [[ $stderr != *'libuv in the executable'* ]]
    sed -i '1s/[0-9a-f]$/x/' trace/libuv.symbols
    run -0 --separate-stderr env LD_PRELOAD=$runtime "$UVS_BIN/e2e_hidden" 3 1
    [[ $stderr != *'libuv in the executable'* ]]
}

@test "a damaged file of names leaves the program as it is" {
    "$UVSCOPE" record -q -o trace "$UVS_BIN/e2e_hidden" 1 1
    export UVSCOPE_LIBUV=$PWD/damaged UVSCOPE_DEBUG=1
    local first damage
    first=$(head -1 trace/libuv.symbols)
    grep uv_run trace/libuv.symbols
    for damage in 'uv_run ffffffffff 10' 'uv_run 10 10' 'uv_run zz 10' 'uv_run' "$(printf '%0500d' 0) 1 1"; do
        printf '%s\n' "$first" "$damage" >damaged
        run -0 --separate-stderr env LD_PRELOAD=$runtime "$UVS_BIN/e2e_hidden" 3 1
        [ "$output" = ready ]
        [[ $stderr == *'is damaged'* ]]
    done
    for damage in '' 'something else' "$first"; do
        printf %s "$damage" >damaged
        run -0 env LD_PRELOAD=$runtime "$UVS_BIN/e2e_hidden" 3 1
    done
    run -0 env UVSCOPE_LIBUV=/dev/null LD_PRELOAD=$runtime "$UVS_BIN/e2e_hidden" 3 1
}

@test "an executable without a build id cannot be known again, and record says so" {
    run -0 --separate-stderr "$UVSCOPE" record -o trace "$UVS_BIN/e2e_unknown" 3 1
    [ "$output" = ready ]
    [[ $stderr == *'no build id'*'--build-id'* ]]
}

@test "libuv in a library that the program is linked with, not exported" {
    "$UVSCOPE" record -q -o trace "$UVS_BIN/e2e_private" 7 1
    [ "$(field "sum(c['count'] for c in r['callbacks'] if c['kind'] == 'timer')")" = 7 ]
    [ "$(field "[p['hooks'] for p in r['processes'] if p['copy'] == 1]")" = "['patched']" ]
    [ "$(field "[p['unhooked'] for p in r['processes']]")" = '[[], []]' ]
}

# both_seen: two_copies 20 30 was recorded; each copy has its own loops and its own pool.
both_seen() {
    [ "$output" = 'run 0, plug-in 0, nested 0, work 20' ]
    [ "$(field "[(p['copy'], p['hooks'], p['unhooked'], p['exe'].split('/')[-1]) for p in r['processes']]")" = \
        "[(0, 'interposed', [], '$1'), (1, 'patched', [], 'libe2e_plugin.so')]" ]
    local ticks="sum(c['count'] for c in r['callbacks'] if c['site']['function'] =="
    [ "$(field "($ticks 'main_tick'), $ticks 'plugin_tick'))")" = '(20, 32)' ]
    [ "$(field "[(p['copy'], p['size'], [(q['kind'], q['site']['function']) for q in p['requests']]) for p in r['pool']]")" = \
        "[(0, 4, [('work', 'main_work')]), (1, 4, [('fs.stat', 'plugin_looked')])]" ]
    [ "$(field "[sum(q['count'] for q in p['requests']) for p in r['pool']]")" = '[20, 32]' ]
    [ "$(field "[c['duration']['count'] for c in r['sync_calls'] if c['kind'] == 'nested_run']")" = '[1]' ]
}

@test "two copies of libuv in one process: each call goes to the copy that was called" {
    run -0 "$UVS_BIN/e2e_two_copies" 20 30
    run -0 "$UVSCOPE" record -q -o trace "$UVS_BIN/e2e_two_copies" 20 30
    both_seen e2e_two_copies
}

@test "a second copy in a library that is loaded later" {
    run -0 "$UVS_BIN/e2e_late_copy" 20 30 "$UVS_BIN/libe2e_plugin.so"
    run -0 "$UVSCOPE" record -q -o trace --plugin "$UVS_BIN/libe2e_plugin.so" -- \
        "$UVS_BIN/e2e_late_copy" 20 30 "$UVS_BIN/libe2e_plugin.so"
    both_seen e2e_late_copy
    # Nobody has named it: the program's own libuv is traced, and the library left alone.
    run -0 "$UVSCOPE" record -q -o other "$UVS_BIN/e2e_late_copy" 20 30 "$UVS_BIN/libe2e_plugin.so"
    [ "$output" = 'run 0, plug-in 0, nested 0, work 20' ]
    run -0 "$UVSCOPE" report --format json other
    [[ $output == *main_tick* && $output != *plugin_tick* ]]
}

@test "a stripped copy cannot be found, and is left alone" {
    mkdir lib
    strip -s -o lib/libe2e_plugin.so "$UVS_BIN/libe2e_plugin.so"
    run -0 "$UVSCOPE" record -q -o trace "$UVS_BIN/e2e_late_copy" 20 30 \
        "$PWD/lib/libe2e_plugin.so"
    [ "$output" = 'run 0, plug-in 0, nested 0, work 20' ]
    run -0 "$UVSCOPE" report --format json trace
    [[ $output == *main_tick* && $output != *plugin_tick* ]]
    run -125 "$UVSCOPE" record -o other --plugin lib/libe2e_plugin.so "$ticker"
    [[ $output == *'it was stripped'* ]]
}

@test "a plug-in that cannot be traced is refused before the program starts" {
    run -125 "$UVSCOPE" record -o trace --plugin "$UVS_BIN/nothing.so" "$ticker"
    [[ $output == *"nothing.so' cannot be read"* ]]
    run -125 "$UVSCOPE" record -o trace --plugin "$ticker" "$ticker"
    [[ $output == *'no libuv of its own'* ]]
    [ ! -e trace ]
}

# Each of them ends the program when it is called.
@test "stand-ins with libuv's names are not called" {
    export UVSCOPE_DEBUG=1
    run -0 --separate-stderr env LD_PRELOAD=$runtime "$UVS_BIN/e2e_standins"
    [[ $stderr == *'not hooked'* ]]
    run -0 --separate-stderr "$UVSCOPE" record -o trace "$UVS_BIN/e2e_standins"
    [[ $stderr == *'nothing recorded'* ]]
}
