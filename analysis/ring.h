// SPDX-License-Identifier: MIT
// Places that go around between two threads: the producer fills the one behind the last, the consumer empties
// the first. Only their numbers are handed over; what lies at a place is its holder's alone.
#ifndef UVS_RING_H
#define UVS_RING_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct uvs__ring {
    pthread_mutex_t lock; // guards all below
    pthread_cond_t filled, emptied;
    size_t places, full, first;
    size_t wake_at; // the producer waits until no more are full
    bool is_producer_waiting, is_stopped, is_closed;
};

#define UVS__RING_NONE SIZE_MAX

// Without its threads.
void uvs__ring_create(struct uvs__ring *ring, size_t places);
void uvs__ring_destroy(struct uvs__ring *ring);

// --- The producer ---

// The place to fill next, waited for; NONE: the consumer has stopped.
size_t uvs__ring_take_empty(struct uvs__ring *ring);
void uvs__ring_give_full(struct uvs__ring *ring);
// Returns when the consumer has given back all that it was given, or has stopped.
void uvs__ring_settle(struct uvs__ring *ring);
// No more will come.
void uvs__ring_close(struct uvs__ring *ring);

// --- The consumer ---

// The place to empty next, waited for; NONE: all is empty and the ring is closed.
size_t uvs__ring_take_full(struct uvs__ring *ring);
void uvs__ring_give_empty(struct uvs__ring *ring);
// No more are wanted.
void uvs__ring_stop(struct uvs__ring *ring);

// A thread that leaves signals to the others. 0, or an error number.
int uvs__ring_start_thread(pthread_t *ret_thread, void *(*run)(void *), void *data);
// Whether a second thread could run at the same time.
bool uvs__ring_has_processors(void);

#endif
