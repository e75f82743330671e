# SPDX-License-Identifier: MIT
# Faults while recording. Whatever happens, the program ends as it does alone, what was recorded until then can be
# read, what is missing is said, and nothing is left behind (teardown looks). Each test is a row of the table in
# docs/reliability.md.

bats_require_minimum_version 1.5.0

load helpers
load outcome

faults=$UVS_BIN/e2e_faults

setup() {
    common_setup
    ulimit -c 0
    normalize=()
    # A healthy daemon answers at once; what is silent is found out soon.
    export UVSCOPE_DAEMON_TIMEOUT=$((2 * timeout_factor))s
}

teardown() {
    common_teardown
}

root_only() {
    as_root || skip "$1"
}

user_only() {
    as_root && skip "$1" || true
}

# A program in the background that ticks until it is told to end, and then says so; part of it is on the disk.
start_recording() {
    background "$UVSCOPE" record -o trace "$@" "$faults" tick
    record=$pid
    await is_ready
    await on_disk trace
    program=$(pgrep -P "$record" -x e2e_faults)
    keeper=$(pgrep -P "$record" -x uvscope)
    sessiond=$(daemons lttng-sessiond)
    consumerd=$(daemons lttng-consumerd)
}

# Ends the program: its outcome is as ever.
end_program() {
    kill -TERM "$program"
    outcome_as_ever
}

outcome_as_ever() {
    status_of "$record"
    [ "$status" = 7 ]
    [ "$(cat output)" = "$(printf 'ready\ntold %d' "${1:-15}")" ]
}

output_is() {
    [ "$(cat output)" = "$1" ]
}

# said TEXT...: the summary has these words, and nothing else went to standard error.
said() {
    local text
    for text in "$@"; do
        grep -qF -- "$text" errors || { cat errors; return 1; }
    done
    not grep -v '^uvscope: ' errors
}

# What is there can be read to its end, by the report and by babeltrace2 itself.
still_readable() {
    "$UVSCOPE" report --format json trace >report.json
    [ "$(events_in trace)" -gt 0 ]
}

# hold PID...: they do not run any more, whatever signal they get.
hold() {
    "$UVS_BIN/e2e_hold" "$@" >held 2>&1 3>&- &
    started+=("$!")
    await test -s held
    grep -qx held held || skip "ptrace is not allowed here"
}

# --- LTTng's daemons ---

@test "session daemon killed" {
    start_recording
    kill -KILL "$sessiond"
    end_program
    said "the LTTng daemon died" "unknown how many lost"
    still_readable
}

@test "consumer daemon killed" {
    start_recording
    kill -KILL $consumerd
    end_program
    said "the LTTng daemon died" "unknown how many lost"
    still_readable
}

@test "both daemons killed" {
    user_only "one is enough"
    start_recording
    kill -KILL "$sessiond" $consumerd
    end_program
    said "the LTTng daemon died" "unknown how many lost"
    still_readable
}

@test "session daemon stopped" {
    user_only "one is enough"
    start_recording
    kill -STOP "$sessiond"
    end_program
    said "had stopped the LTTng daemon" "(0 lost)"
    still_readable
}

@test "consumer daemon stopped" {
    user_only "one is enough"
    start_recording
    kill -STOP $consumerd
    end_program
    said "had stopped the LTTng daemon" "(0 lost)"
    still_readable
}

@test "session daemon hangs" {
    user_only "the system's daemon has a test of its own"
    start_recording
    hold "$sessiond"
    end_program
    said "no longer answered and was ended" "unknown how many lost"
    still_readable
}

@test "consumer daemon hangs" {
    user_only "the system's daemon has a test of its own"
    start_recording
    hold $consumerd
    end_program
    said "no longer answered and was ended" "unknown how many lost"
    still_readable
}

told_that_it_is_late() {
    babeltrace2 trace/ctf 2>/dev/null | grep -q 'uvscope:dropped: .* reason = 3,'
}

