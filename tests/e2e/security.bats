# SPDX-License-Identifier: MIT
# The claims of docs/security.md that no other suite tests: what a trace may make its reader do, and what a recording
# takes from its surroundings.

bats_require_minimum_version 1.5.0

load helpers
load hostile

setup() {
    # Root's recordings have the system's daemon, and root can make what belongs to others; the rest is the same for all.
    case "$UVS_AS $BATS_TEST_DESCRIPTION" in
    root\ another* | root\ nothing\ is\ loaded* | user\ *) ;;
    *) skip "the same as for a user" ;;
    esac
    common_setup
}

teardown() {
    [ -n "$BATS_TEST_SKIPPED" ] || common_teardown
}

# A recording of the ticker in ./trace; its directory of streams in $streams.
a_recording() {
    "$UVSCOPE" record -q -o trace "$ticker" 5 1
    streams=$(dirname "$(find trace/ctf -name metadata)")
}

# traced COMMAND...: what it opens, runs and connects to, in ./calls; its own output in ./out and ./err.
traced() {
    status=0
    strace -f -qq -s 512 -e trace=open,openat,execve,execveat,socket,connect -o calls "$@" >out 2>err || status=$?
    [ -s calls ]
}

# Paths that were opened or run, with success, and match the pattern.
opened() {
    grep -E '^[0-9]+ +(open|openat|execve)' calls | grep -v ' = -1 ' | grep -oE '"[^"]*"' | tr -d '"' | grep -E "$1"
}


# Files in the current directory that would be loaded by whoever looked here for a library, a plugin or a program.
bait() {
    local name
    mkdir -p bait/.debug bait/lib
    for name in libstdc++.so.6 libbabeltrace2.so.0 babeltrace-plugin-ctf.so libdebuginfod.so.1 liblttng-ust.so.1 \
        liblttng-ust-ctl.so.5 libuvscope.so libuvscope-provider.so libuvscope-patcher.so libuv.so.1 lttng-sessiond \
        lttng-consumerd uvscope.json symbols.json perf-1.map lib/libuvscope.so .debug/e2e_ticker; do
        echo 'not what it says' >"bait/$name"
        chmod +x "bait/$name"
    done
    cd bait
}

@test "nothing is loaded or run from the current directory" {
    bait
    local here=$PWD
    traced "$UVSCOPE" record -q -o ../trace -- "$ticker" 5 1
    [ "$status" -eq 0 ]
    grep -q execve calls
    not opened "^$here/"
    # Relative ones: those that `record` opens, and its daemon, are below directories that were opened before.
    not grep -E 'execve\("[^/]|AT_FDCWD, "[^/.][^"]*"[^=]*= [0-9]' calls
    for form in text json html; do
        traced "$UVSCOPE" report --format $form ../trace
        [ "$status" -eq 0 ]
        not opened "^$here/"
        not grep -E 'execve\("[^/]' calls
        not grep -E 'AT_FDCWD, "[^/.][^"]*"[^=]*= [0-9]' calls
    done
}

