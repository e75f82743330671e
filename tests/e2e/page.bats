# SPDX-License-Identifier: MIT
# The forms of a report for others than terminals; the page in a real browser.

load helpers
load hostile
load browser

setup() {
    common_setup
    cat >lesson.events <<'END'
1ms process_info loop=7:- pid=7 schema=1 libuv=76802 pool_size=4 exe="/bin/app"
1ms loop_info loop=7:0 tid=7 is_default=1 name=app
10s callback loop=7:0 op=1 kind=timer callback=0x1000 duration_ns=9990ms delay_ns=1ms
10.001s callback loop=7:0 op=2 kind=timer callback=0x2000 duration_ns=1us delay_ns=9s
11s poll loop=7:0 wait_ns=998ms busy_ns=9.992s callbacks=2 calls=1 timeout_ms=1000
11.1s callback loop=7:0 op=3 kind=read callback=0x30 duration_ns=1ms delay_ns=1ms
11.3s poll loop=7:0 wait_ns=198ms busy_ns=99ms callbacks=1 calls=1 timeout_ms=1000
END
}

teardown() {
    common_teardown
}

# What the page's own scripts are known by to the browser.
page_nonce() {
    sed -n "s/.*script-src 'nonce-\([0-9a-f]*\)'.*/\1/p" "$1"
}

# browse PAGE SCRIPT: the page in a browser without a network; what SCRIPT gives as text is in $result, and
# what the console was told in the file `console`.
browse() {
    {
        echo '<script>window.failures = []; addEventListener("error", (e) => failures.push(e.message));'
        echo 'window.hit = () => failures.push("a name was run");</script>'
        cat "$1"
        echo "<script nonce=$(page_nonce "$1")>document.title = (() => { try { return [$2].join('|') + '|' + failures.join(); } catch (e) { return String(e); } })()</script>"
    } >probe.html
    open_page "file://$PWD/probe.html"
    not grep CONSOLE console
}

rows='[...document.querySelectorAll("section[aria-labelledby=callbacks] tbody tr")].map((row) => row.cells[1].textContent)'

@test "the page shows the verdict, charts and tables, and no error" {
    "$UVSCOPE" report --format html lesson.events >page.html
    browse page.html "document.documentElement.dataset.ready, document.querySelector('h1').textContent.trim(),
        document.querySelectorAll('canvas').length > 2, $rows"
    [ "$result" = "true|The loop was blocked 2 times, 9.99 s at worst by 0x1000.|true|0x1000,0x30,0x2000|" ]
    not grep -qE '(src|href)=' page.html
}

@test "the table of callbacks sorts, by keyboard's buttons too" {
    "$UVSCOPE" report --format html lesson.events >page.html
    press='((title) => [...document.querySelectorAll("section[aria-labelledby=callbacks] th button")].find((button) => button.textContent === title).click())'
    browse page.html "$press('delay max') || $rows, $press('delay max') || $rows, $press('callback') || $rows,
        document.querySelector('section[aria-labelledby=callbacks] th[aria-sort=descending]').textContent"
    [ "$result" = "0x2000,0x1000,0x30|0x1000,0x30,0x2000|0x30,0x2000,0x1000|callback|" ]
}

@test "the table of callbacks filters by name and by kind" {
    "$UVSCOPE" report --format html lesson.events >page.html
    set_value='((id, value, event) => { const at = document.getElementById(id); at.value = value; at.dispatchEvent(new Event(event)); })'
    browse page.html "$set_value('filter', '000', 'input') || $rows, document.getElementById('shown').textContent,
        $set_value('filter', '', 'input') || $set_value('kind', 'read', 'change') || $rows"
    [ "$result" = "0x1000,0x2000|2 of 3 rows|0x30|" ]
}

