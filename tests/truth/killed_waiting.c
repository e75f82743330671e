// SPDX-License-Identifier: MIT
// Killed while it waits in poll with nothing to do: not a block.
#include "truth.h"

#include <signal.h>
#include <unistd.h>

static uv_timer_t quick, never;

static void kill_soon(void *unused)
{
    (void)unused;
    usleep(300000);
    kill(getpid(), SIGKILL);
}

static void on_timer(uv_timer_t *timer)
{
    uv_thread_t killer;
    MUST(uv_thread_create(&killer, kill_soon, NULL));
    truth_fact("loops blocked.count 0");
    truth_fact("processes exit signal 9");
    fflush(stdout);
    uv_close((uv_handle_t *)timer, NULL);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    MUST(uv_timer_init(loop, &quick));
    MUST(uv_timer_init(loop, &never));
    MUST(uv_timer_start(&quick, on_timer, 1, 0));
    MUST(uv_timer_start(&never, on_timer, 100000, 0));
    uv_run(loop, UV_RUN_DEFAULT);
    return 0;
}
