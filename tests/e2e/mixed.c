// SPDX-License-Identifier: MIT
// mixed [HOLD_MS]: for ever, every 5 ms, a timer that asks for pool work, for a stat of the file system and
// for an async callback. Says "ready" at the first one. HOLD_MS: SIGUSR1's callback holds the loop that long.
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

enum { PERIOD_MS = 5, WORK_MS = 2 };

static uv_async_t async;
static uv_work_t work;
static uv_fs_t look;
static int working, looking;
static unsigned hold_ms;

static void do_work(uv_work_t *request)
{
    (void)request;
    uv_sleep(WORK_MS);
}

static void on_work_done(uv_work_t *request, int status)
{
    (void)request, (void)status;
    working = 0;
}

static void on_look_done(uv_fs_t *request)
{
    uv_fs_req_cleanup(request);
    looking = 0;
}

static void on_async(uv_async_t *handle)
{
    (void)handle;
}

static void on_tick(uv_timer_t *timer)
{
    static int ticked;
    if (!ticked++) {
        puts("ready");
        fflush(stdout);
    }
    if (!working)
        working = uv_queue_work(timer->loop, &work, do_work, on_work_done) == 0;
    if (!looking)
        looking = uv_fs_stat(timer->loop, &look, "/", on_look_done) == 0;
    uv_async_send(&async);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)handle, (void)number;
    puts("holding");
    fflush(stdout);
    uint64_t end_ns = uv_hrtime() + hold_ms * 1000000ull;
    while (uv_hrtime() < end_ns)
        continue;
    puts("held");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    uv_timer_t timer;
    uv_signal_t signal;
    hold_ms = argc > 1 ? (unsigned)atoi(argv[1]) : 0;
    uv_async_init(loop, &async, on_async);
    uv_timer_init(loop, &timer);
    uv_timer_start(&timer, on_tick, PERIOD_MS, PERIOD_MS);
    uv_signal_init(loop, &signal);
    uv_signal_start(&signal, on_signal, SIGUSR1);
    return uv_run(loop, UV_RUN_DEFAULT);
}