@test "stacks are flame graphs that zoom, search and go by keyboard" {
    "$UVSCOPE" report --format html "$BATS_TEST_DIRNAME/../golden/stacks.events" >page.html
    frames='[...document.querySelectorAll(".flame .frame")].map((frame) => frame.textContent)'
    status='document.getElementById("flame-status").textContent'
    key='((name) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: name, bubbles: true})))'
    browse page.html "document.getElementById('flame-whole').click() || $frames.length > 2, $frames[0], $status.split(';')[1].trim(),
        document.querySelectorAll('.flame .frame')[2].click() || $status.startsWith($frames.length > 0 ? '' : '!') && $status.includes('zoomed to'),
        $key('Escape') && $status.includes('the whole'), $key('ArrowDown') && document.activeElement.getAttribute('aria-level')"
    [ "$result" = "true|all stacks|the whole|true|true|2|" ]
    search='((word) => { const at = document.getElementById("flame-search"); at.value = word; at.dispatchEvent(new Event("input")); })'
    browse page.html "$search('0x') || $status, document.querySelectorAll('.frame.found').length > 0, $search('no such function') || $status.slice(0, 5)"
    [[ "$result" == *" of the time is in functions that contain “0x”|true|0.0 %|" ]]
}

@test "on a narrow window nothing is cut, but scrolls in its own box, and charts follow the width" {
    sed 's/name=stacks/name=a-long-one/' "$BATS_TEST_DIRNAME/../golden/stacks.events" >narrow.events
    echo '480ms loop_info loop=7:1 tid=8 is_default=0 name=other' >>narrow.events
    "$UVSCOPE" report --format html narrow.events >page.html
    outside='[...document.querySelectorAll("body *")].filter((at) => !at.closest(".scroll, .flame, .skip") && at.getBoundingClientRect().right > document.body.getBoundingClientRect().right + 1)'
    # Charts are drawn again a moment after the window has changed.
    browse page.html "document.body.style.width = '380px', dispatchEvent(new Event('resize')), setTimeout(() => {
        const widths = [...document.querySelectorAll('canvas')].map((canvas) => canvas.getBoundingClientRect().width);
        document.title = [$outside.map((at) => at.tagName).join(' '), widths.length > 0 && widths.every((width) => width > 100 && width < 380),
            document.querySelector('.scroll').scrollWidth > document.querySelector('.scroll').clientWidth].join('|');
    }, 1000)"
    [ "$result" = "|true|true" ]
}

@test "names of C++ are short on the page, whole under the pointer" {
    "$UVSCOPE" report --format html lesson.events |
        sed 's/id="short">{}/id="short">{"0x1000":"short::name"}/' >page.html
    browse page.html "$rows[0], document.querySelector('section[aria-labelledby=callbacks] td[title=\"0x1000\"]').textContent"
    [ "$result" = "short::name|short::name|" ]
}

@test "what filled a block begins with what it is about, and long names leave the figures their room" {
    "$UVSCOPE" report --format html "$BATS_TEST_DIRNAME/../golden/sync_calls.events" >whole.html
    long=$(printf 'name::%.0s' {1..20})
    sed "s/id=\"short\">{}/id=\"short\">{\"0xa1\":\"$long\"}/" whole.html >page.html
    cell='document.querySelector("section[aria-labelledby=worst-blocks] tbody tr td:last-of-type").parentElement.querySelector("td:has(.entries)")'
    browse whole.html "$cell.textContent, $cell.title === $cell.textContent"
    [ "$result" = "fs.read from 0xa1 ×2 62 ms, sleep from 0xa2 18 ms, mutex_lock from 0xa3 1 ms, …|true|" ]
    browse page.html "$cell.textContent.includes('$long ×2 62 ms, '), $cell.querySelector('.entry span').scrollWidth > $cell.querySelector('.entry span').clientWidth,
        [...$cell.querySelectorAll('.entry')].every((entry) => entry.getBoundingClientRect().right <= $cell.getBoundingClientRect().right)"
    [ "$result" = "true|true|true|" ]
}

@test "chains have a bar, steps and words; the page says what it was asked for" {
    "$UVSCOPE" report --format html --until 1000s --sort duration.max "$BATS_TEST_DIRNAME/../golden/chain.events" >page.html
    browse page.html "document.querySelectorAll('.chain').length > 0, document.querySelector('.chain .split').getAttribute('aria-label').includes('running'),
        document.querySelector('.chain tbody').rows.length > 1, document.getElementById('asked').textContent"
    [ "$result" = "true|true|true|Of the trace: from 0 ns to 1000 s; sorted by duration.max.|" ]
    "$UVSCOPE" report --format html "$BATS_TEST_DIRNAME/../golden/pool_fifo.events" >page.html
    browse page.html "document.getElementById('with-another-uv-threadpool-size').textContent, $(printf %s "document.querySelectorAll('section[aria-labelledby=with-another-uv-threadpool-size] tbody tr').length > 1")"
    [ "$result" = "With another UV_THREADPOOL_SIZE|true|" ]
}

