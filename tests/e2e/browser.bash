# SPDX-License-Identifier: MIT
# A real browser, without a network and without a window.

# open_page URL [OPTION...]: the title that the page has in the end is in $result, as HTML; what the console was told in
# the file `console`.
open_page() {
    XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-background-networking --disable-dev-shm-usage \
        --user-data-dir="$BATS_TEST_TMPDIR/browser" --virtual-time-budget=5000 --enable-logging=stderr \
        --dump-dom "${@:2}" "$1" >dom 2>console
    result=$(sed -n 's:.*<title>\(.*\)</title>.*:\1:p' dom | head -n 1)
}
