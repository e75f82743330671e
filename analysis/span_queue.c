// SPDX-License-Identifier: MIT
// A ring of batches. Parts, frames and totals are copied into blocks that belong to the batch and stay where
// they are, so spans can point at them.
#include "span_queue.h"

#include "ring.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// A test of what the threads share wants them to run side by side all the time.
#ifndef UVS_BATCH_SPANS
#define UVS_BATCH_SPANS 512
#endif
// So many processors have time for two threads beside those that decode and build.
#ifndef UVS_PROCESSORS_FOR_TWO
#define UVS_PROCESSORS_FOR_TWO 4
#endif

// Alone it takes two: one is filled when the other was just taken.
enum {
    BATCHES = 16,
    BATCHES_ALONE = 2,
    BATCH_SPANS = UVS_BATCH_SPANS,
    BLOCK_BYTES = 1 << 14,
    NO_MEMORY = -UVS_E_ENVIRONMENT
};
_Static_assert((int)UVS__SPAN_TAKERS <= (int)UVS__RING_CONSUMERS, "each taker is a consumer");

struct block {
    struct block *next;
    size_t size;
    max_align_t bytes[];
};

struct batch {
    struct uvs__span items[BATCH_SPANS];
    size_t count;
    struct block *blocks, *block; // all; the one that is being filled
    size_t used;                  // of it
};

struct uvs__span_queue {
    struct uvs__span_room *room, own_room; // where the batch is filled
    uvs__span_take *take;
    void *data;
    size_t thread_count; // 0: the builder's is the only one
    // The first takers have no thread: each is whoever's is idle and locks it.
    size_t shared_count;
    pthread_mutex_t shared[UVS__SPAN_TAKERS];
    struct thread {
        struct uvs__span_queue *queue;
        size_t taker;
        pthread_t thread;
    } threads[UVS__SPAN_TAKERS];
    struct uvs__ring ring;
    _Atomic int result;  // of the takers
    struct batch *batch; // the one that is filled; NULL: none
    struct batch batches[BATCHES];
};

// --- What spans borrow ---

static struct block *add_block(struct batch *batch, size_t size)
{
    const size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;
    struct block *block = malloc(sizeof(*block) + room);
    if (!block)
        return NULL;
    *block = (struct block){.size = room};
    struct block **link = batch->block ? &batch->block->next : &batch->blocks;
    block->next = *link;
    *link = block;
    return block;
}

