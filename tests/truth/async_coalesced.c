// SPDX-License-Identifier: MIT
// Ten uv_async_send from another thread to a loop that is busy for 100 ms: one callback, late since the first
// send.
#include "truth.h"

enum { SENDS = 10 };
static uv_async_t async;
static uv_timer_t slow;
static uv_sem_t busy;
static uint64_t first_send_ns;
static struct truth_times delay;

static void send_all(void *unused)
{
    (void)unused;
    uv_sem_wait(&busy);
    first_send_ns = uv_hrtime();
    for (int i = 0; i < SENDS; i++)
        MUST(uv_async_send(&async));
}

static void on_async(uv_async_t *handle)
{
    truth_add(&delay, uv_hrtime() - first_send_ns);
    uv_close((uv_handle_t *)handle, NULL);
}

static void on_slow(uv_timer_t *timer)
{
    uv_sem_post(&busy);
    truth_busy(100);
    uv_close((uv_handle_t *)timer, NULL);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    uv_thread_t sender;
    MUST(uv_sem_init(&busy, 0));
    MUST(uv_async_init(loop, &async, on_async));
    MUST(uv_timer_init(loop, &slow));
    MUST(uv_timer_start(&slow, on_slow, 1, 0));
    MUST(uv_thread_create(&sender, send_all, NULL));
    uv_run(loop, UV_RUN_DEFAULT);
    MUST(uv_thread_join(&sender));
    truth_fact_times("callbacks kind=async site=on_async delay", &delay);
    truth_fact("callbacks kind=async site=on_async delay.max_ns >=%llu", 50 * TRUTH_MS);
    truth_fact("events callback kind=5 result %d", SENDS); // 5: async
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
