// SPDX-License-Identifier: MIT
// Four jobs of 50 ms on a pool of one: they wait 0, 50, 100, 150 ms for the worker.
#include "truth.h"

enum { JOBS = 4 };
static uv_work_t jobs[JOBS];
static uint64_t submitted_ns[JOBS], begun_ns[JOBS], finished_ns[JOBS];
static struct truth_times queue, service, returned;

static void slow_work(uv_work_t *job)
{
    begun_ns[job - jobs] = uv_hrtime();
    truth_busy(50);
    finished_ns[job - jobs] = uv_hrtime();
}

static void after_work(uv_work_t *job, int status)
{
    size_t i = (size_t)(job - jobs);
    MUST(status);
    truth_add(&returned, uv_hrtime() - finished_ns[i]);
    truth_add(&queue, begun_ns[i] - submitted_ns[i]);
    truth_add(&service, finished_ns[i] - begun_ns[i]);
}

// How long jobs ran while the next one was there.
static uint64_t with_next_waiting_ns(void)
{
    uint64_t sum_ns = 0;
    for (int i = 0; i + 1 < JOBS; i++) {
        const uint64_t since_ns = begun_ns[i] > submitted_ns[i + 1] ? begun_ns[i] : submitted_ns[i + 1];
        sum_ns += finished_ns[i] > since_ns ? finished_ns[i] - since_ns : 0;
    }
    return sum_ns;
}

int main(void)
{
    setenv("UV_THREADPOOL_SIZE", "1", 1);
    uv_loop_t *loop = uv_default_loop();
    for (int i = 0; i < JOBS; i++) {
        submitted_ns[i] = uv_hrtime();
        MUST(uv_queue_work(loop, &jobs[i], slow_work, after_work));
    }
    uv_run(loop, UV_RUN_DEFAULT);
    truth_fact_times("pool.requests kind=work site=slow_work queue", &queue);
    truth_fact_times("pool.requests kind=work site=slow_work service", &service);
    truth_fact_times("pool.requests kind=work site=slow_work return", &returned);
    truth_fact("pool.requests kind=work site=slow_work engine pool");
    // Replayed with one thread they wait for those before them, and with four for nobody.
    truth_fact("pool what_if.threads.0.sum_ns >=%llu", (unsigned long long)(queue.sum_ns / 10 * 9));
    truth_fact("pool what_if.threads.0.sum_ns <=%llu", (unsigned long long)(queue.sum_ns + JOBS * TRUTH_MS));
    truth_fact("pool what_if.threads.3.sum_ns <=%llu", JOBS * TRUTH_MS);
    truth_fact("pool size 1");
    truth_fact("pool max_queue_depth >=3");
    truth_fact("pool stuck.never_started 0");
    truth_fact("pool stuck.never_finished 0");
    truth_fact("pool saturated_ns >=%llu", (unsigned long long)(with_next_waiting_ns() / 100 * 98));
    truth_fact("pool saturated_ns <=%llu",
               (unsigned long long)(begun_ns[JOBS - 1] - submitted_ns[0] + TRUTH_MS));
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
