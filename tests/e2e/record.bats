# SPDX-License-Identifier: MIT
# `uvscope record`: the program must not notice, and nothing may be left behind.

bats_require_minimum_version 1.5.0

load helpers

setup() {
    common_setup
}

teardown() {
    common_teardown
}

# What a shell does until it gets a signal: `read` of a FIFO that nobody writes.
# A signal that comes just before `read` waits is handled when it returns.
waiting() {
    mkfifo fifo
    echo "$1; exec 9<>fifo; echo ready; while :; do read -r -t 1 <&9 || :; done"
}

# --- The program's own view ---

@test "the exit status is the program's" {
    local status
    for status in 0 1 2 42 124 125 126 127 128 255; do
        run -"$status" "$UVSCOPE" record -q sh -c "exit $status"
        [ -z "$output" ]
    done
}

@test "a signal that ends the program gives 128 + n" {
    ulimit -c 0
    local signal
    for signal in KILL SEGV ABRT TERM INT HUP; do
        run -"$((128 + $(kill -l "$signal")))" "$UVSCOPE" record -q sh -c "kill -$signal \$\$"
    done
}

@test "input, output and errors pass through untouched" {
    head -c 300000 /dev/urandom >input
    "$UVSCOPE" record -q sh -c 'cat; echo from the program >&2' <input >out 2>err
    cmp input out
    [ "$(cat err)" = "from the program" ]
}

@test "arguments and working directory are those of a bare run" {
    mkdir -p 'a place' && cd 'a place'
    local program='pwd; printf "<%s>" "$0" "$@"'
    sh -c "$program" zero '' 'two words' --help -q $'new\nline' >../bare
    "$UVSCOPE" record -q sh -c "$program" zero '' 'two words' --help -q $'new\nline' >../recorded
    cmp ../bare ../recorded
}

@test "the environment has four more variables, and only those" {
    export LD_PRELOAD=
    # The shell sets $_ to what it runs.
    env | grep -vE '^(LD_PRELOAD|_)=' | sort >bare
    "$UVSCOPE" record -q env | grep -v '^_=' | sort >recorded
    local added
    added=$(comm -13 bare recorded)
    [ -z "$(comm -23 bare recorded)" ]
    grep -qE '^LD_PRELOAD=/.*/libuvscope\.so$' <<<"$added"
    grep -qE '^UVSCOPE_RECORDING=[0-9a-f]{16}$' <<<"$added"
    grep -qx UVSCOPE_NAMES=1 <<<"$added"
    if as_root; then
        [ "$(wc -l <<<"$added")" = 3 ]
    else
        grep -q "^LTTNG_HOME=$XDG_RUNTIME_DIR/" <<<"$added"
        [ "$(wc -l <<<"$added")" = 4 ]
    fi
}

