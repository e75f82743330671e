// SPDX-License-Identifier: MIT
// A library that makes its loop in its constructor, which comes before the runtime's if the program is linked
// with it, and after it if it is opened late, with the libuv that it brings.
#include "truth.h"

int constructor_library_run(void);

static uv_timer_t timer;
static struct truth_times times;

static void on_timer(uv_timer_t *handle)
{
    truth_add(&times, truth_busy(20));
    uv_close((uv_handle_t *)handle, NULL);
}

__attribute__((constructor)) static void start(void)
{
    MUST(uv_timer_init(uv_default_loop(), &timer));
    MUST(uv_timer_start(&timer, on_timer, 0, 0));
}

int constructor_library_run(void)
{
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    truth_fact_times("callbacks kind=timer site=on_timer duration", &times);
    truth_fact("loops main=true iterations >=1");
    return uv_loop_close(uv_default_loop()) == 0 ? 0 : 98;
}
