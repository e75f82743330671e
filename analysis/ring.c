// SPDX-License-Identifier: MIT
// The lock guards how many places are full; they change hands only under it. A producer that has to wait is
// woken when half of the ring is empty again, so that the threads do not wake each other for each place; one
// that is slower than the consumers hands on each place at once.
#include "ring.h"

#include <sched.h>
#include <signal.h>
#include <stdint.h>

void uvs__ring_create(struct uvs__ring *ring, size_t places, size_t consumers)
{
    *ring = (struct uvs__ring){.places = places, .consumers = consumers};
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

static bool has_stopped(const struct uvs__ring *ring)
{
    bool stopped = false;
    for (size_t i = 0; i < ring->consumers; i++)
        stopped |= ring->is_stopped[i];
    return stopped;
}

// Places that are not empty again for all consumers that are still there.
static size_t full(const struct uvs__ring *ring)
{
    size_t most = 0;
    for (size_t i = 0; i < ring->consumers; i++)
        if (!ring->is_stopped[i] && ring->given - ring->taken[i] > most)
            most = ring->given - ring->taken[i];
    return most;
}

static void wait_until(struct uvs__ring *ring, size_t most_full)
{
    ring->wake_at = most_full;
    ring->is_producer_waiting = true;
    while (full(ring) > most_full)
        pthread_cond_wait(&ring->emptied, &ring->lock);
    ring->is_producer_waiting = false;
}

bool uvs__ring_is_full(struct uvs__ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    const bool is_full = full(ring) == ring->places;
    pthread_mutex_unlock(&ring->lock);
    return is_full;
}

size_t uvs__ring_take_empty(struct uvs__ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    if (full(ring) == ring->places)
        wait_until(ring, ring->places / 2);
    const size_t place = has_stopped(ring) ? UVS__RING_NONE : ring->given % ring->places;
    pthread_mutex_unlock(&ring->lock);
    return place;
}

void uvs__ring_give_full(struct uvs__ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    ring->given++;
    const bool wake = ring->waiting > 0;
    pthread_mutex_unlock(&ring->lock);
    if (wake)
        pthread_cond_broadcast(&ring->filled);
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
    pthread_cond_broadcast(&ring->filled);
}

// Under the lock.
static size_t next_full(const struct uvs__ring *ring, size_t consumer)
{
    const bool any = ring->given != ring->taken[consumer] && !has_stopped(ring);
    return any ? ring->taken[consumer] % ring->places : UVS__RING_NONE;
}

size_t uvs__ring_try_full(struct uvs__ring *ring, size_t consumer)
{
    pthread_mutex_lock(&ring->lock);
    const size_t place = next_full(ring, consumer);
    pthread_mutex_unlock(&ring->lock);
    return place;
}

size_t uvs__ring_take_full(struct uvs__ring *ring, size_t consumer)
{
    pthread_mutex_lock(&ring->lock);
    ring->waiting++;
    while (ring->given == ring->taken[consumer] && !ring->is_closed && !has_stopped(ring))
        pthread_cond_wait(&ring->filled, &ring->lock);
    ring->waiting--;
    const size_t place = next_full(ring, consumer);
    pthread_mutex_unlock(&ring->lock);
    return place;
}

// Under the lock.
static bool is_producer_to_wake(const struct uvs__ring *ring)
{
    return ring->is_producer_waiting && full(ring) <= ring->wake_at;
}

void uvs__ring_give_empty(struct uvs__ring *ring, size_t consumer)
{
    pthread_mutex_lock(&ring->lock);
    ring->taken[consumer]++;
    const bool wake = is_producer_to_wake(ring);
    pthread_mutex_unlock(&ring->lock);
    if (wake)
        pthread_cond_signal(&ring->emptied);
}

void uvs__ring_stop(struct uvs__ring *ring, size_t consumer)
{
    pthread_mutex_lock(&ring->lock);
    ring->is_stopped[consumer] = true;
    const bool wake = is_producer_to_wake(ring);
    pthread_mutex_unlock(&ring->lock);
    if (wake)
        pthread_cond_signal(&ring->emptied);
    pthread_cond_broadcast(&ring->filled);
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

int uvs__ring_processors(void)
{
    cpu_set_t processors;
    return sched_getaffinity(0, sizeof(processors), &processors) == 0 ? CPU_COUNT(&processors) : 1;
}