@test "session daemon answers a new process late" {
    user_only "the system's daemon has a test of its own"
    mkfifo go
    LTTNG_UST_REGISTER_TIMEOUT=300 background "$UVSCOPE" record -o trace sh -c 'echo started; read -r word <go; exec "$0" tick' "$faults"
    record=$pid
    await grep -q started output
    sessiond=$(daemons lttng-sessiond)
    kill -STOP "$sessiond"
    echo on >go
    await grep -q ready output
    kill -CONT "$sessiond"
    await told_that_it_is_late
    kill -TERM "$(pgrep -P "$record" -x e2e_faults)"
    status_of "$record"
    [ "$status" = 7 ]
    "$UVSCOPE" report trace >report
    grep -q "ran a loop for .* before LTTng traced it" report
    grep -q "unknown number of events were lost" report
    run "$UVSCOPE" check -r 'loss.events == 0' trace
    [ "$status" = 1 ]
}

@test "daemon hangs before the start" {
    user_only "the system's daemon has a test of its own"
    printf '%s\n' '#!/bin/sh' 'kill -USR1 $PPID' 'exec sleep 1000' >silent
    chmod +x silent
    # One that listens and does not answer.
    cat >listen.py <<'EOF'
import os, signal, socket
home = os.environ["LTTNG_HOME"] + "/.lttng"
os.makedirs(home)
server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
server.bind(home + "/client-lttng-sessiond")
server.listen(8)
os.kill(os.getppid(), signal.SIGUSR1)
signal.pause()
EOF
    printf '%s\n' '#!/bin/sh' "exec /usr/bin/python3 '$PWD/listen.py'" >listening
    chmod +x listening
    LTTNG_SESSIOND_PATH=$PWD/listening run -125 "$UVSCOPE" record -o trace touch ran
    [[ $output == *"cannot start the LTTng session: the LTTng daemon did not answer within"* ]]
    [ ! -e ran ]
    [ ! -e trace ]
}

@test "system daemon hangs" {
    root_only "a normal user's daemon is private"
    start_recording
    hold "$sessiond"
    end_program
    said "the system's LTTng daemon (process $sessiond) did not answer" "is left as it is" "unknown how many lost"
    still_readable
    # It is nobody's to kill: not the next recording's either, which says so and does not start.
    run -125 "$UVSCOPE" record -o second touch ran
    [[ $output == *"the system's LTTng daemon (process $sessiond) did not answer"* ]]
    [ ! -e ran ]
    kill -0 "$sessiond"
    kill -KILL "$sessiond" $consumerd
}

@test "another system daemon starts at the same moment" {
    root_only "a normal user's daemon is private"
    printf '%s\n' '#!/bin/sh' "/usr/bin/lttng-sessiond --daemonize --no-kernel && touch '$PWD/started'" 'exit 1' >overtaken
    chmod +x overtaken
    LTTNG_SESSIOND_PATH=$PWD/overtaken start_recording
    [ -e started ]
    end_program
    said "(0 lost)"
    still_readable
    kill "$sessiond" # it is not the recording's to end
    await no_daemons
}

# --- uvscope's own processes ---

@test "record killed" {
    start_recording
    kill -KILL "$record"
    status_of "$record"
    [ "$status" = 137 ]
    await no_daemons
    kill -0 "$program"
    still_readable
    grep -q '"exit": null' trace/uvscope.json || ! grep -q '"exit"' trace/uvscope.json
    kill "$program"
    is_gone() { ! kill -0 "$1" 2>/dev/null; }
    await is_gone "$program"
    [ "$(cat output)" = "$(printf 'ready\ntold 15')" ]
}

@test "record killed beside another's session on the same daemon" {
    root_only "a normal user's daemon is private"
    background lttng-sessiond --no-kernel --quiet
    local theirs=$pid
    await lttng list >/dev/null
    lttng create theirs --output="$PWD/theirs"
    lttng enable-event --userspace 'other:*'
    lttng start
    start_recording
    kill -KILL "$record"
    status_of "$record"
    only_theirs() { [[ $(lttng list) != *uvscope-* ]]; }
    await only_theirs
    [[ $(lttng list) == *theirs*"[active]"* ]]
    kill -0 "$theirs"
    still_readable
    kill "$program"
}

@test "record stopped and continued" {
    user_only "one is enough"
    start_recording
    kill -STOP "$record"
    kill -TERM "$program"
    is_zombie() { grep -q '^State:.Z' "/proc/$1/status"; }
    await is_zombie "$program"
    kill -CONT "$record"
    outcome_as_ever
    said "(0 lost)"
    still_readable
}

@test "keeper killed" {
    start_recording
    kill -KILL "$keeper"
    end_program
    if as_root; then
        said "(0 lost)" # the system's daemon does not end with it
    else
        said "the LTTng daemon died" "unknown how many lost"
    fi
    still_readable
}

