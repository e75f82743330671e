# SPDX-License-Identifier: MIT
# Programs of the distribution: their output and status are those of a plain run, the report is sensible, and no
# event is lost.

bats_require_minimum_version 1.5.0

load helpers
load outcome

programs=$BATS_TEST_DIRNAME/programs

setup() {
    common_setup
    normalize=()
}

teardown() {
    common_teardown
}

# Outside of the range that the system hands out, so that no client's port is in the way.
free_port() {
    python3 - <<'TEXT'
import os, socket
for port in range(20000 + os.getpid() % 10000, 32000):
    try:
        for type in socket.SOCK_STREAM, socket.SOCK_DGRAM:
            socket.socket(socket.AF_INET, type).bind(("127.0.0.1", port))
        print(port)
        break
    except OSError:
        pass
TEXT
}

@test "an editor: nvim with timers, jobs, files and a TCP echo" {
    head -c 3000 /dev/zero >file
    export A_FILE=$PWD/file
    normalize=(sort) # the jobs end in any order
    same_outcome nvim --headless -u NONE -i NONE -n -S "$programs/editor.lua"
    grep -q 'status 7' plain
    grep -q '50 ticks' plain
    reported timer read connect connection write shutdown process close fs.open fs.read pool:fs.read sync:spawn
}

@test "a name server in the foreground" {
    same_outcome "$programs/name_server.sh" foreground "$PWD/server.{}" "$(free_port)"
    [ "$(grep -c '^192.0.2.1$' plain)" = 10 ]
    grep -q '^named: 0$' plain
    reported udp_recv udp_send read connection close async loops'>=2'
}

@test "a name server that goes to the background" {
    same_outcome "$BATS_TEST_DIRNAME/orphans.py" "$programs/name_server.sh" daemon "$PWD/server.{}" "$(free_port)"
    grep -qF 'orphans [0]' plain
    reported udp_recv read connection close async loops'>=2'
    # The daemon's events carry the daemon's pid, not that of the process that it was forked from.
    "$UVSCOPE" report --format json trace | python3 -c '
import json, sys
report = json.load(sys.stdin)
servers = {p["pid"] for p in report["processes"] if p["exe"].endswith("/named")}
assert {r["pid"] for r in report["callbacks"] if r["kind"] == "connection"} <= servers, servers'
}

@test "a server in Python on uvloop" {
    same_outcome /usr/bin/python3 "$programs/echo_server.py"
    grep -q 'status 5' plain
    reported idle read connection connect timer close async process getaddrinfo pool:getaddrinfo sync:spawn \
        count:connection=5
}

@test "a script in Lua on luv" {
    mkdir some && touch some/a some/b some/c
    same_outcome lua5.1 "$programs/luv.lua" some
    grep -q '^child' plain
    reported count:timer=20 count:idle=1000 process read close pool:fs.scandir sync:spawn
}

@test "cmake and ctest with many children" {
    mkdir source
    cat >source/CMakeLists.txt <<'TEXT'
cmake_minimum_required(VERSION 3.13)
project(children LANGUAGES NONE)
enable_testing()
execute_process(COMMAND ${CMAKE_COMMAND} -E echo "from a child")
foreach(i RANGE 1 30)
  add_test(NAME child.${i} COMMAND ${CMAKE_COMMAND} -E true)
endforeach()
add_test(NAME failing COMMAND ${CMAKE_COMMAND} -E false)
TEXT
    normalize=(sed -E 's/ +[0-9.]+ sec/ T sec/; s/(plain|recorded)/RUN/g; s/^ *[0-9]+\/31 //; /Start +[0-9]+:/d; /^Configuring/d')
    sorted() { "$@" | sort; }
    normalize=(sorted "${normalize[@]}")
    same_outcome sh -c 'cmake -S source -B build.{} && cd build.{} && ctest -j4'
    grep -q '97% tests passed, 1 tests failed out of 31' plain
    # ctest itself, and each cmake that ran a loop
    reported process read close sync:spawn count:process=31
}
