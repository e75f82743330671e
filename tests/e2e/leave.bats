# SPDX-License-Identifier: MIT
# A process that leaves without exit(), beside loops that run: by _exit or exec. It leaves as it would alone, and the
# trace is whole to its end.

bats_require_minimum_version 1.5.0

load helpers
load outcome

leave=$UVS_BIN/e2e_leave

setup() {
    common_setup
    # Where an event was cut, the recording's end waits for LTTng in vain.
    export UVSCOPE_DAEMON_TIMEOUT=$((5 * timeout_factor))s
    export UVS_TEST=inherited
}

teardown() {
    common_teardown
}

# leaves WAY...: in turn, several times, because whether a thread is in the middle of an event is chance.
leaves() {
    same_outcome sh -c 'for i in 1 2 3; do for way; do "$0" $way; echo "$way: $?"; done; done' "$leave" "$@"
    cat plain
    run ! grep -v -e '^\[told' -e ': 24$' -e '^---' plain
    run -0 --separate-stderr "$UVSCOPE" report trace
}

@test "_exit" {
    leaves _exit _Exit _exit _Exit
    ! grep told plain
}

@test "exec of every form" {
    leaves execv execve execvp execvpe fexecve execl execlp execle
    [ "$(grep -cFx '[told][one][] UVS_TEST=given, a PATH: 0' plain)" = 12 ]
    [ "$(grep -cFx '[told][one][] UVS_TEST=inherited, a PATH: 1' plain)" = 12 ]
}

@test "exec that fails, and children that leave, stop nothing" {
    unset UVS_TEST
    same_outcome "$leave" none
    grep -qx 'child 3' plain
    grep -qx 'goes on' plain
    reported 'loops>=4' count:timer=1
}

@test "_exit from a signal handler that came in the middle of an event" {
    # What was cut there stays cut; the process must not wait for itself.
    same_outcome sh -c 'for i in 1 2 3 4 5 6 7 8; do "$0" handler; echo $?; done' "$leave"
    [ "$(grep -cx 24 plain)" = 8 ]
}
