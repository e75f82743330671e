# SPDX-License-Identifier: MIT
# The Debian package and the installation: complete, and they work where they are put.

bats_require_minimum_version 1.5.0

load helpers

setup_file() {
    cpack --config "$UVS_BUILD/CPackConfig.cmake" -G DEB -B "$BATS_FILE_TMPDIR" >"$BATS_FILE_TMPDIR/log" 2>&1 3>&- ||
        { cat "$BATS_FILE_TMPDIR/log"; return 1; }
    export package
    package=$(ls "$BATS_FILE_TMPDIR"/uvscope_*.deb)
}

setup() {
    common_setup
}

teardown() {
    common_teardown
}

@test "the package depends on what its files need, and on the daemon" {
    run -0 dpkg-deb -f "$package" Depends
    local name
    for name in lttng-tools liblttng-ust liblttng-ctl libbabeltrace2 libc6 libdw libjansson libzydis; do
        [[ $output == *"$name"* ]] || { echo "no $name in $output"; return 1; }
    done
    # The runtime enters programs that have their own libuv, or none.
    [[ $output != *libuv* ]]
}

@test "the package can be installed here" {
    run -0 apt-get install --simulate "$package"
    [[ $output == *"Inst uvscope"* ]]
}

@test "the package has everything, and each file is readable by all" {
    dpkg-deb -c "$package" >list
    local file
    for file in bin/uvscope lib.*/libuvscope.so lib.*/libuvscope-provider.so lib.*/libuvscope-patcher.so \
        lib.*/libuvscope-plugins.so \
        lib.*/pkgconfig/uvscope.pc share/bash-completion/completions/uvscope share/doc/uvscope/README.md \
        lib.*/babeltrace2/plugins/babeltrace-plugin-uvscope.so share/man/man7/babeltrace2-plugin-uvscope.7 \
        share/doc/uvscope/LICENSE share/doc/uvscope/API.md share/doc/uvscope/examples/timer.c; do
        grep -qE " \./usr/$file$" list || { echo "no $file"; cat list; return 1; }
    done
    local page
    for page in "$UVS_SOURCE"/docs/man/*.1; do
        grep -q "/man1/$(basename "$page")$" list || { echo "no $page"; return 1; }
    done
    [ -z "$(awk '$1 !~ /^[d-]r..r..r../' list)" ]
}

@test "what is in the package records an example, and names its functions" {
    dpkg-deb -x "$package" root
    cc -O0 -g -o timer root/usr/share/doc/uvscope/examples/timer.c $(pkg-config --cflags --libs libuv)
    # Only what is there counts: not the build.
    UVSCOPE=$PWD/root/usr/bin/uvscope
    run -0 "$UVSCOPE" doctor ./timer
    [[ $output == *"$PWD/root/usr/lib"*"libuvscope.so is there"* ]]
    run -0 "$UVSCOPE" record -o trace ./timer 20
    [ "$(events_said "$output")" -gt 3 ]
    run -0 "$UVSCOPE" report trace
    [[ $output == *"timer.c:"* ]]
}

@test "the pkg-config file leads to the runtime" {
    dpkg-deb -x "$package" root
    export PKG_CONFIG_PATH
    PKG_CONFIG_PATH=$(dirname "$(find root -name uvscope.pc)")
    [ "$(pkg-config --modversion uvscope)" = "$("$UVSCOPE" --version | grep -oE '[0-9.]+$')" ]
    local variable
    for variable in runtime provider; do
        [ -f "$(pkg-config --variable=$variable uvscope)" ]
    done
    LD_PRELOAD=$(realpath "$(pkg-config --variable=runtime uvscope)") UVSCOPE_DEBUG=1 "$ticker" 1 1 2>errors
    run ! grep -q 'ERROR: ld.so' errors
}

@test "the completion is the command's own" {
    dpkg-deb -x "$package" root
    "$UVSCOPE" completion bash | cmp - root/usr/share/bash-completion/completions/uvscope
}

@test "an installation into a prefix has the same files" {
    cmake --install "$UVS_BUILD" --prefix "$PWD/prefix" >log
    (cd prefix && find . -type f -o -type l) | sort >installed
    dpkg-deb -x "$package" root
    (cd root/usr && find . -type f -o -type l) | sort >packed
    diff installed packed
    run -0 prefix/bin/uvscope record -o trace "$ticker" 5 1
    [ "$(events_said "$output")" -gt 5 ]
}
