// SPDX-License-Identifier: MIT
// How many of a pool's workers ran and how many requests waited, at every instant: what an agenda's changes
// add up to. They are told in the order of time.
#ifndef UVS_WORKERS_H
#define UVS_WORKERS_H

#include "agenda.h"

// Zero-initialise to create.
struct uvs__workers {
    uint64_t settled_ns; // up to here, exclusive
    int64_t running, waiting, stuck_waiting;
    uint64_t saturated_ns, max_waiting;
};

// Nothing changed until then. size: the pool's; 0 = unknown, then it is never saturated.
static inline void uvs__workers_pass(struct uvs__workers *workers, uint32_t size, uint64_t time_ns)
{
    if (time_ns <= workers->settled_ns)
        return;
    if (workers->waiting > 0 && size && workers->running >= size)
        workers->saturated_ns += time_ns - workers->settled_ns;
    workers->settled_ns = time_ns;
}

// One of the changes of an instant, which all count before its state does: a request that is taken at once
// never waited.
static inline void uvs__workers_change(struct uvs__workers *workers, enum uvs__change_type type)
{
    if (type == UVS__END)
        workers->running--;
    else if (type == UVS__SUBMIT)
        workers->waiting++;
    else if (type == UVS__SUBMIT_STUCK)
        workers->waiting++, workers->stuck_waiting++;
    else
        workers->running++, workers->waiting -= type == UVS__BEGIN;
}

// Those of them that never end take the workers that are free. Returns how many wait then.
int64_t uvs__workers_take_stuck(struct uvs__workers *workers, uint32_t size);

// There are no more of them.
static inline void uvs__workers_settle(struct uvs__workers *workers, uint32_t size, uint64_t time_ns)
{
    const int64_t waiting = __builtin_expect(workers->stuck_waiting > 0, 0)
                                ? uvs__workers_take_stuck(workers, size)
                                : workers->waiting;
    // One that comes late is not counted with what came after it.
    if (waiting > (int64_t)workers->max_waiting && time_ns >= workers->settled_ns)
        workers->max_waiting = (uint64_t)waiting;
}

#endif
