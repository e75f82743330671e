// SPDX-License-Identifier: MIT
// What a pool's state seldom needs.
#include "workers.h"

// A worker that is free takes a request that never finishes, in the order of submission.
int64_t uvs__workers_take_stuck(struct uvs__workers *workers, uint32_t size)
{
    while (workers->stuck_waiting > 0 && workers->running < size) {
        workers->stuck_waiting--;
        workers->waiting--;
        workers->running++;
    }
    // Without the size, nobody knows which of those that never ended were waiting.
    return workers->waiting - (size ? 0 : workers->stuck_waiting);
}
