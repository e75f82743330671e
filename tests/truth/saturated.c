// SPDX-License-Identifier: MIT
// Two hundred callbacks of 1 ms in one iteration: no long callback, and yet everybody waits 200 ms.
#include "truth.h"

enum { TIMERS = 200 };
static uv_timer_t timers[TIMERS];
static uint64_t first_ns, last_ns;
static struct truth_times durations;

static void on_short(uv_timer_t *timer)
{
    uint64_t begin_ns = uv_hrtime();
    first_ns = first_ns ? first_ns : begin_ns;
    truth_busy(1);
    last_ns = uv_hrtime();
    truth_add(&durations, last_ns - begin_ns);
    uv_close((uv_handle_t *)timer, NULL);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    for (int i = 0; i < TIMERS; i++) {
        MUST(uv_timer_init(loop, &timers[i]));
        MUST(uv_timer_start(&timers[i], on_short, 5, 0));
    }
    uv_run(loop, UV_RUN_DEFAULT);
    truth_fact("callbacks kind=timer site=on_short duration.count %d", TIMERS);
    truth_fact("callbacks kind=timer site=on_short duration.sum_ns %llu",
               (unsigned long long)durations.sum_ns);
    truth_fact("loops blocked.count 1");
    truth_fact("loops blocked.worst.0.class saturated");
    truth_fact("loops blocked.worst.0.duration_ns %llu", (unsigned long long)(last_ns - first_ns));
    truth_fact("loops blocked.worst.0.callbacks.0.count %d", TIMERS);
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
