// SPDX-License-Identifier: MIT
// Twelve uv_fs_read behind four jobs of 150 ms on a pool of four: the reads wait in the queue, not on the
// disk.
#include "truth.h"

#include <fcntl.h>

enum { JOBS = 4, READS = 12 };
static uv_work_t jobs[JOBS];
static uv_fs_t reads[READS];
static char bytes[READS][64];
static uint64_t submitted_ns, all_submitted_ns, jobs_done_ns, job_end_ns[JOBS];
static struct truth_times latency;

static void slow_work(uv_work_t *job)
{
    truth_busy(150);
    job_end_ns[job - jobs] = uv_hrtime();
}

static void after_work(uv_work_t *job, int status)
{
    (void)job;
    MUST(status);
    jobs_done_ns = uv_hrtime();
}

static void on_read(uv_fs_t *request)
{
    MUST((int)request->result);
    truth_add(&latency, uv_hrtime() - submitted_ns);
    uv_fs_req_cleanup(request);
}

int main(void)
{
    setenv("UV_THREADPOOL_SIZE", "4", 1);
    uv_loop_t *loop = uv_default_loop();
    uv_fs_t open_request;
    int file = uv_fs_open(NULL, &open_request, "/proc/self/exe", O_RDONLY, 0, NULL);
    MUST(file);
    for (int i = 0; i < JOBS; i++)
        MUST(uv_queue_work(loop, &jobs[i], slow_work, after_work));
    submitted_ns = uv_hrtime();
    for (int i = 0; i < READS; i++) {
        uv_buf_t buffer = uv_buf_init(bytes[i], sizeof(bytes[i]));
        MUST(uv_fs_read(loop, &reads[i], file, &buffer, 1, 0, on_read));
    }
    all_submitted_ns = uv_hrtime();
    uv_run(loop, UV_RUN_DEFAULT);
    uint64_t first_end_ns = job_end_ns[0];
    for (int i = 1; i < JOBS; i++)
        first_end_ns = job_end_ns[i] < first_end_ns ? job_end_ns[i] : first_end_ns;
    truth_fact("pool.requests kind=fs.read site=on_read count %d", READS);
    truth_fact("pool.requests kind=fs.read site=on_read queue.min_ns >=%llu",
               (unsigned long long)(first_end_ns > all_submitted_ns ? first_end_ns - all_submitted_ns : 0));
    truth_fact("pool.requests kind=fs.read site=on_read queue.max_ns <=%llu",
               (unsigned long long)(latency.max_ns + TRUTH_MS));
    truth_fact("callbacks kind=fs.read site=on_read latency.count %d", READS);
    truth_fact("callbacks kind=fs.read site=on_read latency.max_ns %llu", (unsigned long long)latency.max_ns);
    // So they do in the replay with four threads, and not with one more.
    uint64_t waited_ns = first_end_ns > all_submitted_ns ? READS * (first_end_ns - all_submitted_ns) : 0;
    truth_fact("pool what_if.threads.3.sum_ns >=%llu", (unsigned long long)(waited_ns / 10 * 9));
    truth_fact("pool what_if.threads.4.sum_ns <=%llu", (unsigned long long)(waited_ns / 2 + READS * TRUTH_MS));
    truth_fact("pool size 4");
    truth_fact("processes handoff_missed 0");
    truth_fact("sync_calls kind=fs.open duration.count 1");
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
