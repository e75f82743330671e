# SPDX-License-Identifier: MIT
# What of a report is shown: a window of the trace, some rows, in some order.

load helpers

setup() {
    common_setup
    cat >two.events <<'END'
1ms process_info loop=7:- pid=7 schema=1 libuv=76802 pool_size=1 exe="/bin/app"
1ms process_info loop=8:- pid=8 schema=1 libuv=76802 pool_size=4 exe="/opt/other"
1ms loop_info loop=7:0 tid=7 is_default=1 name=app
1ms loop_info loop=8:0 tid=8 is_default=1 name=other
100ms poll loop=7:0 wait_ns=90ms busy_ns=5ms callbacks=0 calls=1 timeout_ms=100
101ms schedule loop=7:0 op=21 kind=work callback=0x500
200ms callback loop=7:0 op=1 kind=timer callback=0x1000 duration_ns=90ms delay_ns=1ms
210ms callback loop=7:0 op=2 kind=timer callback=0x2000 duration_ns=1ms delay_ns=95ms
220ms poll loop=7:0 wait_ns=9ms busy_ns=111ms callbacks=2 calls=1 timeout_ms=1000
221ms work loop=7:- op=21 kind=work queue_ns=60ms service_ns=50ms tid=11
240ms callback loop=7:0 op=21 kind=work callback=0x500 duration_ns=1ms delay_ns=18ms
260ms callback loop=7:0 op=3 kind=read callback=0x30 duration_ns=2ms delay_ns=3ms
300ms poll loop=7:0 wait_ns=35ms busy_ns=45ms callbacks=2 calls=1 timeout_ms=1000
310ms callback loop=8:0 op=1 kind=idle callback=0x40 duration_ns=4ms
400ms poll loop=8:0 wait_ns=80ms busy_ns=10ms callbacks=1 calls=1 timeout_ms=1000
END
}

teardown() {
    common_teardown
}

# figure FILTER OPTION...: what jq makes of the report.
figure() {
    "$UVSCOPE" report --format json "${@:2}" two.events | jq -cr "$1"
}

sites='[.callbacks[].site.label] | join(",")'

@test "windows that adjoin add up to the whole, and a victim keeps its culprit from before" {
    sums='[([.callbacks[].count] | add // 0), ([.loops[].iterations] | add), ([.loops[].busy_ns] | add), ([.pool[].requests[].count] | add // 0)]'
    parts=$({
        figure "$sums" --until 50ms
        figure "$sums" --from 50ms --until 101ms
        figure "$sums" --from 101ms --until 250ms
        figure "$sums" --from 250ms
    } | jq -sc 'transpose | map(add)')
    [ "$parts" = "$(figure "$sums")" ]
    [ "$(figure "$sites" --from 150ms --until 250ms)" = "0x30,0x500" ]
    # It was submitted before, so its wait counts there; its callback ran here.
    [ "$(figure '[.pool[].requests | length] | add // 0' --from 150ms --until 250ms)" = 0 ]
    culprits='.blame.victims[] | select(.site.label == "0x500" and .what == "callback") | .by[0] | [.what, .ns]'
    [ "$(figure "$culprits" --from 150ms)" = "$(figure "$culprits")" ]
    [ -n "$(figure "$culprits")" ]
}

@test "a filter chooses processes, loops, kinds and functions, and says what is left out" {
    [ "$(figure "$sites" --filter pid=8)" = 0x40 ]
    [ "$(figure "[($sites), (.loops | length), (.findings | length), .shown.left_out.loops]" --filter process=other)" = '["0x40",1,0,1]' ]
    [ "$(figure "$sites" --filter 'process~^/opt')" = 0x40 ]
    [ "$(figure "$sites" --filter kind=read,idle)" = "0x40,0x30" ]
    [ "$(figure "$sites" --filter 'kind!=timer  site!~"^0x[34]"')" = 0x500 ]
    [ "$(figure '[.shown.filter, .shown.left_out.callbacks]' --filter kind=timer)" = '["kind=timer",3]' ]
    [ "$(figure '[.loops[].blocked.worst[].duration_ns] | length' --filter site=0x2000)" = 1 ]
    "$UVSCOPE" report --filter pid=8 two.events >out
    [ "$(sed -n 2p out)" = "Of the trace: pid=8 ($(figure '[.shown.left_out[]] | add' --filter pid=8) rows left out)." ]
    "$UVSCOPE" report --filter pid=9 two.events >out
    [ "$(head -n 1 out)" = "No event loop is in what was asked for." ]
}