@test "keeper stopped" {
    user_only "one is enough"
    start_recording
    kill -STOP "$keeper"
    end_program
    said "(0 lost)"
    still_readable
}

# --- Signals and terminals ---

@test "program stopped and continued" {
    user_only "one is enough"
    start_recording
    kill -STOP "$program"
    is_stopped() { grep -q '^State:.T' "/proc/$1/status"; }
    await is_stopped "$program"
    kill -CONT "$program"
    end_program
    said "(0 lost)"
    still_readable
}

@test "the terminal goes away" {
    user_only "one is enough"
    run "$BATS_TEST_DIRNAME/in_terminal.py" "ready:hangup" -- "$UVSCOPE" record -o trace "$faults" tick
    await no_daemons
    still_readable
    # The hang-up reached the program as it would have without uvscope: once, from the terminal.
    grep -q '"exit": "7"' trace/uvscope.json
}

@test "a signal to the whole process group" {
    user_only "one is enough"
    # setsid: a group of its own. Without uvscope the program gets each once.
    background setsid "$UVSCOPE" record -o trace "$faults" tell
    record=$pid
    await is_ready
    # Each asks the whole group or `record` alone.
    local to expected=ready
    for to in "-$record" "-$record" "$record" "-$record" "$record"; do
        kill -TERM -- "$to"
        expected+=$'\ntold 15'
        await output_is "$expected"
    done
    # Told to hang up, the program asks its own group.
    kill -HUP "$record"
    expected+=$'\ntold 1\ntold 15'
    await output_is "$expected"
    kill -TERM "$record"
    expected+=$'\ntold 15'
    await output_is "$expected"
    kill -INT -- "-$record" && kill -WINCH "$record"
    status_of "$record"
    [ "$status" = 7 ]
    [ "$(cat output)" = "$expected"$'\ntold 2\ntold 28' ]
    said "(0 lost)"
}

# --- Disk and memory ---

@test "the disk is full" {
    root_only "needs root to mount one"
    mkdir disk && mount -t tmpfs -o size=24m none disk
    # LTTng has written the trace's metadata by the end of the first. On one processor, so that who the second is comes
    # before what fills the disk.
    local processor
    processor=$(/usr/bin/python3 -c 'import os; print(min(os.sched_getaffinity(0)))')
    run -12 "$UVSCOPE" record -o disk/trace taskset -c "$processor" sh -c '"$0" 1000 1; "$0" 1200000 0 12' "$ticker"
    mv disk/trace .
    umount disk
    [[ $output == *"takes no more (No space left on device): the trace ends before the program did"* ]]
    [[ $output == *"unknown how many lost"* ]]
    # The packet in which it ended is not whole.
    "$UVSCOPE" report --format json trace >report.json || [ $? = 4 ]
    "$BATS_TEST_DIRNAME/facts.py" report.json 'processes>=2' timer
}

@test "the disk is full before the start" {
    root_only "needs root to mount one"
    mkdir disk && mount -t tmpfs -o size=8m none disk
    run -125 "$UVSCOPE" record -o disk/trace touch ran
    local left
    left=$(ls -A disk)
    umount disk
    [[ $output == *"takes no trace: No space left on device"* ]]
    [ -z "$left" ]
    [ ! -e ran ]
}

@test "a limit of a file's size" {
    user_only "one is enough"
    run -12 bash -c 'ulimit -f 16384; exec "$@"' - "$UVSCOPE" record -o trace "$ticker" 3000000 0 12
    [[ $output == *"a file of the trace has come to 'ulimit -f'"* ]]
    [[ $output == *"unknown how many lost"* ]]
    # The limit may lie in the middle of a packet.
    local status=0
    "$UVSCOPE" report --format json trace >report.json || status=$?
    [ "$(jq -c '[.trace.events > 0, .trace.incomplete != null]' report.json)" = "[true,$([ $status = 4 ] && echo true || echo false)]" ]
    [ $status = 0 ] || [ $status = 4 ]
}

