# SPDX-License-Identifier: MIT
# A log whose names are the worst there are, in ./hostile.events: markup, escapes of terminals, quotes, line
# breaks, bytes that are no UTF-8, formulas, and 5000 columns.

hostile_events() {
    local long
    long=$(head -c 5000 /dev/zero | tr '\0' y)
    {
        printf '%s\n' '1ms process_info loop=7:- pid=7 schema=1 libuv=76802 pool_size=4 exe="/bin/<script>hit()</script>\x1b[2J\x0aforged" argv="\x22\x27|`\xff\xfe"'
        printf '%s\n' '1ms loop_info loop=7:0 tid=7 is_default=1 name="</script>\x1b]0;x\x07"'
        printf '%s\n' "1ms module loop=7:- base=0x1000 size=0x1000 bias=0 build_id=\"\" path=\"/lib/=1+1|@all#1<script>hit()<!--\\x22\\x0aforged,\\x1b[31m\\xc3\\x28\\xe2\\x80\\xae$long\""
        printf '%s\n' '10s callback loop=7:0 op=1 kind=timer callback=0x1010 duration_ns=9990ms delay_ns=1ms'
        printf '%s\n' '10.1s work loop=7:0 op=3 kind=fs.read tid=8 queue_ns=10ms service_ns=40ms'
        printf '%s\n' '11s poll loop=7:0 wait_ns=999ms busy_ns=9.991s callbacks=1 calls=1 timeout_ms=1000'
    } >hostile.events
}