@test "culprits and victims sort too, and rules are made of both" {
    gap=$BATS_TEST_DIRNAME/../golden/blame_gap.events
    sorted() {
        "$UVSCOPE" report --format json --sort "$1" "$gap" | jq -cr '[.blame.victims[].site.label] | join(",")'
    }
    [ "$(sorted suffered)" = "0x600,0x400,0x500" ]
    [ "$(sorted suffered.count)" = "0x400,0x600,0x500" ]
    [ "$(sorted blame.suffered.min)" = "0x600,0x500,0x400" ]
    [ "$(sorted name)" = "0x400,0x500,0x600" ]
    [ "$("$UVSCOPE" report --sort suffered.count "$gap" | sed -n '/^Who waited/,/^$/p' | grep -o '0x[0-9]*' | head -n 1)" = 0x400 ]
    "$UVSCOPE" check --rule 'blame.suffered.max site~0x500 < 45ms' --rule 'blame.suffered.count kind=close == 1' \
        --rule 'blame.inflicted.sum kind=fs.read < 11ms' "$gap"
    run "$UVSCOPE" check --rule 'blame.suffered.max < 200ms' "$gap"
    [ "$status" -eq 1 ]
    [[ $output == *"216 ms"*0x600* ]]
}

@test "every form sorts by any metric of rules, and is cut after that" {
    [ "$(figure "$sites" --sort delay.max)" = "0x2000,0x500,0x30,0x1000,0x40" ]
    [ "$(figure "$sites" --sort callback.delay)" = "0x2000,0x500,0x30,0x1000,0x40" ]
    [ "$(figure "$sites" --sort name --top 2)" = "0x1000,0x2000" ]
    [ "$(figure '[.loops[].pid], .shown.left_out.callbacks' --sort loop.iterations --top 1)" = $'[7]\n4' ]
    [ "$("$UVSCOPE" report --format csv --sort delay.max --top 1 two.events | awk -F, '$1 == "callback" { print $5 }' | sort -u)" = '"0x2000"' ]
    [ "$("$UVSCOPE" report --sort delay.max two.events | sed -n '/^Callbacks/,/^$/p' | grep -m1 -o '0x[0-9]*')" = 0x2000 ]
    [ "$("$UVSCOPE" report --format markdown --sort delay.max two.events | sed -n '/kind | callback/,$p' | grep -m1 -o '0x[0-9]*')" = 0x2000 ]
    "$UVSCOPE" report --format html --top 1 two.events >page.html
    [ "$(sed -n 's/.*<script type="application.json" id="report">//p' page.html | grep -c .)" -eq 1 ]
}

@test "a key that is not there is refused with those it may have been" {
    for case in "--filter=kid=timer|did you mean pid or kind?" "--filter=colour=red|there are pid, process, loop, kind and site" \
        "--filter=kind=timr|did you mean timer?" "--filter=pid=x|pid is a number, not 'x'" "--filter=site~(|is not a regular expression" \
        "--filter=site|comes =, !=, ~ or !~ and a value" "--filter=site~'a|no closing '" "--filter= |it is empty" \
        "--sort=delai.max|did you mean delay.max" "--sort=zzzzzzzz|there are name, and the metrics of rules" \
        "--until=1s --from=2s|--until must be later than --from"; do
        # shellcheck disable=SC2086
        if [[ $case == --until* ]]; then set -- ${case%%|*}; else set -- "${case%%|*}"; fi
        status=0
        "$UVSCOPE" report "$@" two.events >out 2>err || status=$?
        [ "$status" -eq 2 ]
        grep -qF -- "${case#*|}" err
        [ ! -s out ]
    done
}

@test "what --sort and --top reach is what the documents say" {
    random=$BATS_TEST_DIRNAME/../golden/random_1.events
    first() { # of the table in the text: its first name
        "$UVSCOPE" report --sort "$2" "$random" | sed -n "/^$1/,/^\$/p" | grep -o '0x[0-9a-f]*' | head -n 1
    }
    # Timers follow the callbacks.
    [ "$(first Timers name)" = "$("$UVSCOPE" report --format json --sort name "$random" | jq -r '[.callbacks[] | select(.kind == "timer" and .delay.count > 0)][0].site.label')" ]
    [ "$(first Timers delay.max)" = "$("$UVSCOPE" report --format json "$random" | jq -r '[.callbacks[] | select(.kind == "timer" and .delay.count > 0)] | max_by(.delay.max_ns).site.label')" ]
    # Chains, findings and processes keep their order.
    kept='[.chains[].op], [.findings[].text], [.processes[].pid]'
    [ "$("$UVSCOPE" report --format json --sort name "$random" | jq -c "$kept")" = "$("$UVSCOPE" report --format json "$random" | jq -c "$kept")" ]
    chains() {
        "$UVSCOPE" report --top "$1" "$random" | sed -n '/^Slowest/,$p' | grep -c '(operation'
    }
    [ "$(chains 1)" -eq 3 ]
    [ "$(chains 0)" -eq "$("$UVSCOPE" report --format json "$random" | jq '.chains | length')" ]
    [ "$(chains 0)" -gt 3 ]
    sentences() {
        "$UVSCOPE" report --top "$1" --blame-threshold 1us "$random" | sed -n '/^Who waited/,/^$/p' | grep -cE 'was late|waited for a worker'
    }
    [ "$(sentences 1)" -eq 1 ]
    [ "$(sentences 20)" -eq 10 ]
    [ "$(sentences 0)" -gt 10 ]
}
