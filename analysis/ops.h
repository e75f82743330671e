// SPDX-License-Identifier: MIT
// A table from operations to pointers. Operations are numbered one after the other and looked up in about
// that order: they lie in pages of neighbours, and the pages that were used last are found without hashing.
#ifndef UVS_OPS_H
#define UVS_OPS_H

#include <stdint.h>
#include "error.h"
#include "slab.h"

enum { UVS__OPS_BITS = 4, UVS__OPS_SLOTS = 1 << UVS__OPS_BITS, UVS__OPS_RECENT = 32 };

struct uvs__ops_page {
    struct uvs__ops_page *next; // in the same bucket
    uint64_t number;            // op >> UVS__OPS_BITS
    uint32_t owner, count;
    void *slots[UVS__OPS_SLOTS]; // NULL: nothing
};

// Zero-initialise to create. Values are the caller's. An owner is whom an operation's number belongs to: the
// index of a process.
struct uvs__ops {
    struct uvs__ops_page **buckets;  // by owner and number
    size_t bucket_count, page_count; // bucket_count: 0 or a power of two
    struct uvs__ops_page *recent[UVS__OPS_RECENT];
    struct uvs__ops_page *emptied; // the last one, which may have something in it again
    struct uvs__slab slab;
};

struct uvs__ops_page *uvs__ops_find(struct uvs__ops *ops, uint32_t owner, uint64_t number);
// NULL without memory.
struct uvs__ops_page *uvs__ops_add_page(struct uvs__ops *ops, uint32_t owner, uint64_t number);
void uvs__ops_emptied(struct uvs__ops *ops, struct uvs__ops_page *page);

static inline struct uvs__ops_page *uvs__ops_page(struct uvs__ops *ops, uint32_t owner, uint64_t op)
{
    const uint64_t number = op >> UVS__OPS_BITS;
    struct uvs__ops_page *page = ops->recent[number % UVS__OPS_RECENT];
    return page && page->number == number && page->owner == owner ? page : uvs__ops_find(ops, owner, number);
}

// NULL: nothing.
static inline void *uvs__ops_get(struct uvs__ops *ops, uint32_t owner, uint64_t op)
{
    const struct uvs__ops_page *page = uvs__ops_page(ops, owner, op);
    return page ? page->slots[op % UVS__OPS_SLOTS] : NULL;
}

// Replaces what is there; value must not be NULL. 0, or -UVS_E_ENVIRONMENT without memory.
static inline int uvs__ops_put(struct uvs__ops *ops, uint32_t owner, uint64_t op, void *value)
{
    struct uvs__ops_page *page = uvs__ops_page(ops, owner, op);
    page = page ? page : uvs__ops_add_page(ops, owner, op >> UVS__OPS_BITS);
    if (!page)
        return -UVS_E_ENVIRONMENT;
    void **slot = &page->slots[op % UVS__OPS_SLOTS];
    page->count += *slot == NULL;
    *slot = value;
    return 0;
}

// Removes what is there, and returns it. NULL: nothing.
static inline void *uvs__ops_take(struct uvs__ops *ops, uint32_t owner, uint64_t op)
{
    struct uvs__ops_page *page = uvs__ops_page(ops, owner, op);
    void **slot = page ? &page->slots[op % UVS__OPS_SLOTS] : NULL;
    void *value = slot ? *slot : NULL;
    if (!value)
        return NULL;
    *slot = NULL;
    if (--page->count == 0 && page != ops->emptied)
        uvs__ops_emptied(ops, page);
    return value;
}

void uvs__ops_clear(struct uvs__ops *ops);

#endif
