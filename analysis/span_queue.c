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
// So many processors have time for a thread of each taker, beside those that decode and build.
#ifndef UVS_PROCESSORS_FOR_ALL
#define UVS_PROCESSORS_FOR_ALL 4
#endif

// Alone it takes two: one is filled when the other was just taken.
enum {
    BATCHES = 16,
    BATCHES_ALONE = 2,
    BATCH_SPANS = UVS_BATCH_SPANS,
    BLOCK_BYTES = 1 << 14,
    NO_MEMORY = -UVS_E_ENVIRONMENT
};

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
    uvs__span_taker *takers[UVS__SPAN_TAKERS];
    void *data;
    size_t thread_count; // each is a consumer; 0: the builder's is the only one
    struct consumer {
        struct uvs__span_queue *queue;
        size_t number;
        pthread_t thread;
    } consumers[UVS__SPAN_TAKERS];
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

// One consumer has all takers, each of several has one. False: somebody wants no more, or none will come.
static bool take_batch(struct uvs__span_queue *queue, size_t consumer)
{
    const size_t place = uvs__ring_take_full(&queue->ring, consumer);
    if (place == UVS__RING_NONE)
        return false;
    const struct batch *batch = &queue->batches[place];
    int rc = 0, none = 0;
    for (size_t i = consumer; i < UVS__SPAN_TAKERS && !rc; i += queue->ring.consumers)
        rc = queue->takers[i](queue->data, batch->items, batch->count);
    if (rc)
        atomic_compare_exchange_strong(&queue->result, &none, rc);
    uvs__ring_give_empty(&queue->ring, consumer);
    if (rc)
        uvs__ring_stop(&queue->ring, consumer);
    return rc == 0;
}

static void *take(void *data)
{
    const struct consumer *consumer = data;
    while (take_batch(consumer->queue, consumer->number))
        ;
    // At the end of all spans it is nobody else's end.
    if (atomic_load(&consumer->queue->result))
        uvs__ring_stop(&consumer->queue->ring, consumer->number);
    return NULL;
}

// --- The builder's ---

static void begin_batch(struct uvs__span_queue *queue)
{
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
        take_batch(queue, 0);
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
    uvs__ring_settle(&queue->ring);
}

static void end_threads(struct uvs__span_queue *queue)
{
    uvs__ring_close(&queue->ring);
    while (queue->thread_count > 0)
        pthread_join(queue->consumers[--queue->thread_count].thread, NULL);
}

// false: not all can be started, so none is.
static bool start_threads(struct uvs__span_queue *queue, size_t count)
{
    uvs__ring_create(&queue->ring, BATCHES, count);
    while (queue->thread_count < count) {
        struct consumer *consumer = &queue->consumers[queue->thread_count];
        *consumer = (struct consumer){.queue = queue, .number = queue->thread_count};
        if (uvs__ring_start_thread(&consumer->thread, take, consumer))
            break;
        queue->thread_count++;
    }
    if (queue->thread_count == count)
        return true;
    end_threads(queue);
    uvs__ring_destroy(&queue->ring);
    return false;
}

struct uvs__span_queue *uvs__span_queue_create(size_t threads, struct uvs__span_room *room,
                                               uvs__span_taker *const takers[UVS__SPAN_TAKERS], void *data)
{
    struct uvs__span_queue *queue = calloc(1, sizeof(*queue));
    if (!queue)
        return NULL;
    queue->room = room ? room : &queue->own_room;
    uvs__span_room_close(queue->room);
    memcpy(queue->takers, takers, sizeof(queue->takers));
    queue->data = data;
    if (threads == 0 || !start_threads(queue, threads))
        uvs__ring_create(&queue->ring, BATCHES_ALONE, 1);
    return queue;
}

struct uvs__span_queue *uvs__span_queue(struct uvs__span_room *room,
                                        uvs__span_taker *const takers[UVS__SPAN_TAKERS], void *data)
{
    const int processors = uvs__ring_processors();
    const size_t threads = processors >= UVS_PROCESSORS_FOR_ALL ? UVS__SPAN_TAKERS : processors >= 2;
    return uvs__span_queue_create(threads, room, takers, data);
}

int uvs__span_queue_destroy(struct uvs__span_queue *queue)
{
    if (!queue)
        return 0;
    hand_on(queue);
    end_threads(queue);
    const int result = queue->result;
    for (size_t i = 0; i < BATCHES; i++)
        for (struct block *block = queue->batches[i].blocks, *next; block; block = next) {
            next = block->next;
            free(block);
        }
    uvs__ring_destroy(&queue->ring);
    free(queue);
    return result;
}
