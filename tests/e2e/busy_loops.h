// SPDX-License-Identifier: MIT
// Loops that do nothing but callbacks, each on a thread of its own, until the process is no more.
#ifndef UVS_TEST_BUSY_LOOPS_H
#define UVS_TEST_BUSY_LOOPS_H

#include <pthread.h>
#include <uv.h>

static uv_sem_t seen_enough;

static void on_busy_idle(uv_idle_t *idle)
{
    static _Thread_local int calls;
    (void)idle;
    if (++calls == 1000)
        uv_sem_post(&seen_enough);
}

static void *spin(void *unused)
{
    uv_loop_t loop;
    uv_idle_t idle;
    uv_loop_init(&loop);
    uv_idle_init(&loop, &idle);
    uv_idle_start(&idle, on_busy_idle);
    uv_run(&loop, UV_RUN_DEFAULT);
    return unused;
}

// Returns once each of the three is at it.
static inline void spin_beside(void)
{
    pthread_t thread;
    uv_sem_init(&seen_enough, 0);
    for (int i = 0; i < 3; i++)
        pthread_create(&thread, NULL, spin, NULL);
    for (int i = 0; i < 3; i++)
        uv_sem_wait(&seen_enough);
}

#endif
