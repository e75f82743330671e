// SPDX-License-Identifier: MIT
// ticker COUNT PERIOD_MS [STATUS]: a timer that fires COUNT times (0: for ever), every PERIOD_MS (0: as fast
// as it can). Says "ready" at the first one.
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

static long left;
static uint64_t period_ms;

static void on_tick(uv_timer_t *timer)
{
    static int ticked;
    if (!ticked++) {
        puts("ready");
        fflush(stdout);
    }
    if (left > 0 && --left == 0)
        return;
    uv_timer_start(timer, on_tick, period_ms, 0);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    left = atol(argv[1]);
    period_ms = (uint64_t)atol(argv[2]);
    uv_timer_t timer;
    uv_timer_init(uv_default_loop(), &timer);
    uv_timer_start(&timer, on_tick, period_ms, 0);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    return argc > 3 ? atoi(argv[3]) : 0;
}
