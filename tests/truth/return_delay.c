// SPDX-License-Identifier: MIT
// Work that is finished after 20 ms, while the loop is busy for 100 ms more: its after-callback waits for the
// loop.
#include "truth.h"

#include <poll.h>

static uv_timer_t slow;
static uv_work_t job;
static uint64_t finished_ns, posted_ns, over_ns;

static void short_work(uv_work_t *request)
{
    (void)request;
    truth_busy(20);
    finished_ns = uv_hrtime();
}

// However long a thread is kept from running between a moment here and one of the runtime's, these hold: it
// took its begin after the work had finished and before that was posted, its end after the loop was busy and
// before this.
static void after_work(uv_work_t *request, int status)
{
    const uint64_t now_ns = uv_hrtime();
    (void)request;
    MUST(status);
    static const char *const rows[] = {"pool.requests kind=work site=short_work return",
                                       "callbacks kind=work site=after_work delay"};
    for (int i = 0; i < 2; i++) {
        truth_fact("%s.count 1", rows[i]);
        truth_fact("%s.max_ns >=%llu", rows[i], (unsigned long long)(over_ns - posted_ns));
        truth_fact("%s.max_ns <=%llu", rows[i], (unsigned long long)(now_ns - finished_ns));
    }
}

// The loop has polled, so its descriptor becomes readable when a worker posts what it has finished.
static void await_posted(const uv_loop_t *loop)
{
    struct pollfd backend = {.fd = uv_backend_fd(loop), .events = POLLIN};
    while (poll(&backend, 1, -1) != 1)
        ;
    posted_ns = uv_hrtime();
}

static void on_slow(uv_timer_t *timer)
{
    static unsigned runs;
    if (runs++ == 0)
        return; // the loop may not have polled yet
    MUST(uv_queue_work(timer->loop, &job, short_work, after_work));
    await_posted(timer->loop);
    truth_busy(100);
    over_ns = uv_hrtime();
    uv_close((uv_handle_t *)timer, NULL);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    MUST(uv_timer_init(loop, &slow));
    MUST(uv_timer_start(&slow, on_slow, 1, 1));
    uv_run(loop, UV_RUN_DEFAULT);
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
