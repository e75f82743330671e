// SPDX-License-Identifier: MIT
// A timer asks for an open, whose callback asks for work, whose callback closes the file: one chain, and
// where its time went.
#include "truth.h"

#include <fcntl.h>

static uv_timer_t timer;
static uv_fs_t opened, closed;
static uv_work_t job;
static uint64_t asked_ns, timer_begin_ns, timer_asked_ns, service_ns, end_ns;

static void on_closed(uv_fs_t *request)
{
    MUST((int)request->result);
    uv_fs_req_cleanup(request);
    truth_busy(5);
    end_ns = uv_hrtime();
}

static void slow_work(uv_work_t *request)
{
    (void)request;
    service_ns = truth_busy(60);
}

static void after_work(uv_work_t *request, int result)
{
    MUST(result);
    truth_busy(10);
    MUST(uv_fs_close(request->loop, &closed, (int)opened.result, on_closed));
}

static void on_opened(uv_fs_t *request)
{
    MUST((int)request->result);
    uv_fs_req_cleanup(request);
    truth_busy(20);
    MUST(uv_queue_work(request->loop, &job, slow_work, after_work));
}

static void on_timer(uv_timer_t *handle)
{
    timer_begin_ns = uv_hrtime();
    truth_busy(30);
    MUST(uv_fs_open(handle->loop, &opened, "/proc/self/exe", O_RDONLY, 0, on_opened));
    timer_asked_ns = uv_hrtime();
    truth_busy(40);
    uv_close((uv_handle_t *)handle, NULL);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    MUST(uv_timer_init(loop, &timer));
    MUST(uv_timer_start(&timer, on_timer, 20, 0));
    asked_ns = uv_hrtime();
    uv_run(loop, UV_RUN_DEFAULT);
    truth_fact("chains total_ns %llu", (unsigned long long)(end_ns - asked_ns));
    truth_fact("chains service_ns >=%llu", (unsigned long long)service_ns - TRUTH_MS);
    truth_fact("chains steps.0.site.function on_timer");
    truth_fact("chains steps.0.running_ns %llu", (unsigned long long)(timer_asked_ns - timer_begin_ns));
    truth_fact("chains steps.1.site.function on_opened");
    // The open was done while the timer's callback still ran.
    truth_fact("chains steps.1.delayed_ns >=%llu", 20 * TRUTH_MS);
    truth_fact("chains steps.1.running_ns >=%llu", 20 * TRUTH_MS);
    truth_fact("chains steps.2.site.function after_work");
    truth_fact("chains steps.2.service_ns %llu", (unsigned long long)service_ns);
    truth_fact("chains steps.2.running_ns >=%llu", 10 * TRUTH_MS);
    truth_fact("chains steps.3.site.function on_closed");
    truth_fact("chains steps.3.running_ns >=%llu", 5 * TRUTH_MS);
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
