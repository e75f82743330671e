// SPDX-License-Identifier: MIT
// Blocks begin with a link to the one before, on a line of the cache's of its own.
#include "slab.h"

#include <stdlib.h>

enum { LINE = UVS__SLAB_LINE, BLOCK = 1 << 16 };

void *uvs__slab_take_fresh(struct uvs__slab *slab)
{
    if (slab->fresh == slab->end) {
        const size_t count = BLOCK / slab->element_size + 1;
        const size_t size = LINE + count * slab->element_size;
        struct uvs__slab_item *block = aligned_alloc(LINE, (size + LINE - 1) / LINE * LINE);
        if (!block)
            return NULL;
        block->next = slab->blocks;
        slab->blocks = block;
        slab->fresh = (char *)block + LINE;
        slab->end = slab->fresh + count * slab->element_size;
    }
    void *element = slab->fresh;
    slab->fresh += slab->element_size;
    return element;
}

void uvs__slab_clear(struct uvs__slab *slab)
{
    while (slab->blocks) {
        struct uvs__slab_item *older = slab->blocks->next;
        free(slab->blocks);
        slab->blocks = older;
    }
    *slab = (struct uvs__slab){.element_size = slab->element_size};
}
