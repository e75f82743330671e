// SPDX-License-Identifier: MIT
// Two loops on two threads that do all kinds of things at once for a moment: timers, requests of all sorts on
// a pool that has too few threads, sends between the loops, calls that hold them, and callbacks long enough
// for the watchdog.
#include "../truth/truth.h"

#include <fcntl.h>

enum { TICKS = 40, LONG_EVERY = 10, WORKS_A_TICK = 2 };

struct side {
    uv_loop_t loop;
    uv_timer_t tick;
    uv_async_t called;
    struct side *other;
    unsigned ticks, pending;
};

struct job {
    uv_work_t work;
    uv_fs_t fs;
    struct side *side;
    unsigned number;
};

static void finish_if_idle(struct side *side)
{
    if (side->ticks >= TICKS && side->pending == 0 && !uv_is_closing((uv_handle_t *)&side->tick))
        uv_close((uv_handle_t *)&side->tick, NULL);
}

static void finish(struct job *job)
{
    struct side *side = job->side;
    free(job);
    side->pending--;
    finish_if_idle(side);
}

static void on_stat(uv_fs_t *request)
{
    uv_fs_req_cleanup(request);
    finish(request->data);
}

static void work(uv_work_t *request)
{
    const struct job *job = request->data;
    if (job->number % 3)
        uv_sleep(2);
    else
        truth_busy(1);
}

static void after_work(uv_work_t *request, int status)
{
    struct job *job = request->data;
    MUST(status);
    MUST(uv_fs_stat(&job->side->loop, &job->fs, "/", on_stat));
}

static void queue_work(struct side *side, unsigned number)
{
    struct job *job = calloc(1, sizeof(*job));
    if (!job)
        exit(96);
    job->side = side;
    job->number = number;
    job->work.data = job->fs.data = job;
    side->pending++;
    MUST(uv_queue_work(&side->loop, &job->work, work, after_work));
}

static void open_now(struct side *side)
{
    uv_fs_t request;
    const int fd = uv_fs_open(&side->loop, &request, "/dev/null", O_RDONLY, 0, NULL);
    uv_fs_req_cleanup(&request);
    MUST(uv_fs_close(&side->loop, &request, fd, NULL));
    uv_fs_req_cleanup(&request);
}

static void on_called(uv_async_t *async)
{
    open_now(async->data);
}

static void on_tick(uv_timer_t *timer)
{
    struct side *side = timer->data;
    if (++side->ticks > TICKS) {
        uv_timer_stop(timer);
        finish_if_idle(side);
        return;
    }
    for (unsigned i = 0; i < WORKS_A_TICK; i++)
        queue_work(side, side->ticks * WORKS_A_TICK + i);
    MUST(uv_async_send(&side->other->called));
    if (side->ticks % LONG_EVERY == 0)
        truth_busy(25);
}

static void prepare(struct side *side, struct side *other)
{
    side->other = other;
    MUST(uv_loop_init(&side->loop));
    MUST(uv_timer_init(&side->loop, &side->tick));
    MUST(uv_async_init(&side->loop, &side->called, on_called));
    uv_unref((uv_handle_t *)&side->called);
    side->tick.data = side->called.data = side;
    MUST(uv_timer_start(&side->tick, on_tick, 1, 3));
}

static void run(void *side)
{
    MUST(uv_run(&((struct side *)side)->loop, UV_RUN_DEFAULT));
}

static int end(struct side *side)
{
    uv_close((uv_handle_t *)&side->called, NULL);
    MUST(uv_run(&side->loop, UV_RUN_DEFAULT));
    return uv_loop_close(&side->loop);
}

int main(void)
{
    static struct side sides[2];
    uv_thread_t thread;
    prepare(&sides[0], &sides[1]);
    prepare(&sides[1], &sides[0]);
    MUST(uv_thread_create(&thread, run, &sides[1]));
    run(&sides[0]);
    MUST(uv_thread_join(&thread));
    return end(&sides[0]) == 0 && end(&sides[1]) == 0 ? 0 : 98;
}
