// SPDX-License-Identifier: MIT
// More slow work than workers: the thread pool has four, so the fifth request waits until one is free.
//
//     uvscope record -- pool [SECONDS [JOBS]]      (default 1 and 12; try UV_THREADPOOL_SIZE=12 before it)
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

static double seconds = 1;
static int jobs = 12;
static uint64_t start_ns;

static void superSlowFunction(void)
{
    uint64_t end_ns = uv_hrtime() + (uint64_t)(seconds * 1e9);
    while (uv_hrtime() < end_ns)
        continue;
}

static void slow_job(uv_work_t *request)
{
    (void)request;
    superSlowFunction();
}

static void job_finished(uv_work_t *request, int status)
{
    double elapsed = (double)(uv_hrtime() - start_ns) / 1e9;
    printf("%6.2f s  Job %d: %s.\n", elapsed, (int)(intptr_t)request->data,
           status == 0 ? "finished" : uv_strerror(status));
    free(request);
}

static void start_job(uv_loop_t *loop, int number)
{
    uv_work_t *request = malloc(sizeof(*request));
    request->data = (void *)(intptr_t)number;
    uv_queue_work(loop, request, slow_job, job_finished);
}

static void my_callback(uv_timer_t *timer)
{
    for (int number = 1; number <= jobs; number++)
        start_job(timer->loop, number);
    puts("All jobs are handed over.");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        seconds = atof(argv[1]);
    if (argc > 2)
        jobs = atoi(argv[2]);
    start_ns = uv_hrtime();

    uv_loop_t *loop = uv_default_loop();
    uv_timer_t timer;
    uv_timer_init(loop, &timer);
    uv_timer_start(&timer, my_callback, 0, 0);
    return uv_run(loop, UV_RUN_DEFAULT);
}

// What to see in `uvscope report`: under Pool requests, slow_job's service is the same for every job, but its
// queue grows to twice that: the last four of twelve waited for two rounds of others. The loop was never
// blocked, and yet all but four jobs had to wait; who looks at the loop alone finds nothing.
