// SPDX-License-Identifier: MIT
// Killed in the middle of a callback: the block that was open then is reported, as at least so long.
#include "truth.h"

#include <signal.h>
#include <unistd.h>

static uv_timer_t quick, endless;

static void on_quick(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
}

static void on_endless(uv_timer_t *timer)
{
    (void)timer;
    uint64_t busy_ns = truth_busy(400);
    truth_fact("loops blocked.count 1");
    truth_fact("loops blocked.worst.0.open true");
    truth_fact("loops blocked.worst.0.class long_callback");
    truth_fact("loops blocked.worst.0.callbacks.0.site.function on_endless");
    truth_fact("loops blocked.worst.0.duration_ns >=%llu", (unsigned long long)busy_ns / 2);
    truth_fact("processes exit signal 9");
    fflush(stdout);
    kill(getpid(), SIGKILL);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    MUST(uv_timer_init(loop, &quick));
    MUST(uv_timer_init(loop, &endless));
    MUST(uv_timer_start(&quick, on_quick, 1, 0));
    MUST(uv_timer_start(&endless, on_endless, 10, 0));
    uv_run(loop, UV_RUN_DEFAULT);
    return 0;
}