@test "nothing that is installed says where else to look for libraries" {
    local object
    for object in "$UVSCOPE" "$(dirname "$UVSCOPE")"/../lib/*.so; do
        [ -z "$(readelf -d "$object" | sed -nE 's/.*(RUNPATH|RPATH).*\[(.*)\]/\2/p' | tr : '\n' | grep -v '^/')" ]
    done
}

@test "no network is used, whatever DEBUGINFOD_URLS says" {
    a_recording
    rm trace/symbols.json
    export DEBUGINFOD_URLS=http://127.0.0.1:9
    traced "$UVSCOPE" report trace
    [ "$status" -eq 0 ]
    opened | grep -qF e2e_ticker
    not grep -E 'socket\(AF_INET|sa_family=AF_INET' calls
    # LTTng's daemon has a socket of its own for its agents, but nothing connects to anybody.
    traced "$UVSCOPE" record -q -o other -- "$ticker" 5 1
    not grep -E 'connect\(.*sa_family=AF_INET' calls
}

# module PATH BUILD_ID: the rest of a log whose only callback lies in it.
in_module() {
    cat <<END
1ms process_info loop=7:- pid=7 schema=1 libuv=76802 pool_size=4 exe="/bin/app"
1ms loop_info loop=7:0 tid=7 is_default=1 name=app
1ms module loop=7:- base=0x1000 size=0x100000 bias=0 build_id="$2" path="$1"
10s callback loop=7:0 op=1 kind=timer callback=0x1010 duration_ns=9990ms delay_ns=1ms
11s poll loop=7:0 wait_ns=999ms busy_ns=9.991s callbacks=1 calls=1 timeout_ms=1000
END
}

@test "a trace names files, but only ELF files with the recorded build id are looked into" {
    mkfifo pipe
    cp "$ticker" own
    ln -s /dev/zero endless
    local path id
    for path in pipe "$PWD/pipe" own "$PWD/endless" /dev/zero /dev/tty /proc/kmsg /proc/self/mem /etc/passwd "$PWD" /nowhere/at/all \
        "/proc/self/fd/0" "$(printf '%05000d' 0)"; do
        for id in "" 00112233; do
            in_module "$path" "$id" >named.events
            run -0 timeout 20 "$UVSCOPE" report --format json named.events
            [ "$(jq -r '.callbacks[0].site | [.function, .file, .line] | map(tostring) | join(" ")' <<<"$output")" = "null null null" ]
        done
    done
    # A file without a match is opened for its build id alone, and no other is looked for beside it.
    in_module "$PWD/own" 00112233 >named.events
    traced "$UVSCOPE" report named.events
    not opened 'own.+|debug.*own'
}

@test "links in a recording lead nowhere" {
    a_recording
    local secret=$PWD/secret file
    echo '{"schema": 1, "id": "stolen", "argv": ["stolen"], "objects": []}' >secret
    for file in uvscope.json symbols.json "perf-1.map"; do
        cp -r trace linked
        rm -f linked/$file
        ln -s "$secret" linked/$file
        traced "$UVSCOPE" report --format json linked
        not grep -q stolen out err
        not grep -E 'secret"[^=]*= [0-9]' calls
        rm -r linked
    done
    for file in "${streams#trace/}/metadata" "${streams#trace/}/$(cd "$streams" && ls -d uvscope_* | head -n 1)" ctf; do
        cp -r trace linked
        mv "linked/$file" elsewhere
        ln -s "$PWD/elsewhere" "linked/$file"
        run -4 "$UVSCOPE" report linked
        [[ $output == *"symbolic link"* ]]
        rm -r linked elsewhere
    done
    # That to the newest recording is the user's own, and in no recording.
    ln -s trace newest
    "$UVSCOPE" report newest >out
}

@test "messages about a trace act on no terminal, and forge no line" {
    a_recording
    local name=$'uvscope_\e[2J\n::error::forged \xe2\x80\xae'
    cp -r trace named
    printf 'no packet' >"named/${streams#trace/}/$name"
    status=0
    "$UVSCOPE" report named >out 2>err || status=$?
    [ "$status" -eq 4 ]
    not grep -qE $'\e|^::|\xe2\x80\xae' out err
    grep -qF '\x1b[2J\n::error::forged' err
    [ "$(wc -l <err)" -eq 1 ]
    # What a log says where a word is wrong comes back in the message.
    printf '1ms process_info \e]0;title\a\n' >wrong.events
    status=0
    "$UVSCOPE" report wrong.events >out 2>err || status=$?
    [ "$status" -eq 4 ]
    not grep -q $'\e' err
}

@test "no form lets a name of a trace act" {
    hostile_events
    local form
    for form in text markdown csv; do
        "$UVSCOPE" report --format $form hostile.events >out
        # The last is a mark that turns the direction of writing.
        not grep -qE $'\e|\a|^forged|\xe2\x80\xae' out
    done
    for form in html json; do
        "$UVSCOPE" report --format $form hostile.events >out
        not grep -qE $'\e|\a|^forged' out
    done
    for form in chrome ndjson folded openmetrics; do
        "$UVSCOPE" export --to $form hostile.events >out
        not grep -qE $'\e|\a|^forged' out
    done
    "$UVSCOPE" check --rule 'callback.duration.max by site < 1ms' hostile.events >out || [ $? -eq 1 ]
    not grep -qE $'\e|\a|^forged|\xe2\x80\xae' out
}

@test "recordings are private" {
    umask 000
    "$UVSCOPE" record -q "$ticker" 5 1
    [ "$(stat -c %a "$UVSCOPE_TRACES"/e2e_ticker-*)" = 700 ]
    [ -z "$(find "$UVSCOPE_TRACES"/e2e_ticker-* -maxdepth 1 -type f -perm /077)" ]
}

@test "another user's map of generated code is not taken" {
    as_root || skip "needs root, to make one"
    # A map that is of this user, and one that is not.
    for owner in 0 65534; do
        rm -rf trace
        "$UVSCOPE" record -q -o trace -- sh -c "echo \$\$ >pid; echo 7f0000000000 10 planted >/tmp/perf-\$\$.map; chown $owner /tmp/perf-\$\$.map; exec $ticker 5 1"
        if [ "$owner" = 0 ]; then
            ls trace/perf-*.map
        else
            not ls trace/perf-*.map
        fi
        # It was not made for uvscope.
        rm "/tmp/perf-$(cat pid).map"
    done
}

@test "another user's recording is read, not written to" {
    as_root || skip "needs root, to make one"
    a_recording
    rm trace/symbols.json
    chown -R 65534:65534 trace
    "$UVSCOPE" report trace >out
    [ ! -e trace/symbols.json ]
    chown 0:0 trace
    "$UVSCOPE" report trace >out
    [ -e trace/symbols.json ]
}
