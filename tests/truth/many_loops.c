// SPDX-License-Identifier: MIT
// Threads make and close loops as fast as they can: each live loop has the runtime's slot for itself. Then a
// loop runs, and is told apart.
#include "truth.h"

enum { THREADS = 4, LOOPS = 20000 };

static struct truth_times times;
static uv_timer_t timer;

// Where the runtime keeps a loop's slot, which begins with the loop.
static void check_slot(const uv_loop_t *loop)
{
    uv_loop_t *const *slot = loop->wq_async.u.reserved[1];
    if (*slot != loop) {
        fprintf(stderr, "a loop has another one's slot\n");
        exit(97);
    }
}

static void make_loops(void *unused)
{
    (void)unused;
    for (int i = 0; i < LOOPS; i++) {
        uv_loop_t loop;
        MUST(uv_loop_init(&loop));
        check_slot(&loop);
        MUST(uv_loop_close(&loop));
    }
}

static void on_timer(uv_timer_t *handle)
{
    truth_add(&times, truth_busy(20));
    uv_close((uv_handle_t *)handle, NULL);
}

int main(void)
{
    uv_thread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        MUST(uv_thread_create(&threads[i], make_loops, NULL));
    for (int i = 0; i < THREADS; i++)
        MUST(uv_thread_join(&threads[i]));
    MUST(uv_timer_init(uv_default_loop(), &timer));
    MUST(uv_timer_start(&timer, on_timer, 0, 0));
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    truth_fact_times("callbacks kind=timer site=on_timer duration", &times);
    truth_fact("loops main=true iterations >=1");
    return uv_loop_close(uv_default_loop()) == 0 ? 0 : 98;
}
