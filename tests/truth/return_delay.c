// SPDX-License-Identifier: MIT
// Work that is finished after 20 ms, while the loop is busy for 150 ms: its after-callback waits for the
// loop.
#include "truth.h"

static uv_timer_t slow;
static uv_work_t job;
static uint64_t finished_ns;
static struct truth_times returned;

static void short_work(uv_work_t *request)
{
    (void)request;
    truth_busy(20);
    finished_ns = uv_hrtime();
}

static void after_work(uv_work_t *request, int status)
{
    (void)request;
    MUST(status);
    truth_add(&returned, uv_hrtime() - finished_ns);
}

static void on_slow(uv_timer_t *timer)
{
    MUST(uv_queue_work(timer->loop, &job, short_work, after_work));
    truth_busy(150);
    uv_close((uv_handle_t *)timer, NULL);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    MUST(uv_timer_init(loop, &slow));
    MUST(uv_timer_start(&slow, on_slow, 0, 0));
    uv_run(loop, UV_RUN_DEFAULT);
    truth_fact_times("pool.requests kind=work site=short_work return", &returned);
    truth_fact_times("callbacks kind=work site=after_work delay", &returned);
    truth_fact("pool.requests kind=work site=short_work return.max_ns >=%llu", 80 * TRUTH_MS);
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
