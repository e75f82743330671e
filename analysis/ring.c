// SPDX-License-Identifier: MIT
// The lock guards how many places are full; they change hands only under it. A producer that has to wait is
// woken when half of the ring is empty again, so that the threads do not wake each other for each place; one
// that is slower than the consumer hands on each place at once.
#include "ring.h"

#include <sched.h>
#include <signal.h>
#include <stdint.h>

void uvs__ring_create(struct uvs__ring *ring, size_t places)
{
    *ring = (struct uvs__ring){.places = places};
    pthread_mutex_init(&ring->lock, NULL);
    pthread_cond_init(&ring->filled, NULL);
    pthread_cond_init(&ring->emptied, NULL);
}

void uvs__ring_destroy(struct uvs__ring *ring)
{
    pthread_cond_destroy(&ring->filled);
    pthread_cond_destroy(&ring->emptied);
    pthread_mutex_destroy(&ring->lock);
}

static void wait_until(struct uvs__ring *ring, size_t most_full)
{
    ring->wake_at = most_full;
    ring->is_producer_waiting = true;
    while (ring->full > most_full && !ring->is_stopped)
        pthread_cond_wait(&ring->emptied, &ring->lock);
    ring->is_producer_waiting = false;
}

size_t uvs__ring_take_empty(struct uvs__ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    if (ring->full == ring->places)
        wait_until(ring, ring->places / 2);
    const size_t place = ring->is_stopped ? UVS__RING_NONE : (ring->first + ring->full) % ring->places;
    pthread_mutex_unlock(&ring->lock);
    return place;
}

void uvs__ring_give_full(struct uvs__ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    const bool was_empty = ring->full++ == 0;
    pthread_mutex_unlock(&ring->lock);
    if (was_empty)
        pthread_cond_signal(&ring->filled);
}

void uvs__ring_settle(struct uvs__ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    wait_until(ring, 0);
    pthread_mutex_unlock(&ring->lock);
}

void uvs__ring_close(struct uvs__ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    ring->is_closed = true;
    pthread_mutex_unlock(&ring->lock);
    pthread_cond_signal(&ring->filled);
}

size_t uvs__ring_take_full(struct uvs__ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    while (ring->full == 0 && !ring->is_closed)
        pthread_cond_wait(&ring->filled, &ring->lock);
    const size_t place = ring->full ? ring->first : UVS__RING_NONE;
    pthread_mutex_unlock(&ring->lock);
    return place;
}

void uvs__ring_give_empty(struct uvs__ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    ring->first = (ring->first + 1) % ring->places;
    ring->full--;
    const bool wake = ring->is_producer_waiting && ring->full <= ring->wake_at;
    pthread_mutex_unlock(&ring->lock);
    if (wake)
        pthread_cond_signal(&ring->emptied);
}

void uvs__ring_stop(struct uvs__ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    ring->is_stopped = true;
    pthread_mutex_unlock(&ring->lock);
    pthread_cond_signal(&ring->emptied);
}

// The command's signals are for the command's own thread.
int uvs__ring_start_thread(pthread_t *ret_thread, void *(*run)(void *), void *data)
{
    sigset_t all, before;
    sigfillset(&all);
    int failed = pthread_sigmask(SIG_BLOCK, &all, &before);
    if (failed)
        return failed;
    failed = pthread_create(ret_thread, NULL, run, data);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

bool uvs__ring_has_processors(void)
{
    cpu_set_t processors;
    return sched_getaffinity(0, sizeof(processors), &processors) == 0 && CPU_COUNT(&processors) >= 2;
}
