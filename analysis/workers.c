// SPDX-License-Identifier: MIT
// A sweep over the changes of a pool's state, in the order of time.
#include "workers.h"

#include "error.h"
#include "map.h"

#include <stdbool.h>
#include <stdlib.h>

struct uvs__change {
    uint64_t time_ns;
    int8_t running, waiting, stuck_waiting;
};

static bool before(const struct uvs__change *a, const struct uvs__change *b)
{
    return a->time_ns < b->time_ns;
}

static void swap(struct uvs__change *a, struct uvs__change *b)
{
    struct uvs__change kept = *a;
    *a = *b;
    *b = kept;
}

static int push(struct uvs__workers *workers, struct uvs__change change)
{
    struct uvs__change *heap = uvs__grow(workers->heap, workers->count, &workers->capacity,
                                         sizeof(*workers->heap));
    if (!heap)
        return -UVS_E_ENVIRONMENT;
    workers->heap = heap;
    size_t at = workers->count++;
    heap[at] = change;
    for (size_t parent; at > 0 && before(&heap[at], &heap[parent = (at - 1) / 2]); at = parent)
        swap(&heap[at], &heap[parent]);
    return 0;
}

static struct uvs__change pop(struct uvs__workers *workers)
{
    struct uvs__change *heap = workers->heap, first = heap[0];
    heap[0] = heap[--workers->count];
    for (size_t at = 0, child; (child = 2 * at + 1) < workers->count; at = child) {
        child += child + 1 < workers->count && before(&heap[child + 1], &heap[child]);
        if (!before(&heap[child], &heap[at]))
            break;
        swap(&heap[at], &heap[child]);
    }
    return first;
}

int uvs__workers_add(struct uvs__workers *workers, uint64_t submit_ns, uint64_t begin_ns, uint64_t end_ns)
{
    int rc = push(workers, (struct uvs__change){.time_ns = submit_ns, .waiting = 1});
    if (!rc)
        rc = push(workers, (struct uvs__change){.time_ns = begin_ns, .waiting = -1, .running = 1});
    return rc ? rc : push(workers, (struct uvs__change){.time_ns = end_ns, .running = -1});
}

int uvs__workers_hold(struct uvs__workers *workers, uint64_t submit_ns)
{
    return push(workers, (struct uvs__change){.time_ns = submit_ns, .running = 1});
}

int uvs__workers_release(struct uvs__workers *workers, uint64_t end_ns)
{
    return push(workers, (struct uvs__change){.time_ns = end_ns, .running = -1});
}

int uvs__workers_add_stuck(struct uvs__workers *workers, uint64_t submit_ns)
{
    return push(workers, (struct uvs__change){.time_ns = submit_ns, .waiting = 1, .stuck_waiting = 1});
}

static void pass_until(struct uvs__workers *workers, uint32_t size, uint64_t time_ns)
{
    if (time_ns <= workers->settled_ns)
        return;
    if (size && workers->running >= size && workers->waiting > 0)
        workers->saturated_ns += time_ns - workers->settled_ns;
    workers->settled_ns = time_ns;
}

static void take_stuck(struct uvs__workers *workers, uint32_t size)
{
    while (workers->stuck_waiting > 0 && workers->running < size) {
        workers->stuck_waiting--;
        workers->waiting--;
        workers->running++;
    }
}

// All changes of one instant count before its state does: a request that is taken at once never waited.
static void pass_instant(struct uvs__workers *workers, uint32_t size)
{
    uint64_t time_ns = workers->heap[0].time_ns;
    pass_until(workers, size, time_ns);
    while (workers->count && workers->heap[0].time_ns == time_ns) {
        struct uvs__change change = pop(workers);
        workers->running += change.running;
        workers->waiting += change.waiting;
        workers->stuck_waiting += change.stuck_waiting;
    }
    take_stuck(workers, size);
    // Without the size, nobody knows which of those that never ended were waiting.
    const int64_t waiting = workers->waiting - (size ? 0 : workers->stuck_waiting);
    // One that comes late is not counted with what came after it.
    if (waiting > 0 && time_ns >= workers->settled_ns && (uint64_t)waiting > workers->max_waiting)
        workers->max_waiting = (uint64_t)waiting;
}

void uvs__workers_settle(struct uvs__workers *workers, uint32_t size, uint64_t until_ns)
{
    while (workers->count && workers->heap[0].time_ns < until_ns)
        pass_instant(workers, size);
}

void uvs__workers_finish(struct uvs__workers *workers, uint32_t size, uint64_t end_ns)
{
    while (workers->count)
        pass_instant(workers, size);
    pass_until(workers, size, end_ns);
}

void uvs__workers_clear(struct uvs__workers *workers)
{
    free(workers->heap);
    *workers = (struct uvs__workers){0};
}
