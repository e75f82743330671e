// SPDX-License-Identifier: MIT
// One kind of work on a loop, as much as is asked for; prints the processor time that an operation took, in
// nanoseconds: of all threads, and whatever else the machine did meanwhile.
//
//   bench_runtime MODE OPERATIONS
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

enum { IN_FLIGHT = 64 };

static uv_loop_t loop;
static uint64_t wanted, started, finished;

static void run_timers(void);
static void run_idle(void);
static void run_async(void);
static void run_fs_stat(void);
static void run_queue_work(void);

static const struct {
    const char *name;
    void (*run)(void);
} modes[] = {
    {"timers", run_timers},         {"idle", run_idle}, {"async", run_async}, {"fs_stat", run_fs_stat},
    {"queue_work", run_queue_work},
};

static void check(int result)
{
    if (result == 0)
        return;
    fprintf(stderr, "bench_runtime: %s\n", uv_strerror(result));
    exit(1);
}

// --- Timers: each arms itself again, due at once ---

static void on_timer(uv_timer_t *timer)
{
    if (++finished < wanted)
        check(uv_timer_start(timer, on_timer, 0, 0));
    else
        uv_close((uv_handle_t *)timer, NULL);
}

static void run_timers(void)
{
    static uv_timer_t timer;
    check(uv_timer_init(&loop, &timer));
    check(uv_timer_start(&timer, on_timer, 0, 0));
    check(uv_run(&loop, UV_RUN_DEFAULT));
}

static void on_idle(uv_idle_t *idle)
{
    if (++finished == wanted)
        uv_close((uv_handle_t *)idle, NULL);
}

static void run_idle(void)
{
    static uv_idle_t idle;
    check(uv_idle_init(&loop, &idle));
    check(uv_idle_start(&idle, on_idle));
    check(uv_run(&loop, UV_RUN_DEFAULT));
}

static void on_async(uv_async_t *async)
{
    if (++finished < wanted)
        check(uv_async_send(async));
    else
        uv_close((uv_handle_t *)async, NULL);
}

static void run_async(void)
{
    static uv_async_t async;
    check(uv_async_init(&loop, &async, on_async));
    check(uv_async_send(&async));
    check(uv_run(&loop, UV_RUN_DEFAULT));
}

// --- The pool: so many requests in flight, each followed by the next ---

static void on_stat(uv_fs_t *request)
{
    uv_fs_req_cleanup(request);
    finished++;
    if (started++ < wanted)
        check(uv_fs_stat(&loop, request, "/", on_stat));
}

static void run_fs_stat(void)
{
    static uv_fs_t requests[IN_FLIGHT];
    for (int i = 0; i < IN_FLIGHT && started < wanted; i++, started++)
        check(uv_fs_stat(&loop, &requests[i], "/", on_stat));
    check(uv_run(&loop, UV_RUN_DEFAULT));
}

static void work(uv_work_t *request)
{
    (void)request;
}

static void on_work(uv_work_t *request, int status)
{
    check(status);
    finished++;
    if (started++ < wanted)
        check(uv_queue_work(&loop, request, work, on_work));
}

static void run_queue_work(void)
{
    static uv_work_t requests[IN_FLIGHT];
    for (int i = 0; i < IN_FLIGHT && started < wanted; i++, started++)
        check(uv_queue_work(&loop, &requests[i], work, on_work));
    check(uv_run(&loop, UV_RUN_DEFAULT));
}

static uint64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int measure(void (*run)(void))
{
    check(uv_loop_init(&loop));
    const uint64_t begin_ns = cpu_ns();
    run();
    const uint64_t spent_ns = cpu_ns() - begin_ns;
    check(uv_loop_close(&loop));
    printf("%" PRIu64 " %.1f\n", finished, (double)spent_ns / (double)finished);
    return finished == wanted ? 0 : 1;
}

int main(int argc, char **argv)
{
    wanted = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
    for (size_t i = 0; wanted > 0 && i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(modes[i].name, argv[1]) == 0)
            return measure(modes[i].run);
    fprintf(stderr, "usage: bench_runtime timers|idle|async|fs_stat|queue_work OPERATIONS\n");
    return 2;
}
