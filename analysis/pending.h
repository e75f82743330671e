// SPDX-License-Identifier: MIT
// The requests of a pool that are in flight: by their operation, and in lists.
#ifndef UVS_PENDING_H
#define UVS_PENDING_H

#include <stdbool.h>
#include <stdint.h>
#include "slab.h"

// A list is a link too, in a circle with those of its elements: `newer` is the oldest of them, or itself.
struct uvs__link {
    struct uvs__link *older, *newer;
};

static inline void uvs__list_create(struct uvs__link *list)
{
    list->older = list->newer = list;
}

static inline void uvs__list_append(struct uvs__link *list, struct uvs__link *element)
{
    element->older = list->older;
    element->newer = list;
    list->older->newer = element;
    list->older = element;
}

// Of whatever list it is in.
static inline void uvs__list_leave(const struct uvs__link *element)
{
    element->older->newer = element->newer;
    element->newer->older = element->older;
}

struct uvs__request {
    struct uvs__link link;     // first
    struct uvs__request *next; // in the same bucket
    uint64_t op, submit_ns;    // submit_ns UVS_ABSENT: the submission was not seen
    uint64_t worked_before;    // process->worked when it was submitted
    uint32_t who;              // NOBODY until the submission is seen
    uint8_t kind;
    bool started, cancelled, held;
    bool in_kernel;                           // given to io_uring: no worker will take it
    bool finished, measured;                  // by a worker; its times are known
    uint32_t tid;                             // finished: of the worker
    uint64_t finish_ns, queue_ns, service_ns; // likewise; measured
};

// NULL: the list has no more.
static inline struct uvs__request *uvs__request_at(const struct uvs__link *list, struct uvs__link *link)
{
    return link == list ? NULL : (struct uvs__request *)link;
}

static inline struct uvs__request *uvs__oldest(const struct uvs__link *list)
{
    return uvs__request_at(list, list->newer);
}

struct uvs__pending {
    struct uvs__request **buckets; // by operation
    size_t bucket_mask, count;     // bucket_mask + 1: a power of two
    struct uvs__slab slab;
};

// 0, or -UVS_E_ENVIRONMENT without memory.
int uvs__pending_create(struct uvs__pending *pending);
void uvs__pending_clear(struct uvs__pending *pending);
// Twice the buckets, or without memory as many as before.
void uvs__pending_grow(struct uvs__pending *pending);

static inline struct uvs__request **uvs__pending_bucket(const struct uvs__pending *pending, uint64_t op)
{
    return &pending->buckets[(op * 0x9e3779b97f4a7c15ull >> 32) & pending->bucket_mask];
}

// What points to the request of an operation, or to none: there it can be added. Until the next that is added
// or taken.
static inline struct uvs__request **uvs__pending_place(const struct uvs__pending *pending, uint64_t op)
{
    struct uvs__request **place = uvs__pending_bucket(pending, op);
    while (*place && (*place)->op != op)
        place = &(*place)->next;
    return place;
}

// NULL: nothing.
static inline struct uvs__request *uvs__pending_get(const struct uvs__pending *pending, uint64_t op)
{
    return *uvs__pending_place(pending, op);
}

// A new one: its other fields are to be set. NULL without memory.
static inline struct uvs__request *uvs__pending_add(struct uvs__pending *pending, struct uvs__request **place,
                                                    uint64_t op)
{
    struct uvs__request *request = uvs__slab_take(&pending->slab);
    if (!request)
        return NULL;
    request->op = op;
    request->next = *place;
    *place = request;
    if (pending->count++ > pending->bucket_mask)
        uvs__pending_grow(pending);
    return request;
}

// Is not found any more, until it is given back. NULL: nothing.
static inline struct uvs__request *uvs__pending_take(struct uvs__pending *pending, uint64_t op)
{
    struct uvs__request **place = uvs__pending_place(pending, op), *request = *place;
    if (request) {
        *place = request->next;
        pending->count--;
    }
    return request;
}

static inline void uvs__pending_give(struct uvs__pending *pending, struct uvs__request *request)
{
    uvs__slab_give(&pending->slab, request);
}

#endif
