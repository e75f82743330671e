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
void uvs__workers_pass(struct uvs__workers *workers, uint32_t size, uint64_t time_ns);
// One of the changes of an instant, which all count before its state does: a request that is taken at once
// never waited.
void uvs__workers_change(struct uvs__workers *workers, enum uvs__change_type type);
// There are no more of them.
void uvs__workers_settle(struct uvs__workers *workers, uint32_t size, uint64_t time_ns);

#endif
