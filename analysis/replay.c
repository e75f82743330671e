// SPDX-License-Identifier: MIT
// libuv keeps one queue for all requests, first in, first out. Slow I/O waits in a queue of its own, and one
// token in the first queue stands for all of it: a worker that meets the token while too much slow I/O runs
// puts it back at the end.
#include "replay.h"

#include "error.h"
#include "saturate.h"

#include <stdlib.h>

enum { NOTHING = UINT32_MAX };

// A list of jobs by index; `next` is shared, since a job is in one list at a time.
struct queue {
    uint32_t first, last;
};

struct running {
    uint64_t end_ns;
    bool slow;
};

struct pool {
    const struct uvs__job *jobs;
    uint32_t token; // the index behind the last job
    uint32_t *next;
    struct queue queue, slow_queue;
    struct running *heap; // earliest end first
    uint32_t threads, running, slow_running;
};

static void append(struct pool *pool, struct queue *queue, uint32_t index)
{
    pool->next[index] = NOTHING;
    if (queue->first == NOTHING)
        queue->first = index;
    else
        pool->next[queue->last] = index;
    queue->last = index;
}

static uint32_t take_first(const struct pool *pool, struct queue *queue)
{
    uint32_t index = queue->first;
    if (index != NOTHING)
        queue->first = pool->next[index];
    return index;
}

static void submit(struct pool *pool, uint32_t index)
{
    bool is_token_queued = pool->slow_queue.first != NOTHING;
    if (!pool->jobs[index].slow) {
        append(pool, &pool->queue, index);
        return;
    }
    append(pool, &pool->slow_queue, index);
    if (!is_token_queued)
        append(pool, &pool->queue, pool->token);
}

// What an idle worker would take now.
static uint32_t take(struct pool *pool)
{
    bool capped = pool->slow_running >= (pool->threads + 1) / 2;
    for (;;) {
        if (capped && pool->queue.first == pool->token && pool->next[pool->token] == NOTHING)
            return NOTHING;
        uint32_t index = take_first(pool, &pool->queue);
        if (index != pool->token)
            return index;
        if (capped) {
            append(pool, &pool->queue, pool->token);
            continue;
        }
        index = take_first(pool, &pool->slow_queue);
        if (pool->slow_queue.first != NOTHING)
            append(pool, &pool->queue, pool->token);
        return index;
    }
}

static void swap(struct running *a, struct running *b)
{
    struct running kept = *a;
    *a = *b;
    *b = kept;
}

static void start(struct pool *pool, uint32_t index, uint64_t now_ns)
{
    struct running *heap = pool->heap;
    uint32_t at = pool->running++;
    heap[at] = (struct running){uvs__add(now_ns, pool->jobs[index].service_ns), pool->jobs[index].slow};
    pool->slow_running += pool->jobs[index].slow;
    for (uint32_t parent; at > 0 && heap[at].end_ns < heap[parent = (at - 1) / 2].end_ns; at = parent)
        swap(&heap[at], &heap[parent]);
}

static void end_first(struct pool *pool)
{
    struct running *heap = pool->heap;
    pool->slow_running -= heap[0].slow;
    heap[0] = heap[--pool->running];
    for (uint32_t at = 0, child; (child = 2 * at + 1) < pool->running; at = child) {
        child += child + 1 < pool->running && heap[child + 1].end_ns < heap[child].end_ns;
        if (heap[child].end_ns >= heap[at].end_ns)
            break;
        swap(&heap[at], &heap[child]);
    }
}

static int start_what_can(struct pool *pool, uint64_t now_ns, struct uvs_hist *waits)
{
    uint32_t index;
    int rc = 0;
    while (pool->running < pool->threads && !rc && (index = take(pool)) != NOTHING) {
        if (!pool->jobs[index].is_stuck)
            rc = uvs_hist_add(waits, now_ns - pool->jobs[index].submit_ns);
        start(pool, index, now_ns);
    }
    return rc;
}

static int run(struct pool *pool, struct uvs_hist *waits)
{
    int rc = 0;
    for (uint32_t submitted = 0; !rc && (submitted < pool->token || pool->queue.first != NOTHING);) {
        bool is_end = pool->running &&
                      (submitted == pool->token || pool->heap[0].end_ns <= pool->jobs[submitted].submit_ns);
        uint64_t now_ns = is_end ? pool->heap[0].end_ns : pool->jobs[submitted].submit_ns;
        if (is_end)
            end_first(pool);
        else
            submit(pool, submitted++);
        rc = start_what_can(pool, now_ns, waits);
    }
    return rc;
}

int uvs__replay(const struct uvs__job *jobs, size_t count, uint32_t threads, struct uvs_hist *waits)
{
    struct pool pool = {.jobs = jobs,
                        .token = (uint32_t)count,
                        .next = calloc(count + 1, sizeof(*pool.next)),
                        .queue = {NOTHING, NOTHING},
                        .slow_queue = {NOTHING, NOTHING},
                        .heap = calloc(threads, sizeof(*pool.heap)),
                        .threads = threads};
    int rc = pool.next && pool.heap ? run(&pool, waits) : -UVS_E_ENVIRONMENT;
    free(pool.next);
    free(pool.heap);
    return rc;
}
