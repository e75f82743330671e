// SPDX-License-Identifier: MIT
// A timer that becomes due while another's callback holds the loop for 250 ms: libuv reckons with the time from
// before that, so the timer is not due yet, and the poll sleeps 100 ms.
#include "truth.h"

static uv_timer_t slow, due;
static uint64_t due_ns, slow_end_ns, ran_ns;

static void on_slow(uv_timer_t *timer)
{
    (void)timer; // closing it would keep the poll from waiting
    truth_busy(250);
    slow_end_ns = uv_hrtime();
}

static void on_due(uv_timer_t *timer)
{
    ran_ns = uv_hrtime();
    uv_close((uv_handle_t *)timer, NULL);
    uv_close((uv_handle_t *)&slow, NULL);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    MUST(uv_timer_init(loop, &slow));
    MUST(uv_timer_init(loop, &due));
    MUST(uv_timer_start(&slow, on_slow, 0, 0));
    MUST(uv_timer_start(&due, on_due, 100, 0));
    due_ns = (uv_now(loop) + 100) * TRUTH_MS;
    uv_run(loop, UV_RUN_DEFAULT);
    truth_fact("blame.victims kind=timer site=on_due suffered_ns %llu", (unsigned long long)(ran_ns - due_ns));
    truth_fact("blame.victims kind=timer site=on_due stale_ns %llu", (unsigned long long)(ran_ns - slow_end_ns));
    truth_fact("blame.victims kind=timer site=on_due by.0.site.function on_slow");
    truth_fact("findings id=stale-time severity info");
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
