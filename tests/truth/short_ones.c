// SPDX-License-Identifier: MIT
// Thousands of short callbacks, requests and calls for longer than a second, and one callback of 40 ms among them: counts
// and sums are exact, however they are recorded.
#include <unistd.h>

#include "truth.h"

enum { STATS = 400, RUN_MS = 1300, SLOW_AFTER = 200 };

static uv_idle_t idle;
static uv_timer_t often;
static uv_fs_t request;
static uint64_t begin_ns, idles, stats;
static struct truth_times ticks;

static void on_idle(uv_idle_t *handle)
{
    (void)handle;
    idles++;
    usleep(50);
}

static void on_stat(uv_fs_t *done)
{
    MUST((int)done->result);
    uv_fs_req_cleanup(done);
    if (++stats < STATS)
        MUST(uv_fs_stat(idle.loop, &request, "/", on_stat));
}

static void on_tick(uv_timer_t *timer)
{
    uint64_t entered_ns = uv_hrtime();
    uv_fs_t call;
    MUST(uv_fs_access(timer->loop, &call, "/", R_OK, NULL));
    uv_fs_req_cleanup(&call);
    if (ticks.count == SLOW_AFTER)
        truth_busy(40);
    if (entered_ns - begin_ns > RUN_MS * TRUTH_MS && stats == STATS) {
        uv_close((uv_handle_t *)timer, NULL);
        uv_close((uv_handle_t *)&idle, NULL);
    }
    truth_add(&ticks, uv_hrtime() - entered_ns);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    MUST(uv_idle_init(loop, &idle));
    MUST(uv_timer_init(loop, &often));
    MUST(uv_idle_start(&idle, on_idle));
    MUST(uv_timer_start(&often, on_tick, 0, 1));
    MUST(uv_fs_stat(loop, &request, "/", on_stat));
    begin_ns = uv_hrtime();
    uv_run(loop, UV_RUN_DEFAULT);
    uint64_t ran_ns = uv_hrtime() - begin_ns;
    truth_fact("callbacks kind=idle site=on_idle count %llu", (unsigned long long)idles);
    truth_fact("callbacks kind=fs.stat site=on_stat count %d", STATS);
    truth_fact("callbacks kind=fs.stat site=on_stat latency.count %d", STATS);
    truth_fact("pool.requests kind=fs.stat site=on_stat count %d", STATS);
    truth_fact("pool.requests kind=fs.stat site=on_stat queue.count %d", STATS);
    truth_fact("pool.requests kind=fs.stat site=on_stat service.count %d", STATS);
    truth_fact("pool.requests kind=fs.stat site=on_stat return.count %d", STATS);
    truth_fact_times("callbacks kind=timer site=on_tick self", &ticks);
    truth_fact("callbacks kind=timer site=on_tick delay.count %llu", (unsigned long long)ticks.count);
    truth_fact("sync_calls kind=fs.access site=on_tick duration.count %llu", (unsigned long long)ticks.count);
    // One iteration for each idle callback, and all of it busy: with an idle handle no poll waits.
    truth_fact("loops busy_ns %llu", (unsigned long long)ran_ns);
    truth_fact("loops iterations >=%llu", (unsigned long long)idles - 1);
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
