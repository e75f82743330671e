// SPDX-License-Identifier: MIT
// A timer's callback of 200 ms, and a timer due 200 ms after its end: libuv reckons the poll from before the
// callback, and sleeps 200 ms too long.
#include "truth.h"

static uv_timer_t slow, due;
static uint64_t due_ns, late_ns;

static void on_slow(uv_timer_t *timer)
{
    (void)timer; // closing it would keep the poll from waiting
    truth_busy(200);
}

static void on_due(uv_timer_t *timer)
{
    late_ns = uv_hrtime() - due_ns;
    uv_close((uv_handle_t *)timer, NULL);
    uv_close((uv_handle_t *)&slow, NULL);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    MUST(uv_timer_init(loop, &slow));
    MUST(uv_timer_init(loop, &due));
    MUST(uv_timer_start(&slow, on_slow, 0, 0));
    MUST(uv_timer_start(&due, on_due, 400, 0));
    due_ns = (uv_now(loop) + 400) * TRUTH_MS;
    uv_run(loop, UV_RUN_DEFAULT);
    truth_fact("blame.victims kind=timer site=on_due suffered_ns %llu", (unsigned long long)late_ns);
    truth_fact("blame.victims kind=timer site=on_due stale_ns %llu", (unsigned long long)late_ns);
    truth_fact("blame.victims kind=timer site=on_due by.0.what poll");
    truth_fact("findings id=stale-time severity info");
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
