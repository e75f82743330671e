// SPDX-License-Identifier: MIT
// What a pool's state seldom needs.
#include "workers.h"

// A worker that is free takes a request that never finishes, in the order of submission.
void uvs__workers_take_stuck(struct uvs__workers *workers, uint32_t size)
{
    while (workers->stuck_waiting > 0 && workers->running < size) {
        workers->stuck_waiting--;
        workers->waiting--;
        workers->running++;
    }
}
