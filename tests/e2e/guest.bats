# SPDX-License-Identifier: MIT
# A guest is not noticed: what programs do to their processes, descriptors and stacks ends as it does without
# uvscope.

bats_require_minimum_version 1.5.0

load helpers
load outcome

guest=$UVS_BIN/e2e_guest

setup() {
    common_setup
    normalize=()
    mkdir jail
}

teardown() {
    common_teardown
}

# Recorded, preloaded while nobody records, and without LTTng: each like the plain run.
unnoticed() {
    local runtime=${UVSCOPE%/bin/uvscope}/lib/libuvscope.so
    rm -rf trace
    same_outcome "$@"
    outcome_of idle env LD_PRELOAD="$runtime${LD_PRELOAD:+:$LD_PRELOAD}" "$@"
    diff plain idle
    outcome_of no_provider env LD_PRELOAD="$runtime${LD_PRELOAD:+:$LD_PRELOAD}" UVSCOPE_PROVIDER=/nonexistent "$@"
    diff plain no_provider
}

ended_with() {
    grep -qx -- "--- status $1" plain || { cat plain; return 1; }
}

@test "fork: parent and child go on with the loop" {
    unnoticed "$guest" fork
    ended_with 4
    reported 'processes>=2' count:timer=3 count:fs.stat=3
    unnoticed "$guest" fork_in_callback
    ended_with 5
    reported 'processes>=2' count:fs.stat=2
}

@test "fork and exec, vfork, posix_spawn, exec: the new program is traced too" {
    unnoticed "$guest" fork_exec
    ended_with 9
    reported 'processes>=2' count:timer=3
    unnoticed "$guest" vfork
    ended_with 10
    reported 'processes>=2' count:timer=3
    unnoticed "$guest" posix_spawn
    ended_with 11
    reported 'processes>=2' count:timer=3
    unnoticed "$guest" exec
    ended_with 0
    reported count:timer=2
}

@test "a daemon, by daemon(3) and by two forks" {
    unnoticed "$BATS_TEST_DIRNAME/orphans.py" "$guest" daemon
    grep -qFx 'orphans [8]' plain
    reported 'processes>=2' count:timer=2
    unnoticed "$BATS_TEST_DIRNAME/orphans.py" "$guest" double_fork
    grep -qE '^orphans \[.*7.*\]$' plain
    reported 'processes>=2' count:timer=2
}

@test "uv_spawn, of what is not there too, and with closed standard descriptors" {
    unnoticed "$guest" spawn
    ended_with 12
    reported 'processes>=2' process sync:spawn
    unnoticed "$guest" spawn_closed
    ended_with 14
    reported 'processes>=3' process sync:spawn
}

@test "children that cannot take the preload run without it" {
    export OTHER=$UVS_BIN/e2e_static
    unnoticed "$guest" spawn_other
    ended_with 13
    reported count:process=1
    if as_root; then
        cp "$guest" set_uid
        chown 65534 set_uid
        chmod 4755 set_uid
        chmod 755 "$BATS_TEST_TMPDIR" .
        OTHER=$PWD/set_uid
        unnoticed "$guest" spawn_other
        ended_with 13
        # The parent alone: the dynamic linker preloads nothing into a set-uid program.
        reported count:process=1
        [ "$(python3 -c 'import json; print(len(json.load(open("report.json"))["processes"]))')" = 1 ]
    fi
}

@test "programs that close every descriptor" {
    local way
    for way in close_loop close_range close_short_range closefrom; do
        unnoticed "$guest" "$way"
        ended_with 15
        reported count:timer=1 pool:fs.stat
    done
}

@test "a change of user, a change of root, another pid namespace" {
    unnoticed "$guest" setuid
    ended_with 16
    reported count:timer=2
    unnoticed "$guest" chroot
    ended_with 17
    reported count:timer=2
    # What is denied to a normal user is denied to one who is recorded.
    unnoticed "$guest" unshare_pid
    ended_with 18
}

@test "a thread that is cancelled in its poll" {
    unnoticed "$guest" cancel
    ended_with 19
    reported count:timer=2 'loops>=2'
}

@test "exit while loops of other threads go on" {
    # Whether they meet the end is chance.
    unnoticed sh -c 'for i in 1 2 3 4 5 6 7 8; do "$0" exit_beside_loops; [ $? = 24 ] || exit 1; done' "$guest"
    ended_with 0
    reported 'loops>=3' idle
}

@test "longjmp out of callbacks" {
    unnoticed "$guest" longjmp
    ended_with 20
    reported pool:fs.stat
}

@test "exceptions out of callbacks" {
    unnoticed "$UVS_BIN/e2e_throwing"
    ended_with 23
    grep -qx 'closed 0 0' plain
    # What comes after an exception is outside of uv_run, and another loop's run is not nested in it.
    reported 'loops>=2' timer
    [ "$(python3 -c '
import json
report = json.load(open("report.json"))
print(len(report["sync_calls"]), sum(loop["outside_ns"] > 0 for loop in report["loops"]))')" = "0 1" ]
}

@test "uv_async_send in a signal handler" {
    unnoticed "$guest" async_in_signal_handler
    ended_with 21
    reported count:async=50
}

@test "a program that keeps pointers of its own in its handles" {
    export UVSCOPE_HANDLES=off
    unnoticed "$guest" own_words
    ended_with 22
    [ "$(grep -c 'words kept$' plain)" = 6 ]
    not grep -q lost plain
    reported pool:fs.stat
    [ "$(python3 -c '
import json
print({row["kind"] for row in json.load(open("report.json"))["callbacks"]})')" = "{'fs.stat'}" ]
}

@test "a preload of the user's own that stands in front of libuv too" {
    LD_PRELOAD=$UVS_BIN/libe2e_own_preload.so unnoticed "$guest" turn
    ended_with 0
    grep -qx 'own preload: 1 timers' plain
    reported count:timer=1
}
