// SPDX-License-Identifier: MIT
// Elements of one size, taken and given back by the million: memory that was given back is taken next, and
// all of it is freed at once.
#ifndef UVS_SLAB_H
#define UVS_SLAB_H

#include <stddef.h>

enum { UVS__SLAB_LINE = 64 }; // of the cache

struct uvs__slab_item {
    struct uvs__slab_item *next;
};

// Zero-initialise but for the element's size, which must hold a pointer.
struct uvs__slab {
    size_t element_size;
    struct uvs__slab_item *given, *blocks;
    char *fresh, *end; // of the newest block: never taken yet
};

void *uvs__slab_take_fresh(struct uvs__slab *slab);
void uvs__slab_clear(struct uvs__slab *slab);

// Not zeroed; aligned for any integer or pointer, and to a line if the size is whole lines. NULL without
// memory.
static inline void *uvs__slab_take(struct uvs__slab *slab)
{
    struct uvs__slab_item *item = slab->given;
    if (!item)
        return uvs__slab_take_fresh(slab);
    slab->given = item->next;
    return item;
}

static inline void uvs__slab_give(struct uvs__slab *slab, void *element)
{
    struct uvs__slab_item *item = element;
    item->next = slab->given;
    slab->given = item;
}

#endif
