// SPDX-License-Identifier: MIT
// Counting over the changes of a pool's state.
#include "workers.h"

// What a change does to the numbers of requests.
static const struct {
    int8_t running, waiting, stuck_waiting;
} changes[UVS__CHANGES] = {
    [UVS__BEGIN] = {1, -1, 0}, [UVS__HOLD] = {1, 0, 0},         [UVS__END] = {-1, 0, 0},
    [UVS__SUBMIT] = {0, 1, 0}, [UVS__SUBMIT_STUCK] = {0, 1, 1},
};

void uvs__workers_pass(struct uvs__workers *workers, uint32_t size, uint64_t time_ns)
{
    if (time_ns <= workers->settled_ns)
        return;
    if (size && workers->running >= size && workers->waiting > 0)
        workers->saturated_ns += time_ns - workers->settled_ns;
    workers->settled_ns = time_ns;
}

void uvs__workers_change(struct uvs__workers *workers, enum uvs__change_type type)
{
    workers->running += changes[type].running;
    workers->waiting += changes[type].waiting;
    workers->stuck_waiting += changes[type].stuck_waiting;
}

// A worker that is free takes a request that never finishes, in the order of submission.
static void take_stuck(struct uvs__workers *workers, uint32_t size)
{
    while (workers->stuck_waiting > 0 && workers->running < size) {
        workers->stuck_waiting--;
        workers->waiting--;
        workers->running++;
    }
}

void uvs__workers_settle(struct uvs__workers *workers, uint32_t size, uint64_t time_ns)
{
    take_stuck(workers, size);
    // Without the size, nobody knows which of those that never ended were waiting.
    const int64_t waiting = workers->waiting - (size ? 0 : workers->stuck_waiting);
    // One that comes late is not counted with what came after it.
    if (waiting > 0 && time_ns >= workers->settled_ns && (uint64_t)waiting > workers->max_waiting)
        workers->max_waiting = (uint64_t)waiting;
}
