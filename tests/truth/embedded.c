// SPDX-License-Identifier: MIT
// A program with a main loop of its own, which lets libuv's run without waiting: the time in between is
// outside.
#include "truth.h"

enum { ROUNDS = 20 };
static int ticks;

static void on_tick(uv_timer_t *timer)
{
    if (++ticks == 3)
        uv_close((uv_handle_t *)timer, NULL);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    uv_timer_t timer;
    uint64_t outside_ns = 0;
    MUST(uv_timer_init(loop, &timer));
    MUST(uv_timer_start(&timer, on_tick, 1, 1));
    for (int i = 0; i < ROUNDS; i++) {
        uv_run(loop, UV_RUN_NOWAIT);
        if (i < ROUNDS - 1)
            outside_ns += truth_busy(10);
    }
    truth_fact("callbacks kind=timer site=on_tick count %d", ticks);
    truth_fact("loops outside_ns %llu", (unsigned long long)outside_ns);
    truth_fact("loops poll_ns 0");
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
