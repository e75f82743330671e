// SPDX-License-Identifier: MIT
// Handles freed in their close callback, requests freed in their own callback, the memory used again at once
// for another type: every callback is still counted for what it is.
#include "truth.h"

#include <string.h>

enum { ROUNDS = 300 };

union any {
    uv_timer_t timer;
    uv_idle_t idle;
    uv_check_t check;
    uv_async_t async;
    uv_work_t work;
    uv_fs_t fs;
};

static uv_loop_t *loop;
static unsigned rounds, timers, idles, asyncs, works, stats, closes;

static void next_round(void);

static void on_close(uv_handle_t *handle)
{
    closes++;
    free(handle); // malloc hands the same block to the next round
    next_round();
}

static void on_timer(uv_timer_t *timer)
{
    timers++;
    // Restarted in its own callback once, then closed.
    if (timer->data) {
        timer->data = NULL;
        MUST(uv_timer_start(timer, on_timer, 0, 0));
    } else {
        uv_close((uv_handle_t *)timer, on_close);
    }
}

static void on_idle(uv_idle_t *idle)
{
    idles++;
    uv_close((uv_handle_t *)idle, on_close);
}

static void on_async(uv_async_t *async)
{
    asyncs++;
    uv_close((uv_handle_t *)async, on_close);
}

static void do_work(uv_work_t *work)
{
    (void)work;
}

static void after_work(uv_work_t *work, int status)
{
    MUST(status);
    works++;
    free(work);
    next_round();
}

static void on_stat(uv_fs_t *request)
{
    stats++;
    uv_fs_req_cleanup(request);
    free(request);
    next_round();
}

static void next_round(void)
{
    if (rounds == ROUNDS)
        return;
    union any *memory = malloc(sizeof(*memory));
    if (!memory)
        exit(97);
    memset(memory, 0xa5, sizeof(*memory));
    switch (rounds++ % 5) {
    case 0:
        MUST(uv_timer_init(loop, &memory->timer));
        memory->timer.data = memory;
        MUST(uv_timer_start(&memory->timer, on_timer, 0, 0));
        break;
    case 1:
        MUST(uv_idle_init(loop, &memory->idle));
        MUST(uv_idle_start(&memory->idle, on_idle));
        MUST(uv_idle_start(&memory->idle, NULL)); // libuv keeps the first callback
        break;
    case 2:
        MUST(uv_async_init(loop, &memory->async, on_async));
        MUST(uv_async_send(&memory->async));
        break;
    case 3:
        MUST(uv_queue_work(loop, &memory->work, do_work, after_work));
        break;
    default:
        MUST(uv_fs_stat(loop, &memory->fs, "/", on_stat));
    }
}

int main(void)
{
    loop = uv_default_loop();
    next_round();
    uv_run(loop, UV_RUN_DEFAULT);
    truth_fact("callbacks kind=timer site=on_timer count %u", timers);
    truth_fact("callbacks kind=idle site=on_idle count %u", idles);
    truth_fact("callbacks kind=async site=on_async count %u", asyncs);
    truth_fact("callbacks kind=work site=after_work count %u", works);
    truth_fact("callbacks kind=fs.stat site=on_stat count %u", stats);
    truth_fact("callbacks kind=close site=on_close count %u", closes);
    truth_fact("pool.requests kind=work site=do_work queue.count %u", works);
    truth_fact("pool.requests kind=fs.stat site=on_stat queue.count %u", stats);
    truth_fact("processes handoff_missed 0");
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
