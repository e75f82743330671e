// SPDX-License-Identifier: MIT
// Places that go around between threads: the producer fills one after the other, and each consumer takes all
// of them, whatever the others have. Only their numbers are handed over. What lies at a place is the
// producer's alone, or the consumers', who leave it as it is unless there is one.
#ifndef UVS_RING_H
#define UVS_RING_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum { UVS__RING_CONSUMERS = 3 };

struct uvs__ring {
    pthread_mutex_t lock; // guards all below
    pthread_cond_t filled, emptied;
    size_t places, consumers;
    size_t given, taken[UVS__RING_CONSUMERS]; // since the begin; given back, that is
    size_t wake_at;                           // the producer waits until no more are full
    size_t waiting;                           // consumers
    bool is_producer_waiting, is_stopped[UVS__RING_CONSUMERS], is_closed;
};

#define UVS__RING_NONE SIZE_MAX

// Without its threads.
void uvs__ring_create(struct uvs__ring *ring, size_t places, size_t consumers);
void uvs__ring_destroy(struct uvs__ring *ring);

// --- The producer ---

// Whether the next place would have to be waited for.
bool uvs__ring_is_full(struct uvs__ring *ring);
// The place to fill next, waited for; NONE: a consumer has stopped.
size_t uvs__ring_take_empty(struct uvs__ring *ring);
void uvs__ring_give_full(struct uvs__ring *ring);
// Returns when each consumer has given back all that it was given, or has stopped.
void uvs__ring_settle(struct uvs__ring *ring);
// No more will come.
void uvs__ring_close(struct uvs__ring *ring);

// --- A consumer, by its number: one thread at a time ---

// The place to empty next; NONE: it would have to be waited for, or another consumer has stopped.
size_t uvs__ring_try_full(struct uvs__ring *ring, size_t consumer);

// The place to empty next, waited for; NONE: all is empty and the ring is closed, or another consumer has
// stopped.
size_t uvs__ring_take_full(struct uvs__ring *ring, size_t consumer);
void uvs__ring_give_empty(struct uvs__ring *ring, size_t consumer);
// It wants no more.
void uvs__ring_stop(struct uvs__ring *ring, size_t consumer);

// A thread that leaves signals to the others. 0, or an error number.
int uvs__ring_start_thread(pthread_t *ret_thread, void *(*run)(void *), void *data);
// How many threads could run at the same time.
int uvs__ring_processors(void);

#endif
