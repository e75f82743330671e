// SPDX-License-Identifier: MIT
// A callback that runs another loop to its end, as a synchronous child process does in Node: for the outer
// loop that is a synchronous call.
#include "truth.h"

static struct truth_times nested;
static uv_timer_t outer_timer, inner_timer;

static void on_inner(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
}

static void on_outer(uv_timer_t *timer)
{
    uv_loop_t inner;
    MUST(uv_loop_init(&inner));
    MUST(uv_timer_init(&inner, &inner_timer));
    MUST(uv_timer_start(&inner_timer, on_inner, 100, 0));
    uint64_t begin_ns = uv_hrtime();
    uv_run(&inner, UV_RUN_DEFAULT);
    truth_add(&nested, uv_hrtime() - begin_ns);
    MUST(uv_loop_close(&inner));
    uv_close((uv_handle_t *)timer, NULL);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    MUST(uv_timer_init(loop, &outer_timer));
    MUST(uv_timer_start(&outer_timer, on_outer, 0, 0));
    uv_run(loop, UV_RUN_DEFAULT);
    truth_fact_times("sync_calls kind=nested_run site=on_outer duration", &nested);
    truth_fact("callbacks kind=timer site=on_inner count 1");
    truth_fact("callbacks kind=timer site=on_outer count 1");
    truth_fact("loops main=true blocked.worst.0.class sync_call");
    truth_fact("loops main=false blocked.count 0");
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
