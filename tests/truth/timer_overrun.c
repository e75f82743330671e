// SPDX-License-Identifier: MIT
// A repeating timer of 20 ms whose callback takes 50 ms: libuv arms it again before the callback, so every
// run after the first is late by what the callback took beyond the period.
#include "truth.h"

enum { RUNS = 5 };
static uv_timer_t timer;
static struct truth_times durations, delays;
static uint64_t due_ns;
static int runs;

static void on_repeat(uv_timer_t *handle)
{
    uint64_t begin_ns = uv_hrtime();
    truth_add(&delays, begin_ns > due_ns ? begin_ns - due_ns : 0);
    due_ns = (uv_now(handle->loop) + 20) * TRUTH_MS;
    truth_busy(50);
    truth_add(&durations, uv_hrtime() - begin_ns);
    if (++runs == RUNS)
        uv_close((uv_handle_t *)handle, NULL);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    MUST(uv_timer_init(loop, &timer));
    MUST(uv_timer_start(&timer, on_repeat, 20, 20));
    due_ns = (uv_now(loop) + 20) * TRUTH_MS;
    uv_run(loop, UV_RUN_DEFAULT);
    truth_fact_times("callbacks kind=timer site=on_repeat duration", &durations);
    truth_fact("callbacks kind=timer site=on_repeat delay.count %d", RUNS);
    truth_fact("callbacks kind=timer site=on_repeat delay.max_ns %llu", (unsigned long long)delays.max_ns);
    truth_fact("callbacks kind=timer site=on_repeat delay.sum_ns %llu", (unsigned long long)delays.sum_ns);
    truth_fact("callbacks kind=timer site=on_repeat overruns %d", RUNS - 1);
    truth_fact("findings id=timer-overrun severity warning");
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
