// SPDX-License-Identifier: MIT
// Work and an fs request that are cancelled while they wait in the queue of a pool of one.
#include "truth.h"

static uv_work_t running, queued;
static uv_fs_t queued_stat;
static uv_sem_t started;

static void slow_work(uv_work_t *job)
{
    (void)job;
    uv_sem_post(&started);
    truth_busy(60);
}

static void never_work(uv_work_t *job)
{
    (void)job;
    exit(97);
}

static void after_work(uv_work_t *job, int status)
{
    if (job == &queued && status != UV_ECANCELED)
        exit(96);
}

static void on_stat(uv_fs_t *request)
{
    if (request->result != UV_ECANCELED)
        exit(95);
    uv_fs_req_cleanup(request);
}

int main(void)
{
    setenv("UV_THREADPOOL_SIZE", "1", 1);
    uv_loop_t *loop = uv_default_loop();
    MUST(uv_sem_init(&started, 0));
    MUST(uv_queue_work(loop, &running, slow_work, after_work));
    MUST(uv_queue_work(loop, &queued, never_work, after_work));
    MUST(uv_fs_stat(loop, &queued_stat, "/", on_stat));
    uv_sem_wait(&started);
    MUST(uv_cancel((uv_req_t *)&queued));
    MUST(uv_cancel((uv_req_t *)&queued_stat));
    if (uv_cancel((uv_req_t *)&running) != UV_EBUSY)
        return 94;
    uv_run(loop, UV_RUN_DEFAULT);
    truth_fact("pool.requests kind=work site=slow_work cancelled 0");
    truth_fact("pool.requests kind=work site=slow_work queue.count 1");
    truth_fact("pool.requests kind=work site=never_work cancelled 1");
    truth_fact("pool.requests kind=fs.stat site=on_stat cancelled 1");
    truth_fact("callbacks kind=fs.stat site=on_stat cancelled 1");
    truth_fact("callbacks kind=work site=after_work count 2");
    truth_fact("callbacks kind=work site=after_work cancelled 1");
    truth_fact("pool stuck.never_started 0");
    truth_fact("pool stuck.never_finished 0");
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