@test "the page of a large trace is a few hundred KB, and says what is not in it" {
    /usr/bin/python3 - >large.events <<'END'
print('1ms process_info loop=7:- pid=7 schema=1 libuv=76802 pool_size=4 exe="/bin/app"')
for loop in range(400):
    print(f'1ms loop_info loop=7:{loop} tid={loop + 10} is_default=0 name=loop{loop}')
for turn in range(10):
    for loop in range(400):
        at = 1000 + turn * 1000 + loop
        for i in range(5):
            print(f'{at}.{i}ms callback loop=7:{loop} op={turn * 5 + i + 1} kind=timer callback={0x1000 + 16 * (loop * 50 + turn * 5 + i):#x} duration_ns={60 + loop}ms delay_ns=20ms')
        print(f'{at}.9ms poll loop=7:{loop} wait_ns=0 busy_ns={5 * (60 + loop)}ms callbacks=5 calls=1 timeout_ms=1')
END
    "$UVSCOPE" report --format html large.events >page.html
    [ "$(wc -c <page.html)" -lt 500000 ]
    browse page.html "document.documentElement.dataset.ready, document.querySelector('section[aria-labelledby=callbacks] .more').textContent"
    [ "$result" = "true|… and 19,900 more rows, which were left out|" ]
}

@test "hostile names do nothing on the page" {
    hostile_events
    "$UVSCOPE" report --format html hostile.events >page.html
    browse page.html "document.documentElement.dataset.ready, document.scripts.length, document.body.textContent.includes('<script>hit()')"
    # The probe's two, the report, its short names, its stacks, uPlot and the page's own two.
    [ "$result" = "true|8|true|" ]
    not grep -q $'\x1b' page.html
    [ "$(wc -c <page.html)" -lt 400000 ]
}

@test "a script that is not the page's own would not run" {
    "$UVSCOPE" report --format html lesson.events | sed 's:</header>:<script>hit()</script><img src=x onerror="hit()">&:' >page.html
    browse page.html "document.documentElement.dataset.ready" || grep -q 'violates the following Content Security Policy' console
    [ "$result" = "true|" ]
    # Nor would it if it had read another page.
    [ "$(page_nonce page.html)" != "$("$UVSCOPE" report --format html lesson.events >other.html && page_nonce other.html)" ]
}

@test "Markdown has the verdict, the findings and the tables, and hostile names act on nothing" {
    "$UVSCOPE" report --format markdown lesson.events >report.md
    [ "$(sed -n 3p report.md)" = "The loop was blocked 2 times, 9.99 s at worst by 0x1000." ]
    grep -q '^- \*\*error\*\* (loop-blocked): ' report.md
    grep -qE '^\| timer \| 0x2000 \| 1 \|' report.md
    grep -qxF -- '- timer 0x2000 was late once, by 9.00 s: mostly because of timer 0x1000.' report.md
    # A blank line stands alone.
    [ "$(cat -s report.md)" = "$(cat report.md)" ]
    hostile_events
    "$UVSCOPE" report --format markdown hostile.events >report.md
    not grep -qE $'\x1b|<script|@all|^forged' report.md
    # Each line of a table has as many cells as the one before.
    awk -F'[^\\\\][|]' '/^[|]/ { if (last && last != NF) exit 1; last = NF; next } { last = 0 }' report.md
    iconv -f utf-8 -t utf-8 report.md >/dev/null
}

@test "CSV is rectangular, and hostile names are no formulas" {
    "$UVSCOPE" report --format csv lesson.events >report.csv
    grep -qx $'loop,7,0,,"","",,block,2,.*,9992000000\r' report.csv
    grep -qx $'callback,7,0,timer,"0x2000","",,delay,1,9000000000,.*\r' report.csv
    hostile_events
    "$UVSCOPE" report --format csv hostile.events >report.csv
    /usr/bin/python3 - <<'END'
import csv
rows = list(csv.reader(open("report.csv", encoding="utf-8", newline="")))
assert len(rows) > 3 and {len(row) for row in rows} == {17}, rows
assert any("<script>" in row[4] for row in rows)
assert not any(cell[:1] in "=+@" and cell for row in rows for cell in row)
assert not any(ord(c) < 32 for row in rows for cell in row for c in cell)
END
}