@test "a trace of at most so much" {
    user_only "one is enough"
    run -0 "$UVSCOPE" record --max-size 16M -o trace sh -c '"$0" 900000 0; "$0" 300 5' "$ticker"
    [[ $output == *"the newest "*" events ("* ]]
    [ "$(du -sm trace/ctf | cut -f1)" -le 17 ]
    still_readable
    # The end is there. What was overwritten is no loss; but a flood may lose events, too.
    [ "$(/usr/bin/python3 -c '
import json
report = json.load(open("report.json"))
last, = (process["pid"] for process in report["processes"] if process["argv"] and "300" in process["argv"])
row, = (row for row in report["callbacks"] if row["kind"] == "timer" and row["pid"] == last)
print(row["count"] == 300, report["trace"]["overwritten_ns"] > 0)')" = "True True" ]
    "$UVSCOPE" report --reader fast trace | grep -q "before it were overwritten (record --max-size)"
    rm -r trace
    run -0 "$UVSCOPE" record --max-size 16M -o trace "$ticker" 20 1
    [[ $output != *"the newest"* ]]
    run -125 "$UVSCOPE" record --max-size 100k -o second touch ran
    [[ $output =~ --max-size\ 100k:\ too\ small\ for\ a\ trace,\ which\ needs\ at\ least\ ([0-9]+[kM])\ with ]]
    local least=${BASH_REMATCH[1]}
    "$UVSCOPE" record -q --max-size "$least" -o third "$ticker" 20 1
    run -125 "$UVSCOPE" record --max-size 5 touch ran
    [[ $output == *"--max-size 5: too small for a trace, which needs at least "* ]]
    # As the help says, where /dev/shm has room.
    run -0 "$UVSCOPE" record --help
    [[ $(tr -s ' \n' ' ' <<<"$output") == *"at least 2M for each CPU"* ]]
    [[ $least == *k ]] || [ "${least%M}" -le $((2 * ($(grep -oE '[0-9]+$' /sys/devices/system/cpu/possible) + 1))) ]
    run -2 "$UVSCOPE" record --max-size 5q true
    [[ $output == *"has no known unit"* ]]
    [ ! -e ran ]
}

@test "/dev/shm is small, or too small" {
    root_only "needs root to mount one"
    local shrink='mount -t tmpfs -o size=$0 none /dev/shm && exec "$@"'
    local cpus
    cpus=$(($(grep -oE '[0-9]+$' /sys/devices/system/cpu/possible) + 1))
    # What a container has.
    run -0 unshare -m bash -c "$shrink" 64m "$UVSCOPE" record "$ticker" 20 1
    [ "$(events_said "$output")" -gt 20 ]
    run -0 unshare -m bash -c "$shrink" "$((1024 + 5 * 64 * cpus + 64))k" "$UVSCOPE" record "$ticker" 20 1
    [ "$(events_said "$output")" -gt 20 ]
    run -125 unshare -m bash -c "$shrink" "$((1024 + 5 * 64 * cpus - 64))k" "$UVSCOPE" record touch ran
    [[ $output == *"/dev/shm has "* ]]
    [ ! -e ran ]
}

@test "the trace directory is read-only" {
    user_only "root may write everywhere"
    mkdir -m 500 closed
    run -125 "$UVSCOPE" record -o closed/trace touch ran
    [[ $output == *"cannot make the trace directory closed/trace: Permission denied"* ]]
    run -125 env UVSCOPE_TRACES="$PWD/closed" "$UVSCOPE" record touch ran
    [[ $output == *"name another with -o DIR"* ]]
    [ ! -e ran ]
}

@test "the trace directory is removed" {
    user_only "one is enough"
    start_recording
    rm -r trace
    end_program
    said "trace was removed or renamed while the program ran"
}

@test "the trace directory is closed while recording" {
    user_only "root may write everywhere"
    start_recording
    chmod 500 trace trace/ctf
    end_program
    said "(0 lost)" "the facts of the recording are incomplete: cannot write in"
    chmod 700 trace trace/ctf
    still_readable
}

# --- Limits ---

# limited OPTION VALUE COMMAND...: with that limit on the program alone.
limited() {
    same_outcome bash -c "ulimit $1 $2; exec \"\$@\"" - "${@:3}"
}

@test "a program that takes all descriptors" {
    user_only "one is enough"
    limited -n 100 "$faults" descriptors
    grep -qx 'none left' plain
    reported pool:fs.stat
}

@test "a program with hardly any descriptors" {
    user_only "one is enough"
    rm -rf trace
    # Fewer than LTTng takes in a process: left alone, it has them all.
    limited -n 12 "$faults" descriptors
    grep -qx 'none left' plain
}

@test "a program with little memory" {
    user_only "one is enough"
    limited -v 60000 "$faults" turn
    grep -qx -- '--- status 0' plain
}

@test "uvscope itself with too low limits" {
    user_only "one is enough"
    local limit
    for limit in '-n 40' '-f 100' '-v 100000'; do
        run -125 bash -c "ulimit $limit; exec \"\$@\"" - "$UVSCOPE" record -o trace touch ran
        [[ $output == *"'ulimit ${limit% *}' is ${limit#* }, and LTTng's daemons need about "* ]]
        [ ! -e ran ]
        [ ! -e trace ]
    done
}

@test "too many processes" {
    root_only "needs a user of its own"
    # Of a user who has no others: record has two, its daemons' threads count too.
    local few open as_other
    open=$(mktemp -d)
    chmod 777 "$open"
    as_other=(setpriv --reuid=61616 --regid=61616 --clear-groups -- env HOME="$open" XDG_RUNTIME_DIR="$open")
    for few in 1 5; do
        run -125 "${as_other[@]}" bash -c 'ulimit -u $0; exec "$@"' $few "$UVSCOPE" record -o "$open/trace" touch "$open/ran"
        [ -z "$(ls -A "$open")" ]
    done
    rmdir "$open"
}

@test "no HOME and no run-time directory" {
    user_only "one is enough"
    same_outcome env -u HOME -u XDG_RUNTIME_DIR "$faults" turn
    rm -r trace
    run -0 env -u HOME -u XDG_RUNTIME_DIR "$UVSCOPE" record -o trace "$faults" turn
    [[ $output == *"(0 lost)"* ]]
}

@test "standard descriptors closed" {
    user_only "one is enough"
    # libuv itself does not expect that, and what becomes of the program is the same.
    same_outcome sh -c 'exec "$0" turn <&- >&- 2>&-' "$faults"
}

# --- Many of everything ---

@test "1,000 short children" {
    user_only "one is enough"
    same_outcome "$faults" children 1000
    grep -qx '0 failed' plain
    reported 'processes>=1001'
    grep -q '"lost_events": 0' trace/uvscope.json
}

@test "1,000 loops in a process" {
    user_only "one is enough"
    same_outcome "$faults" loops 1000
    grep -qx '1000 ticks, 0 loops not closed' plain
    reported count:timer=1000
}

@test "10,000 threads" {
    user_only "one is enough"
    same_outcome "$faults" threads 10000
    grep -qx all plain || skip "this machine does not have so many"
    reported count:async=1
}

# --- Ends in the middle ---

# ended_so WAY: by exit, _exit, abort and SIGKILL; what came before is in the trace.
ended_so() {
    local how
    for how in 0 1 2 3; do
        rm -rf trace
        same_outcome "$faults" "$1" $how
        grep -qx ending plain
        reported pool:fs.stat
    done
}

@test "an end inside a callback" {
    user_only "one is enough"
    ended_so callback
}

@test "an end inside a job of the pool" {
    user_only "one is enough"
    ended_so work
}

@test "killed in the middle of an event" {
    user_only "one is enough"
    local i
    # Whether a thread is in the middle of one is chance.
    for ((i = 0; i < 10; i++)); do
        rm -rf trace
        run -0 "$UVSCOPE" record -o trace sh -c 'for i in 1 2 3 4 5 6; do "$0" kill; done; true' "$UVS_BIN/e2e_leave"
        [[ $output != *"unknown how many lost"* ]] || break
    done
    [[ $output == *"the trace is incomplete: "*"ends before the recording does"* ]]
    run -4 "$UVSCOPE" report trace
}

# --- Programs that cannot be traced ---

@test "a child of another word size" {
    user_only "one is enough"
    cat >narrow.c <<'EOF'
int puts(const char *text);
void exit(int status);
void _start(void) { puts("narrow"); exit(3); }
EOF
    cc -m32 -nostdlib -fno-pic -no-pie narrow.c -o narrow /lib32/libc.so.6 -Wl,--dynamic-linker=/lib/ld-linux.so.2 \
        2>/dev/null && ./narrow || [ $? = 3 ] || skip "no 32-bit C library here"
    # The dynamic linker says that it cannot preload the runtime there; that is its own line, and all.
    normalize=(sed '/^ERROR: ld.so: .*wrong ELF class/d')
    same_outcome sh -c './narrow; "$0" turn; exit 4' "$faults"
    reported 'processes>=1'
}