// Room in the batch until its spans were taken. NULL without memory.
static inline void *take_room(struct batch *batch, size_t size)
{
    const size_t aligned = (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
    if (!batch->block || batch->block->size - batch->used < aligned) {
        struct block *next = batch->block ? batch->block->next : batch->blocks;
        batch->block = next && next->size >= aligned ? next : add_block(batch, aligned);
        batch->used = 0;
    }
    if (!batch->block)
        return NULL;
    void *room = (char *)batch->block->bytes + batch->used;
    batch->used += aligned;
    return room;
}

static const void *copy(struct batch *batch, const void *from, size_t size)
{
    void *to = take_room(batch, size);
    if (to && size)
        memcpy(to, from, size);
    return to;
}

static void copy_parts(struct uvs__parts *to, struct uvs__part *items, const struct uvs__parts *from)
{
    to->items = items;
    to->count = from->count;
    for (size_t i = 0; i < from->count; i++) // mostly few: no call
        items[i] = from->items[i];
}

struct owned_busy {
    struct uvs__busy_times times;
    struct uvs__parts callbacks, sync_calls;
    struct uvs__part items[];
};

static bool own_busy(struct batch *batch, struct uvs__span *span)
{
    const struct uvs__parts *callbacks = span->busy.callbacks, *calls = span->busy.sync_calls;
    const size_t count = callbacks->count + calls->count;
    struct owned_busy *to = take_room(batch, sizeof(*to) + count * sizeof(*to->items));
    if (!to)
        return false;
    to->times = *span->busy.times;
    copy_parts(&to->callbacks, to->items, callbacks);
    copy_parts(&to->sync_calls, to->items + callbacks->count, calls);
    span->busy.times = &to->times;
    span->busy.callbacks = &to->callbacks;
    span->busy.sync_calls = &to->sync_calls;
    return true;
}

static const struct uvs_ev_totals *copy_totals(struct batch *batch, const struct uvs_ev_totals *from)
{
    struct uvs_ev_totals *to = take_room(batch, sizeof(*to));
    if (!to)
        return NULL;
    *to = *from;
    to->buckets = copy(batch, from->buckets, from->buckets_count * sizeof(*from->buckets));
    return to->buckets ? to : NULL;
}

// false without memory.
static bool own(struct batch *batch, struct uvs__span *span)
{
    switch (span->type) {
    case UVS__SPAN_BUSY:
        return own_busy(batch, span);
    case UVS__SPAN_STALL:
        span->stall.frames = copy(batch, span->stall.frames,
                                  span->stall.frame_count * sizeof(*span->stall.frames));
        return span->stall.frames;
    case UVS__SPAN_TOTALS:
        span->totals = copy_totals(batch, span->totals);
        return span->totals;
    case UVS__SPAN_OPEN_HANDLES:
        span->open_handles = copy(batch, span->open_handles, sizeof(*span->open_handles));
        return span->open_handles;
    default:
        return true;
    }
}

// --- The analyses ---

// Each taker is a consumer of the ring, or, where there is no thread, one has them all.
static void take_batch(struct uvs__span_queue *queue, size_t consumer, size_t place)
{
    const struct batch *batch = &queue->batches[place];
    int rc = 0, none = 0;
    for (size_t i = consumer; i < UVS__SPAN_TAKERS && !rc; i += queue->ring.consumers)
        rc = queue->take(queue->data, i, batch->items, batch->count);
    if (rc)
        atomic_compare_exchange_strong(&queue->result, &none, rc);
    uvs__ring_give_empty(&queue->ring, consumer);
    if (rc)
        uvs__ring_stop(&queue->ring, consumer);
}

static bool try_batch(struct uvs__span_queue *queue, size_t consumer)
{
    const size_t place = uvs__ring_try_full(&queue->ring, consumer);
    if (place != UVS__RING_NONE)
        take_batch(queue, consumer, place);
    return place != UVS__RING_NONE;
}

static bool try_taker(struct uvs__span_queue *queue, size_t taker)
{
    if (pthread_mutex_trylock(&queue->shared[taker]))
        return false;
    const bool any = try_batch(queue, taker);
    pthread_mutex_unlock(&queue->shared[taker]);
    return any;
}

// A batch for a taker that no thread has. False: there is none, or other threads are at it, which go on
// until there is none before they wait for anything. The builder's thread begins at the other end, so that
// what a taker works with mostly stays in one processor's cache.
static bool try_shared(struct uvs__span_queue *queue, bool is_builder)
{
    for (size_t i = 0; i < queue->shared_count; i++)
        if (try_taker(queue, is_builder ? i : queue->shared_count - 1 - i))
            return true;
    return false;
}

// The thread wants no more, for its taker, and for those that no thread has, when nobody is at them.
static void stop(struct uvs__span_queue *queue, size_t taker)
{
    uvs__ring_stop(&queue->ring, taker);
    for (size_t i = 0; i < queue->shared_count; i++) {
        pthread_mutex_lock(&queue->shared[i]);
        uvs__ring_stop(&queue->ring, i);
        pthread_mutex_unlock(&queue->shared[i]);
    }
}

static void *run(void *data)
{
    const struct thread *thread = data;
    struct uvs__span_queue *queue = thread->queue;
    size_t place = 0;
    while (place != UVS__RING_NONE) {
        if (try_batch(queue, thread->taker) || try_shared(queue, false))
            continue;
        place = uvs__ring_take_full(&queue->ring, thread->taker);
        if (place != UVS__RING_NONE)
            take_batch(queue, thread->taker, place);
    }
    // At the end of all spans it is nobody else's end.
    if (atomic_load(&queue->result))
        stop(queue, thread->taker);
    return NULL;
}

// --- The builder's ---

static void begin_batch(struct uvs__span_queue *queue)
{
    while (uvs__ring_is_full(&queue->ring) && try_shared(queue, true))
        ;
    const size_t place = uvs__ring_take_empty(&queue->ring);
    if (place == UVS__RING_NONE)
        return;
    struct batch *batch = queue->batch = &queue->batches[place];
    batch->used = 0;
    batch->block = NULL;
    queue->room->next = batch->items;
    queue->room->last = &batch->items[BATCH_SPANS - 1];
}

static void hand_on(struct uvs__span_queue *queue)
{
    if (!queue->batch)
        return;
    queue->batch->count = (size_t)(queue->room->next - queue->batch->items);
    queue->batch = NULL;
    uvs__span_room_close(queue->room);
    uvs__ring_give_full(&queue->ring);
    if (!queue->thread_count)
        try_batch(queue, 0);
}

// A batch that was handed on meanwhile is not filled again before all others were, so a span at its end is
// still there to be copied.
int uvs__span_queue_add(struct uvs__span_queue *queue, const struct uvs__span *span, bool counts)
{
    if (!queue->batch)
        begin_batch(queue);
    if (!queue->batch)
        return atomic_load(&queue->result);
    struct uvs__span *at = queue->room->next++;
    if (span != at)
        *at = *span;
    at->counts = counts;
    if (!own(queue->batch, at)) {
        queue->room->next--; // nobody is given half a span
        return NO_MEMORY;
    }
    if (at == queue->room->last) {
        hand_on(queue);
        begin_batch(queue);
    }
    return 0;
}

void uvs__span_queue_settle(struct uvs__span_queue *queue)
{
    hand_on(queue);
    while (try_shared(queue, true))
        ;
    uvs__ring_settle(&queue->ring);
}

static void end_threads(struct uvs__span_queue *queue, size_t count)
{
    uvs__ring_close(&queue->ring);
    while (count > 0)
        pthread_join(queue->threads[--count].thread, NULL);
}

// false: not all can be started, so none is.
static bool start_threads(struct uvs__span_queue *queue, size_t count)
{
    size_t started = 0;
    uvs__ring_create(&queue->ring, BATCHES, UVS__SPAN_TAKERS);
    queue->thread_count = count;
    queue->shared_count = UVS__SPAN_TAKERS - count;
    for (; started < count; started++) {
        struct thread *thread = &queue->threads[started];
        *thread = (struct thread){.queue = queue, .taker = queue->shared_count + started};
        if (uvs__ring_start_thread(&thread->thread, run, thread))
            break;
    }
    if (started == count)
        return true;
    end_threads(queue, started);
    queue->thread_count = queue->shared_count = 0;
    uvs__ring_destroy(&queue->ring);
    return false;
}

struct uvs__span_queue *uvs__span_queue_create(size_t threads, struct uvs__span_room *room,
                                               uvs__span_take *take, void *data)
{
    struct uvs__span_queue *queue = calloc(1, sizeof(*queue));
    if (!queue)
        return NULL;
    queue->room = room ? room : &queue->own_room;
    uvs__span_room_close(queue->room);
    queue->take = take;
    queue->data = data;
    for (size_t i = 0; i < UVS__SPAN_TAKERS; i++)
        pthread_mutex_init(&queue->shared[i], NULL);
    if (threads == 0 || !start_threads(queue, threads))
        uvs__ring_create(&queue->ring, BATCHES_ALONE, 1);
    return queue;
}

struct uvs__span_queue *uvs__span_queue(struct uvs__span_room *room, uvs__span_take *take, void *data)
{
    const int processors = uvs__ring_processors();
    const size_t threads = processors >= UVS_PROCESSORS_FOR_TWO ? 2 : processors >= 2;
    return uvs__span_queue_create(threads, room, take, data);
}

int uvs__span_queue_destroy(struct uvs__span_queue *queue)
{
    if (!queue)
        return 0;
    hand_on(queue);
    while (try_shared(queue, true))
        ;
    end_threads(queue, queue->thread_count);
    const int result = queue->result;
    for (size_t i = 0; i < BATCHES; i++)
        for (struct block *block = queue->batches[i].blocks, *next; block; block = next) {
            next = block->next;
            free(block);
        }
    for (size_t i = 0; i < UVS__SPAN_TAKERS; i++)
        pthread_mutex_destroy(&queue->shared[i]);
    uvs__ring_destroy(&queue->ring);
    free(queue);
    return result;
}
