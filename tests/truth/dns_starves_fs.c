// SPDX-License-Identifier: MIT
// Name look-ups of 100 ms on a pool of four, which lets two of them run, beside two jobs of 200 ms: a third
// look-up waits for one of the first two, and so does a file operation, since all four workers are held.
#include "truth.h"

#include <time.h>

enum { LOOK_UPS = 3, JOBS = 2 };
static uv_getaddrinfo_t look_ups[LOOK_UPS];
static uv_work_t jobs[JOBS];
static uv_fs_t status;
static uint64_t first_done_ns, submitted_ns;
static uv_mutex_t lock;

static void sleep_ms(long ms)
{
    struct timespec time = {.tv_nsec = ms * 1000000};
    nanosleep(&time, NULL);
}

// Instead of the C library's: no name server is asked.
__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints, struct addrinfo **found)
{
    (void)node, (void)service, (void)hints, (void)found;
    sleep_ms(100);
    uv_mutex_lock(&lock);
    first_done_ns = first_done_ns ? first_done_ns : uv_hrtime();
    uv_mutex_unlock(&lock);
    return EAI_NONAME;
}

static void on_looked_up(uv_getaddrinfo_t *request, int result, struct addrinfo *found)
{
    (void)request, (void)result, (void)found;
}

static void slow_work(uv_work_t *job)
{
    (void)job;
    sleep_ms(200);
}

static void after_work(uv_work_t *job, int result)
{
    (void)job;
    MUST(result);
}

static void on_status(uv_fs_t *request)
{
    MUST((int)request->result);
    uv_fs_req_cleanup(request);
}

// By now every worker is held: whoever came first does not depend on how fast they woke up.
static void on_timer(uv_timer_t *timer)
{
    submitted_ns = uv_hrtime();
    MUST(uv_fs_stat(timer->loop, &status, "/", on_status));
    uv_close((uv_handle_t *)timer, NULL);
}

int main(void)
{
    setenv("UV_THREADPOOL_SIZE", "4", 1);
    uv_loop_t *loop = uv_default_loop();
    MUST(uv_mutex_init(&lock));
    for (int i = 0; i < JOBS; i++)
        MUST(uv_queue_work(loop, &jobs[i], slow_work, after_work));
    for (int i = 0; i < LOOK_UPS; i++)
        MUST(uv_getaddrinfo(loop, &look_ups[i], on_looked_up, "name.invalid", NULL, NULL));
    uv_timer_t timer;
    MUST(uv_timer_init(loop, &timer));
    MUST(uv_timer_start(&timer, on_timer, 20, 0));
    uv_run(loop, UV_RUN_DEFAULT);
    unsigned long long wait_ns = first_done_ns - submitted_ns;
    truth_fact("blame.victims what=request kind=fs.stat count 1");
    truth_fact("blame.victims what=request kind=fs.stat suffered_ns >=%llu", wait_ns - TRUTH_MS);
    truth_fact("blame.victims what=request kind=fs.stat by.0.what request");
    truth_fact("blame.victims what=request kind=getaddrinfo suffered_ns >=%llu", wait_ns - TRUTH_MS);
    truth_fact("blame.victims what=request kind=getaddrinfo by.0.kind getaddrinfo");
    truth_fact("blame.victims what=request kind=getaddrinfo by.0.ns >=%llu", wait_ns / 2);
    truth_fact("findings id=dns-starves-fs severity warning");
    truth_fact("findings id=dns-starves-fs value_ns >=%llu", wait_ns / 4);
    truth_fact("pool size 4");
    uv_mutex_destroy(&lock);
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
