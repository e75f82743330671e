# SPDX-License-Identifier: MIT
# Shared by the end-to-end suites. Each test has a home, a place for traces and a run-time directory of its
# own, and leaves no process and no daemon's home behind: teardown checks.

timeout_factor=${UVS_TEST_TIMEOUT_FACTOR:-1}

common_setup() {
    cd "$BATS_TEST_TMPDIR" || return
    export HOME=$BATS_TEST_TMPDIR/home UVSCOPE_TRACES=$BATS_TEST_TMPDIR/traces
    export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run
    mkdir -m 700 "$HOME" "$XDG_RUNTIME_DIR"
    unset LTTNG_HOME LTTNG_SESSIOND_PATH LD_PRELOAD
    started=()
}

common_teardown() {
    local pid
    for pid in "${started[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    await no_daemons
    # A daemon's home is removed with it.
    [ -z "$(ls -A "$XDG_RUNTIME_DIR")" ]
}

as_root() {
    [ "$UVS_AS" = root ]
}

# The LTTng processes (default: all, else those of that name) that inherited this test's environment.
daemons() {
    local directory name
    for directory in /proc/[0-9]*; do
        { read -r name <"$directory/comm"; } 2>/dev/null || continue
        [[ $name == ${1:-lttng-*} ]] || continue
        if tr '\0' '\n' 2>/dev/null <"$directory/environ" | grep -qxF "XDG_RUNTIME_DIR=$XDG_RUNTIME_DIR"; then
            echo "${directory#/proc/}"
        fi
    done
}

no_daemons() {
    [ -z "$(daemons)" ]
}

# await COMMAND...: until it succeeds; fails after 30 s.
await() {
    local tries=$((300 * timeout_factor))
    until "$@"; do
        ((tries-- > 0)) || { echo "timed out waiting for: $*" >&2; return 1; }
        sleep 0.1
    done
}

# background COMMAND...: its output in ./output, its pid in $pid.
background() {
    "$@" >output 2>errors 3>&- &
    pid=$!
    started+=("$pid")
}

# status_of PID: waits for it; its exit status in $status.
status_of() {
    status=0
    wait "$1" || status=$?
}

# The test's own LTTng daemon, which `lttng` talks to; a program waits for it however busy the machine is.
own_daemon() {
    export LTTNG_HOME=$HOME LTTNG_UST_REGISTER_TIMEOUT=$((30000 * timeout_factor))
    background lttng-sessiond --no-kernel --quiet
    await lttng list >/dev/null
}

is_ready() {
    grep -q ready output
}

# The first packet of the trace has been written.
on_disk() {
    [ -n "$(find "$1/ctf" -name 'uvscope_*' ! -name '*.idx' -size +0)" ]
}

# not COMMAND...: it must fail. bash ignores what `! COMMAND` gives, unless it is a test's last word.
not() {
    ! "$@"
}

ticker=$UVS_BIN/e2e_ticker

# The number of events in the trace, by babeltrace2 itself.
events_in() {
    babeltrace2 "$1/ctf" | wc -l
}

# The number in the summary line.
events_said() {
    grep -oE '[0-9,]+ events' <<<"$1" | tr -dc 0-9
}

