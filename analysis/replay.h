// SPDX-License-Identifier: MIT
// A thread pool by libuv's rules, given requests when they were submitted and for as long as they took: what
// they would have waited for with another number of threads.
#ifndef UVS_REPLAY_H
#define UVS_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include "hist.h"

struct uvs__job {
    uint64_t submit_ns, service_ns;
    bool slow;         // slow I/O: at most (threads + 1) / 2 of them run at once
    bool is_stuck;     // never finished: it holds a thread, but nobody knows what it waited for
    uint64_t taken_ns; // by a worker, as recorded: no part of the replay, but an order among equals
};

// jobs in the order of submission, less than UINT32_MAX of them. Adds what each would have waited for to
// *waits. 0 or -UVS_E_ENVIRONMENT.
int uvs__replay(const struct uvs__job *jobs, size_t count, uint32_t threads, struct uvs_hist *waits);

#endif
