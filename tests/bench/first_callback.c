// SPDX-License-Identifier: MIT
// Prints when its first callback ran, in nanoseconds of CLOCK_MONOTONIC: the end of a program's start.
#include <inttypes.h>
#include <stdio.h>
#include <uv.h>

static void on_timer(uv_timer_t *timer)
{
    printf("%" PRIu64 "\n", uv_hrtime());
    uv_close((uv_handle_t *)timer, NULL);
}

int main(void)
{
    uv_loop_t loop;
    uv_timer_t timer;
    return uv_loop_init(&loop) || uv_timer_init(&loop, &timer) || uv_timer_start(&timer, on_timer, 0, 0) ||
           uv_run(&loop, UV_RUN_DEFAULT) || uv_loop_close(&loop);
}
