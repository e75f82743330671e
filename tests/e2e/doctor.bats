# SPDX-License-Identifier: MIT
# `uvscope doctor`: what it says is so, and what is missing is said.

bats_require_minimum_version 1.5.0

load helpers

setup() {
    common_setup
}

teardown() {
    common_teardown
}

# says HEALTH NAME TEXT: the output of the last run has that row.
says() {
    grep -qE "^  $1 +$2 .*$3" <<<"$output" || { echo "no $1 $2 $3 in: $output"; return 1; }
}

# advises TEXT: one of the remedies has it.
advises() {
    grep -q -- "-> .*$1" <<<"$output" || { echo "no remedy $1 in: $output"; return 1; }
}

# --- The machine ---

@test "a machine that records is said to" {
    run -0 "$UVSCOPE" doctor
    says ok kernel Linux
    says ok runtime libuvscope.so
    says ok provider libuvscope-provider.so
    says ok patcher libuvscope-patcher.so
    says ok plugins libuvscope-plugins.so
    says ok lttng-sessiond "is 2\."
    says ok daemon record
    says ok /dev/shm "for each of"
    says ok perf-maps /tmp
    says ok traces "$UVSCOPE_TRACES"
    [[ $output == *"Recording will work"* ]]
    [[ $output != *problem* ]]
}

@test "it leaves nothing behind and makes nothing" {
    run -0 "$UVSCOPE" doctor "$ticker"
    [ ! -e "$UVSCOPE_TRACES" ]
    [ -z "$(ls -A "$HOME")" ]
}

@test "no lttng-sessiond is a problem, status 3" {
    LTTNG_SESSIOND_PATH=/nonexistent run -3 "$UVSCOPE" doctor
    says problem lttng-sessiond LTTNG_SESSIOND_PATH
    [[ $output == *"Recording will not work: 1 problem."* ]]
    LTTNG_SESSIOND_PATH=$(type -P false) run -3 "$UVSCOPE" doctor
    says problem lttng-sessiond "does not say its version"
    advises lttng-tools
}

@test "an old lttng-sessiond is a warning" {
    printf '#!/bin/sh\necho 2.12.3\n' >old && chmod +x old
    LTTNG_SESSIOND_PATH=$PWD/old run -0 "$UVSCOPE" doctor
    says warning lttng-sessiond "is 2.12"
    [[ $output == *"with 1 warning"* ]]
}

# copied [FILE]...: uvscope in a place of its own, with these libraries only; its path in $copy.
copied() {
    mkdir -p bin lib
    cp "$UVSCOPE" bin/ && chmod 755 bin/uvscope
    local file
    for file in "$@"; do
        cp "$(dirname "$UVSCOPE")/../lib/$file" lib/
    done
    copy=$PWD/bin/uvscope
}

@test "missing parts of uvscope itself are named" {
    copied
    run -3 "$copy" doctor "$ticker"
    says problem runtime "neither in"
    advises "install uvscope again"
    copied libuvscope.so
    run -3 "$copy" doctor
    says problem provider "No such file"
    copied libuvscope-provider.so
    run -0 "$copy" doctor
    says warning patcher "No such file"
}

@test "without the patcher a libuv in the executable is a problem, a shared one is none" {
    copied libuvscope.so libuvscope-provider.so
    run -3 "$copy" doctor "$UVS_BIN/e2e_exporting"
    says problem libuv libuvscope-patcher.so
    run -0 "$copy" doctor "$ticker"
    says ok libuv "is shared"
}

@test "limits that a recording would meet are warnings" {
    run -0 bash -c 'ulimit -n 30 && exec "$0" doctor' "$UVSCOPE"
    says warning limits "30 open files"
    advises "ulimit -n"
    run -0 bash -c 'ulimit -f 10000 && exec "$0" doctor' "$UVSCOPE"
    says warning limits "a file may have"
    LTTNG_UST_REGISTER_TIMEOUT=0 run -0 "$UVSCOPE" doctor
    says warning registration "does not wait"
}

@test "a place for traces that is not writable is a warning" {
    as_root && skip "root writes anywhere"
    mkdir -m 500 closed
    UVSCOPE_TRACES=$PWD/closed/there run -0 "$UVSCOPE" doctor
    says warning traces "closed is not writable"
    advises "-o DIR"
}

@test "a small /dev/shm is a warning, too small a one a problem" {
    as_root || skip "needs root to mount one"
    local shrink='mount -t tmpfs -o size=$0 none /dev/shm && shift 0 && exec "$@"'
    local cpus
    cpus=$(($(grep -oE '[0-9]+$' /sys/devices/system/cpu/possible) + 1))
    run -0 unshare -m bash -c "$shrink" "$((1024 + 5 * 64 * cpus + 64))k" "$UVSCOPE" doctor
    says warning /dev/shm "4 x 64 KiB"
    run -3 unshare -m bash -c "$shrink" "$((1024 + 5 * 64 * cpus - 64))k" "$UVSCOPE" doctor
    says problem /dev/shm "are needed"
    advises "make it larger"
}

# --- The program ---

@test "a shared libuv is hooked through the dynamic linker" {
    run -0 "$UVSCOPE" doctor "$ticker"
    says ok program e2e_ticker
    says ok linking dynamically
    says ok libuv "is shared, .*libuv.so.1.*through the dynamic linker"
    says ok libuv-version "libuv is $(pkg-config --modversion libuv)"
    says ok gc "not seen"
}