@test "the user's own LD_PRELOAD stays, behind the runtime" {
    local own
    own=$(ldd "$ticker" | grep -oE '/[^ ]*libuv\.so\.1')
    # A sanitized build would refuse not to be the first.
    ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=$own run -0 "$UVSCOPE" record -q sh -c 'echo "$LD_PRELOAD"'
    [[ $output == /*/libuvscope.so:$own ]]
}

@test "descriptors are those of a bare run" {
    # Without its provider the runtime opens nothing: what differed would be record's.
    export UVSCOPE_PROVIDER=/nonexistent
    exec 7<"$UVSCOPE" 8>/dev/null
    local list='cd /proc/self/fd; for fd in *; do [ -e $fd ] && echo $fd $(readlink $fd); done'
    bash -c "$list" >bare </dev/null 2>/dev/null
    "$UVSCOPE" record -q bash -c "$list" >recorded </dev/null 2>/dev/null
    exec 7<&- 8>&-
    sed -i 's/\(bare\|recorded\)$/out/' bare recorded
    grep -q "^7 $UVSCOPE" bare
    diff bare recorded
}

@test "closed standard descriptors stay closed" {
    export UVSCOPE_PROVIDER=/nonexistent
    run -0 bash -c '"$0" record -q sh -c "test ! -e /proc/self/fd/0 && test ! -e /proc/self/fd/2 && echo fine" \
        <&- 2>&-' "$UVSCOPE"
    [ "$output" = fine ]
}

@test "ignored and blocked signals are those of a bare run" {
    local look=(env --ignore-signal=HUP --ignore-signal=CHLD --block-signal=USR2)
    local show=(grep -E '^Sig(Blk|Ign|Pnd)' /proc/self/status)
    "${look[@]}" "${show[@]}" >bare
    "${look[@]}" "$UVSCOPE" record -q "${show[@]}" >recorded
    diff bare recorded
    "${show[@]}" >bare
    "$UVSCOPE" record -q "${show[@]}" >recorded
    diff bare recorded
}

@test "a summary that nobody reads does not change the status" {
    run -7 bash -c '"$0" record sh -c "exit 7" 2> >(exec true); exit $?' "$UVSCOPE"
}

# --- Signals ---

@test "SIGTERM, SIGHUP and SIGINT sent to record alone reach the program, once" {
    local signal program
    program=$(waiting 'trap "echo got TERM; exit 9" TERM; trap "echo got HUP; exit 9" HUP; trap "echo got INT; exit 9" INT')
    for signal in TERM HUP INT; do
        # Background jobs of a shell ignore SIGINT.
        background env --default-signal=INT "$UVSCOPE" record -q bash -c "$program"
        await is_ready
        kill -"$signal" "$pid"
        status_of "$pid"
        [ "$status" = 9 ]
        [ "$(grep -c "got $signal" output)" = 1 ]
        rm output
    done
}

@test "Ctrl-C reaches the program once, which may take it its own way" {
    local program
    program=$(waiting 'trap "echo GOT; exit 5" INT')
    run -5 "$BATS_TEST_DIRNAME/in_terminal.py" ready:^C -- "$UVSCOPE" record bash -c "$program"
    [ "$(grep -c GOT <<<"$output")" = 1 ]
}

@test "Ctrl-C ends the program and keeps the trace" {
    run -130 "$BATS_TEST_DIRNAME/in_terminal.py" ready:^C -- "$UVSCOPE" record -o trace "$ticker" 0 1
    [[ $output == *' events (0 lost), '* ]]
    [ "$(events_in trace)" -gt 0 ]
}

@test "Ctrl-C that ends the program ends a shell's loop too, with the trace written" {
    local loop='for i in 1 2 3; do "$0" record -o "trace$i" "$@"; done; echo went on'
    run -130 "$BATS_TEST_DIRNAME/in_terminal.py" ready:^C -- bash -c "$loop" "$UVSCOPE" "$ticker" 0 1
    [[ $output == *' events (0 lost), '* && $output != *'went on'* ]]
    [ "$(events_in trace1)" -gt 0 ]
    [ ! -e trace2 ]
}

@test "of SIGINT and SIGQUIT record dies as the program did, and leaves no core file" {
    local signal dies='import os, sys
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
status = os.waitpid(pid, 0)[1]
print(os.waitstatus_to_exitcode(status), os.WCOREDUMP(status))'
    for signal in INT QUIT; do
        rm -rf trace
        run -0 bash -c 'ulimit -Sc hard; exec "$@"' - /usr/bin/python3 -c "$dies" "$UVSCOPE" record -q -o trace \
            sh -c "ulimit -c 0; kill -$signal \$\$"
        [ "$output" = "-$(kill -l "$signal") False" ]
        grep -q "\"exit\": \"signal $(kill -l "$signal")\"" trace/uvscope.json
    done
    # Whoever ignores it for others does not for a program that dies of it all the same.
    local undone='import signal, os; signal.signal(signal.SIGINT, signal.SIG_DFL); os.kill(os.getpid(), signal.SIGINT)'
    run -0 env --ignore-signal=INT /usr/bin/python3 -c "$dies" "$UVSCOPE" record -q /usr/bin/python3 -c "$undone"
    [ "$output" = "-2 False" ]
}

@test "the first process of a container, which no signal of its own ends, gives 128 + n" {
    as_root || skip "needs root, for a namespace of processes"
    run -130 unshare --pid --fork --mount-proc "$UVSCOPE" record -q sh -c 'kill -INT $$'
}

@test "Ctrl-Z stops both, and both go on" {
    run -130 "$BATS_TEST_DIRNAME/in_terminal.py" "ready:^Z,[stopped]:^C" -- "$UVSCOPE" record -q "$ticker" 0 1
    [[ $output == *'[stopped]'* ]]
}

# --- The trace ---

@test "every event that is said is in the trace, which only its owner can read" {
    run -3 "$UVSCOPE" record -o trace "$ticker" 50 1 3
    local said
    said=$(events_said "$output")
    [ "$said" -gt 50 ]
    [ "$(events_in trace)" = "$said" ]
    [[ $output == *"(0 lost)"*" in $PWD/trace — next: uvscope report" ]]
    [ "$(stat -c %a trace)" = 700 ]
    grep -q '"exit": "3"' trace/uvscope.json
    grep -q "\"cwd\": \"$PWD\"" trace/uvscope.json
}

@test "full detail records more kinds of events than the default" {
    "$UVSCOPE" record -q -o plain "$ticker" 5 1
    "$UVSCOPE" record -q -o full --detail full "$ticker" 5 1
    run ! grep -q callback_begin <(babeltrace2 plain/ctf)
    [ "$(babeltrace2 full/ctf | grep -c uvscope:callback_begin)" = 5 ]
}

# How much is missing of the end of the recording ./trace; null: it is none that was recorded lean.
untold_ns() {
    "$UVSCOPE" report trace --format json | jq '.processes[0].lean.untold_ns'
}

@test "lean detail counts the same callbacks with few events, up to the program's end" {
    "$UVSCOPE" record -q -o trace --detail lean "$ticker" 2000 0
    [ "$(babeltrace2 trace/ctf | grep -c uvscope:callback)" -lt 200 ]
    [ "$("$UVSCOPE" report trace --format json | jq '.callbacks[0].count')" = 2000 ]
    [ "$(untold_ns)" = 0 ]
}

@test "lean detail says what was not told when the program was killed" {
    background "$UVSCOPE" record -q -o trace --detail lean "$ticker" 0 1
    await is_ready
    kill -TERM "$pid"
    status_of "$pid"
    [ "$status" = 143 ]
    [ "$(untold_ns)" -gt 0 ]
    run -0 "$UVSCOPE" report trace
    [[ $output == *"ended without telling its last totals"* ]]
}

@test "children are recorded too" {
    run -0 "$UVSCOPE" record -o trace sh -c "'$ticker' 5 1; '$ticker' 5 1"
    [ "$(babeltrace2 trace/ctf | grep -oE 'uvscope:process_info.* pid = [0-9]+' | grep -oE '[0-9]+$' | sort -u | wc -l)" = 2 ]
}

@test "recordings have names of their own, and latest is the newest" {
    "$UVSCOPE" record -q true
    local first second
    first=$(readlink traces/latest)
    "$UVSCOPE" record -q "$ticker" 1 1
    second=$(readlink traces/latest)
    [[ $(basename "$first") =~ ^true-[0-9]{8}-[0-9]{6}$ ]]
    [[ $(basename "$second") =~ ^e2e_ticker-[0-9]{8}-[0-9]{6}$ ]]
    [ "$(stat -c %a traces "$first" "$second" | sort -u)" = 700 ]
    "$UVSCOPE" record -q -o elsewhere true
    [ "$(readlink traces/latest)" = "$PWD/elsewhere" ]
}

@test "without UVSCOPE_TRACES they are in the home directory" {
    unset UVSCOPE_TRACES
    "$UVSCOPE" record -q true
    [ -f "$HOME/uvscope-traces/latest/uvscope.json" ]
}

@test "two recordings at once do not disturb each other" {
    background "$UVSCOPE" record -o one "$ticker" 0 1
    local first=$pid
    await is_ready
    run -4 "$UVSCOPE" record -o two "$ticker" 20 1 4
    [ "$(events_said "$output")" -gt 20 ]
    kill -0 "$first"
    kill -TERM "$first"
    status_of "$first"
    [ "$status" = 143 ]
    [ "$(events_in one)" -gt "$(events_said "$output")" ]
}

@test "many recordings at once: each has its own, and the last one ends the daemon" {
    local pids=() i
    for i in 1 2 3 4 5 6; do
        "$UVSCOPE" record -o "trace$i" "$ticker" 20 1 "$i" >/dev/null 2>"errors$i" 3>&- &
        pids+=($!)
        sleep "0.0$((RANDOM % 10))"
    done
    for i in 1 2 3 4 5 6; do
        status_of "${pids[i - 1]}"
        [ "$status" = "$i" ]
        [ "$(events_said "$(cat "errors$i")")" -lt 200 ]
    done
    no_daemons
}

@test "a program without a loop is told so" {
    run -0 "$UVSCOPE" record true
    [[ $output == *"true never ran a libuv loop that uvscope can see"* ]]
}

@test "a program without a loop is told so while another one is recorded" {
    background "$UVSCOPE" record -o one "$ticker" 0 1
    await is_ready
    run -0 "$UVSCOPE" record true
    [[ $output == *"true never ran a libuv loop that uvscope can see"* ]]
    kill -TERM "$pid"
    status_of "$pid"
    [ "$status" = 143 ]
}

@test "a program that goes into the background is told that it is recorded no more" {
    run -0 "$UVSCOPE" record sh -c 'sleep 60 >/dev/null 2>&1 3>&- & echo $!'
    started+=("${lines[0]}")
    [[ $output == *"1 process of sh still runs in the background, no longer recorded"* ]]
    kill "${lines[0]}"
}

# --- What cannot be recorded ---

# refused STATUS TEXT ARGUMENT...: no trace, and the text says why.
refused() {
    local status=$1 text=$2
    shift 2
    run -"$status" "$UVSCOPE" record "$@"
    [[ $output == *"$text"* ]] || { echo "said: $output"; return 1; }
    [ ! -e traces ] || [ -z "$(ls traces)" ]
}

@test "not found is 127" {
    refused 127 "not there" ./missing
    refused 127 "in no directory of PATH" missing-from-the-path
    printf '#!/nonexistent/interpreter\n' >script && chmod +x script
    refused 127 "the interpreter of ./script" ./script
}

@test "not executable is 126" {
    touch plain
    refused 126 "Permission denied" ./plain
    refused 126 "Permission denied" /
}

@test "statically linked is 125" {
    refused 125 "statically linked" "$UVS_BIN/e2e_static"
}

@test "another architecture is 125" {
    # e_machine is at byte 18.
    cp "$ticker" foreign && printf '\x99' | dd of=foreign bs=1 seek=18 conv=notrunc status=none
    refused 125 "another architecture" ./foreign
}

@test "another C library is 125" {
    sed 's:ld-linux:ld-other:' "$ticker" >foreign && chmod +x foreign
    refused 125 "another C library" ./foreign
}

@test "set-uid and set-gid are 125" {
    if as_root; then
        cp "$(type -P true)" other && chown 65534:65534 other && chmod u+s other
        refused 125 "set-uid" ./other
        chmod u-s,g+s other
        refused 125 "set-uid" ./other
        printf '#!%s\n' "$PWD/other" >script && chmod +x script
        refused 125 "set-uid" ./script
        # Nothing is gained where the owner is the user.
        cp "$(type -P true)" own && chmod u+s own
        "$UVSCOPE" record -q ./own
    else
        refused 125 "set-uid" /usr/bin/passwd
    fi
}

@test "file capabilities are 125" {
    as_root && skip "root gains nothing by them"
    local capable=
    for capable in /usr/bin/ping /bin/ping ''; do
        [ -n "$capable" ] && getcap "$capable" 2>/dev/null | grep -q cap_ && break
    done
    [ -n "$capable" ] || skip "no program here has any"
    refused 125 "file capabilities" "$capable"
}

@test "scripts are recorded through their interpreter" {
    printf '#!/usr/bin/env -S sh -e\n"%s" 5 1\nexit 6\n' "$ticker" >script && chmod +x script
    run -6 "$UVSCOPE" record ./script
    [ "$(events_said "$output")" -gt 5 ]
}

@test "an executable text without #! is run by sh, as execvp does" {
    echo 'exit 8' >text && chmod +x text
    run -8 "$UVSCOPE" record -q ./text
}

@test "a wrong -o is 125, and what was there stays" {
    mkdir -p full && touch full/mine
    refused 125 "not empty" -o full true
    [ -f full/mine ]
    touch file
    refused 125 "no directory" -o file true
    refused 125 "No such file" -o no/such/parent true
    if ! as_root; then
        refused 125 "Permission denied" -o /etc/uvscope-trace true
        mkdir -m 500 closed
        refused 125 "cannot write" -o closed true
    fi
}

@test "an empty directory may be named by -o, and becomes private" {
    mkdir -m 755 empty
    "$UVSCOPE" record -q -o empty "$ticker" 1 1
    [ "$(stat -c %a empty)" = 700 ]
    [ -f empty/uvscope.json ]
}

@test "without lttng-sessiond it is 125 and nothing runs" {
    LTTNG_SESSIOND_PATH=/nonexistent refused 125 "LTTNG_SESSIOND_PATH" touch ran
    LTTNG_SESSIOND_PATH=$(type -P false) refused 125 "ended at once, with status 1" touch ran
    [ ! -e ran ]
}

@test "wrong options name the near ones, status 2" {
    run -2 "$UVSCOPE" record --detial full true
    [[ $output == *"did you mean --detail?"* ]]
    run -2 "$UVSCOPE" record --detail some true
    [[ $output == *"default|full"* ]]
    run -2 "$UVSCOPE" record --lean-threshold 1ms true
    [[ $output == *"--lean-threshold needs --detail lean"* ]]
    run -2 "$UVSCOPE" record --detail lean --lean-threshold 2s true
    [[ $output == *"2s is not between 1us and 1s"* ]]
    run -2 "$UVSCOPE" record
    run -2 "$UVSCOPE" recrod
    [[ $output == *"did you mean record"* ]]
    run -2 "$UVSCOPE"
    run -0 "$UVSCOPE" record --help
    run -0 "$UVSCOPE" --version
}

# --- Other people's LTTng ---

@test "somebody else's session stays as it is" {
    export LTTNG_HOME=$HOME
    background lttng-sessiond --no-kernel --quiet
    await lttng list >/dev/null
    lttng create theirs --output="$PWD/theirs"
    lttng enable-event --userspace 'other:*'
    lttng start
    run -0 "$UVSCOPE" record -o trace "$ticker" 20 1
    [ "$(events_said "$output")" -gt 20 ]
    run -0 lttng list
    [[ $output == *"theirs"*"[active]"* ]]
    [[ $output != *uvscope-* ]]
    kill -0 "$pid"
    lttng destroy theirs
}
