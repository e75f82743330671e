// SPDX-License-Identifier: MIT
// A timer that is due in 20 ms, and 200 ms of work before the loop runs: the main script of a program in Node.js.
#include "truth.h"

static uv_timer_t due;
static uint64_t due_ns, ran_ns;

static void on_due(uv_timer_t *timer)
{
    ran_ns = uv_hrtime();
    uv_close((uv_handle_t *)timer, NULL);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    MUST(uv_timer_init(loop, &due));
    MUST(uv_timer_start(&due, on_due, 20, 0));
    due_ns = (uv_now(loop) + 20) * TRUTH_MS;
    truth_busy(200);
    const uint64_t run_ns = uv_hrtime();
    uv_run(loop, UV_RUN_DEFAULT);
    truth_fact("blame.victims kind=timer site=on_due suffered_ns %llu", (unsigned long long)(ran_ns - due_ns));
    truth_fact("blame.victims kind=timer site=on_due by.0.what outside");
    truth_fact("blame.victims kind=timer site=on_due by.0.ns %llu", (unsigned long long)(run_ns - due_ns));
    truth_fact("blame.culprits what=outside victims 1");
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