@test "a libuv inside a library is found beside the shared one, and alone" {
    run -0 "$UVSCOPE" doctor "$UVS_BIN/e2e_two_copies"
    says ok libuv "is shared, .*libuv.so.1.*through the dynamic linker"
    says ok libuv "is linked into .*libe2e_plugin.so, which does not export it"
    run -0 "$UVSCOPE" doctor "$UVS_BIN/e2e_late_copy"
    [[ $output != *libe2e_plugin* ]]
    run -0 "$UVSCOPE" doctor "$UVS_BIN/e2e_private"
    says ok libuv "is linked into .*libe2e_private_uv.so"
    [[ $output != *"does not use libuv itself"* ]]
}

@test "a libuv that calls itself directly is hooked at its entries" {
    run -0 "$UVSCOPE" doctor "$UVS_BIN/e2e_symbolic"
    says ok libuv "is shared, .*e2e_symbolic_uv.*-Bsymbolic"
    says ok libuv-version "libuv is $(pkg-config --modversion libuv)"
    says '(ok|warning)' hooks "functions"
}

@test "a libuv in the executable is hooked at its entries" {
    run -0 "$UVSCOPE" doctor "$UVS_BIN/e2e_exporting"
    says ok libuv "linked into .*e2e_exporting"
    says ok libuv-version "libuv is $(pkg-config --modversion libuv)"
    says '(ok|warning)' hooks "functions"
}

@test "a libuv in the executable that is not exported is found in its symbol table" {
    run -0 "$UVSCOPE" doctor "$UVS_BIN/e2e_hidden"
    says ok libuv "does not export it"
    says '(ok|warning)' hooks "functions"
    objcopy --remove-section .note.gnu.build-id "$UVS_BIN/e2e_hidden" anonymous
    run -3 "$UVSCOPE" doctor ./anonymous
    says problem libuv "nor has a build id"
    advises build-id
    strip -o stripped "$UVS_BIN/e2e_hidden"
    run -0 "$UVSCOPE" doctor ./stripped
    says warning libuv "does not use libuv"
}

@test "a libuv without what the runtime calls is left alone" {
    strip --strip-symbol=uv_is_active -o without "$UVS_BIN/e2e_hidden"
    run -3 "$UVSCOPE" doctor ./without
    says problem libuv "without uv_is_active"
    advises "shared libuv"
}

# What the doctor says of a program's hooks is what the runtime does.
@test "the functions that are said to be left alone are those that the runtime leaves alone" {
    local said debug
    for program in "$UVS_BIN/e2e_exporting" "$UVS_BIN/e2e_symbolic"; do
        said=$("$UVSCOPE" doctor "$program" | grep -oE 'uv_[a-z0-9_]+ \(' | tr -d ' (' | sort)
        debug=$(UVSCOPE_DEBUG=1 "$UVSCOPE" record -q "$program" 1 1 2>&1 | grep -oE 'uv_[a-z0-9_]+ is not hooked' |
            sed 's/ is.*//' | sort)
        [ "$said" = "$debug" ] || { printf 'said %s\ndone %s\n' "$said" "$debug"; return 1; }
    done
}

@test "stand-ins are told from a libuv" {
    run -3 "$UVSCOPE" doctor "$UVS_BIN/e2e_standins"
    says problem libuv "stand-ins"
}

@test "a program without libuv is a warning: a plug-in may bring it" {
    run -0 "$UVSCOPE" doctor sh
    says warning libuv "does not use libuv"
    advises "record it"
}

@test "of a script the interpreter is looked at" {
    printf '#!%s 1 1\n' "$ticker" >script && chmod +x script
    run -0 "$UVSCOPE" doctor ./script
    says ok program "is a script, run by $ticker"
    says ok libuv "is shared"
}

@test "what record refuses is a problem here" {
    run -3 "$UVSCOPE" doctor ./missing
    says problem program "not there"
    touch plain
    run -3 "$UVSCOPE" doctor ./plain
    says problem program "Permission denied"
    run -3 "$UVSCOPE" doctor "$UVS_BIN/e2e_static"
    says problem linking "statically linked"
    advises "link it dynamically"
    # e_machine is at byte 18.
    cp "$ticker" foreign && printf '\x99' | dd of=foreign bs=1 seek=18 conv=notrunc status=none
    run -3 "$UVSCOPE" doctor ./foreign
    says problem architecture "another architecture"
    sed 's:ld-linux:ld-other:' "$ticker" >other && chmod +x other
    run -3 "$UVSCOPE" doctor ./other
    says problem c-library "another C library"
    if ! as_root; then
        run -3 "$UVSCOPE" doctor /usr/bin/passwd
        says problem privileges "set-uid"
    fi
}

@test "the program does not run" {
    printf '#!/bin/sh\ntouch ran\n' >script && chmod +x script
    run -0 "$UVSCOPE" doctor ./script
    [ ! -e ran ]
}

# --- For programs ---

@test "JSON says the same" {
    "$UVSCOPE" doctor --format json "$UVS_BIN/e2e_static" >answer || [ $? = 3 ]
    "$UVSCOPE" doctor "$UVS_BIN/e2e_static" >text || [ $? = 3 ]
    /usr/bin/python3 - <<'EOF'
import json, re
answer = json.load(open("answer"))
assert answer["works"] is False and answer["program"].endswith("e2e_static")
rows = [(row["health"], row["name"]) for row in answer["checks"]]
assert rows == re.findall(r"^  (ok|warning|problem) +(\S+)", open("text").read(), re.M), rows
(last,) = [row for row in answer["checks"] if row["health"] == "problem"]
assert last["about"] == "program" and last["remedy"] == "link it dynamically", last
assert {row["about"] for row in answer["checks"]} == {"machine", "program"}
EOF
}

@test "more than one program is a wrong command line" {
    run -2 "$UVSCOPE" doctor one two
}
