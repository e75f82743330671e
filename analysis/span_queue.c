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

enum { BATCHES = 8, BATCH_SPANS = UVS_BATCH_SPANS, BLOCK_BYTES = 1 << 14, NO_MEMORY = -UVS_E_ENVIRONMENT };

struct block {
    struct block *next;
    size_t size;
    max_align_t bytes[];
};

struct batch {
    struct uvs__queued items[BATCH_SPANS];
    size_t count;
    struct block *blocks, *block; // all; the one that is being filled
    size_t used;                  // of it
};

struct queue {
    struct uvs__span_queue base;
    uvs__span_taker *taker;
    void *data;
    pthread_t thread;
    struct uvs__ring ring;
    _Atomic int result;  // of the taker
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
static void *take_room(struct batch *batch, size_t size)
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

static const struct uvs__parts *copy_parts(struct batch *batch, const struct uvs__parts *from)
{
    static const struct uvs__parts none;
    if (from->count == 0)
        return &none;
    struct uvs__parts *to = take_room(batch, sizeof(*to) + from->count * sizeof(*from->items));
    if (!to)
        return NULL;
    *to = (struct uvs__parts){.items = (struct uvs__part *)(to + 1), .count = from->count};
    for (size_t i = 0; i < from->count; i++) // mostly few: no call
        to->items[i] = from->items[i];
    return to;
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
        span->busy.callbacks = copy_parts(batch, span->busy.callbacks);
        span->busy.sync_calls = copy_parts(batch, span->busy.sync_calls);
        return span->busy.callbacks && span->busy.sync_calls;
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

// --- The analyses' thread ---

static void *take(void *data)
{
    struct queue *queue = data;
    size_t place;
    int rc = 0;
    while (rc == 0 && (place = uvs__ring_take_full(&queue->ring)) != UVS__RING_NONE) {
        const struct batch *batch = &queue->batches[place];
        rc = queue->taker(queue->data, batch->items, batch->count);
        if (rc)
            atomic_store(&queue->result, rc);
        uvs__ring_give_empty(&queue->ring);
    }
    uvs__ring_stop(&queue->ring);
    return NULL;
}

// --- The builder's ---

static void begin_batch(struct queue *queue)
{
    const size_t place = uvs__ring_take_empty(&queue->ring);
    if (place == UVS__RING_NONE)
        return;
    struct batch *batch = queue->batch = &queue->batches[place];
    batch->used = 0;
    batch->block = NULL;
    queue->base.next = batch->items;
    queue->base.last = &batch->items[BATCH_SPANS - 1];
}

static void hand_on(struct queue *queue)
{
    if (!queue->batch)
        return;
    queue->batch->count = (size_t)(queue->base.next - queue->batch->items);
    queue->batch = NULL;
    queue->base.next = NULL;
    uvs__ring_give_full(&queue->ring);
}

// A batch that was handed on meanwhile is not filled again before all others were, so a span at its end is
// still there to be copied.
int uvs__span_queue_add_slowly(struct uvs__span_queue *base, const struct uvs__span *span, bool counts,
                               struct uvs__span **ret_place)
{
    struct queue *queue = (struct queue *)base;
    if (!queue->batch)
        begin_batch(queue);
    if (!queue->batch)
        return atomic_load(&queue->result);
    struct uvs__queued *at = base->next++;
    if (span != &at->span)
        at->span = *span;
    at->counts = counts;
    if (!own(queue->batch, &at->span))
        return NO_MEMORY;
    if (at == base->last) {
        hand_on(queue);
        begin_batch(queue);
    }
    *ret_place = queue->batch ? &base->next->span : NULL;
    return 0;
}

void uvs__span_queue_settle(struct uvs__span_queue *base)
{
    struct queue *queue = (struct queue *)base;
    hand_on(queue);
    uvs__ring_settle(&queue->ring);
}

struct uvs__span_queue *uvs__span_queue_create(uvs__span_taker *taker, void *data)
{
    struct queue *queue = calloc(1, sizeof(*queue));
    if (!queue)
        return NULL;
    queue->taker = taker;
    queue->data = data;
    uvs__ring_create(&queue->ring, BATCHES);
    if (uvs__ring_start_thread(&queue->thread, take, queue) == 0)
        return &queue->base;
    uvs__ring_destroy(&queue->ring);
    free(queue);
    return NULL;
}

struct uvs__span_queue *uvs__span_queue(uvs__span_taker *taker, void *data)
{
    return uvs__ring_has_processors() ? uvs__span_queue_create(taker, data) : NULL;
}

int uvs__span_queue_destroy(struct uvs__span_queue *base)
{
    struct queue *queue = (struct queue *)base;
    if (!queue)
        return 0;
    hand_on(queue);
    uvs__ring_close(&queue->ring);
    pthread_join(queue->thread, NULL);
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
