// SPDX-License-Identifier: MIT
// How many of a pool's workers ran and how many requests waited, at every instant. Requests are told when
// they finish, so an instant is settled only when no request of before can be told any more.
#ifndef UVS_WORKERS_H
#define UVS_WORKERS_H

#include "agenda.h"

// Zero-initialise to create.
struct uvs__workers {
    struct uvs__agenda agenda; // what is not settled yet
    uint64_t settled_ns;       // up to here, exclusive
    int64_t running, waiting, stuck_waiting;
    uint64_t saturated_ns, max_waiting;
};

int uvs__workers_add(struct uvs__workers *workers, uint64_t submit_ns, uint64_t begin_ns, uint64_t end_ns);
// A request that runs from about submit_ns on and finishes much later: released when it does, or never.
int uvs__workers_hold(struct uvs__workers *workers, uint64_t submit_ns);
int uvs__workers_release(struct uvs__workers *workers, uint64_t end_ns);
// A request that never finishes: a worker takes it when one is free, in the order of submission.
int uvs__workers_add_stuck(struct uvs__workers *workers, uint64_t submit_ns);
// size: the pool's; 0 = unknown, then it is never saturated.
void uvs__workers_settle(struct uvs__workers *workers, uint32_t size, uint64_t until_ns);
void uvs__workers_finish(struct uvs__workers *workers, uint32_t size, uint64_t end_ns);
void uvs__workers_clear(struct uvs__workers *workers);

#endif
