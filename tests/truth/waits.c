// SPDX-License-Identifier: MIT
// A callback that waits by every means libuv offers; threads that hold no loop wait unseen.
#include "truth.h"

#include <unistd.h>

static uv_sem_t semaphore;
static uv_mutex_t mutex, cond_mutex;
static uv_cond_t cond;
static uv_barrier_t barrier;
static struct truth_times sleep_times, sem_times, mutex_times, barrier_times, join_times, cond_times;

static void helper(void *unused)
{
    (void)unused;
    uv_mutex_lock(&mutex);
    uv_sem_post(&semaphore); // the loop goes on to lock the mutex, which this thread holds
    uv_sleep(30);
    uv_mutex_unlock(&mutex);
    uv_sleep(30);
    uv_barrier_wait(&barrier);
    uv_sleep(30);
}

#define TIMED(times, call)                         \
    do {                                           \
        uint64_t begin_ns = uv_hrtime();           \
        call;                                      \
        truth_add(&times, uv_hrtime() - begin_ns); \
    } while (0)

static void on_timer(uv_timer_t *timer)
{
    uv_thread_t thread;
    MUST(uv_thread_create(&thread, helper, NULL));
    TIMED(sem_times, uv_sem_wait(&semaphore));
    TIMED(mutex_times, uv_mutex_lock(&mutex));
    uv_mutex_unlock(&mutex);
    TIMED(barrier_times, uv_barrier_wait(&barrier));
    TIMED(join_times, MUST(uv_thread_join(&thread)));
    TIMED(sleep_times, uv_sleep(30));
    uv_mutex_lock(&cond_mutex);
    TIMED(cond_times, uv_cond_timedwait(&cond, &cond_mutex, 30 * TRUTH_MS));
    uv_mutex_unlock(&cond_mutex);
    uv_close((uv_handle_t *)timer, NULL);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    uv_timer_t timer;
    MUST(uv_sem_init(&semaphore, 0));
    MUST(uv_mutex_init(&mutex));
    MUST(uv_mutex_init(&cond_mutex));
    MUST(uv_cond_init(&cond));
    MUST(uv_barrier_init(&barrier, 2));
    MUST(uv_timer_init(loop, &timer));
    MUST(uv_timer_start(&timer, on_timer, 0, 0));
    uv_run(loop, UV_RUN_DEFAULT);
    truth_fact_times("sync_calls kind=sleep site=on_timer duration", &sleep_times);
    truth_fact_times("sync_calls kind=mutex_lock site=on_timer duration", &mutex_times);
    truth_fact_times("sync_calls kind=barrier_wait site=on_timer duration", &barrier_times);
    truth_fact_times("sync_calls kind=thread_join site=on_timer duration", &join_times);
    truth_fact_times("sync_calls kind=cond_wait site=on_timer duration", &cond_times);
    truth_fact("loops blocked.worst.0.class sync_call");
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
