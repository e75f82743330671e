// SPDX-License-Identifier: MIT
// A timer due after 10 ms behind a callback of 200 ms is late; a timer armed for 10 ms at the end of that
// callback is not.
#include "truth.h"

static uv_timer_t slow, due, armed_late;
static uint64_t due_at_ns, armed_at_ns;
static struct truth_times slow_times, due_delay;

static void on_due(uv_timer_t *timer)
{
    truth_add(&due_delay, uv_hrtime() - due_at_ns);
    uv_close((uv_handle_t *)timer, NULL);
}

static void on_armed_late(uv_timer_t *timer)
{
    // libuv's clock stood still during the long callback, so it fires at once; it is not late by the 200 ms
    // before it.
    truth_fact("callbacks kind=timer site=on_armed_late delay.max_ns <=%llu",
               (unsigned long long)(uv_hrtime() - armed_at_ns + 2 * TRUTH_MS));
    uv_close((uv_handle_t *)timer, NULL);
}

static void on_slow(uv_timer_t *timer)
{
    uint64_t begin_ns = uv_hrtime();
    truth_busy(200);
    armed_at_ns = uv_hrtime();
    MUST(uv_timer_start(&armed_late, on_armed_late, 10, 0));
    truth_add(&slow_times, uv_hrtime() - begin_ns);
    uv_close((uv_handle_t *)timer, NULL);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    MUST(uv_timer_init(loop, &slow));
    MUST(uv_timer_init(loop, &due));
    MUST(uv_timer_init(loop, &armed_late));
    MUST(uv_timer_start(&slow, on_slow, 0, 0));
    MUST(uv_timer_start(&due, on_due, 10, 0));
    due_at_ns = (uv_now(loop) + 10) * TRUTH_MS;
    uv_run(loop, UV_RUN_DEFAULT);
    truth_fact_times("callbacks kind=timer site=on_slow duration", &slow_times);
    truth_fact_times("callbacks kind=timer site=on_due delay", &due_delay);
    truth_fact("callbacks kind=timer site=on_due delay.max_ns >=%llu", 188 * TRUTH_MS);
    truth_fact("loops blocked.count 1");
    truth_fact("loops blocked.worst.0.class long_callback");
    truth_fact("loops blocked.worst.0.callbacks.0.site.function on_slow");
    truth_fact("loops blocked.worst.0.duration_ns %llu", (unsigned long long)slow_times.max_ns);
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
