// SPDX-License-Identifier: MIT
#include "timeline_nest.h"

#include "../analysis/error.h"

#include <stdlib.h>

int uvs__nest_add(struct uvs__nest *nest, uint64_t *begin_ns, uint64_t end_ns)
{
    for (; nest->count && nest->slices[nest->count - 1].end_ns > *begin_ns; nest->count--) {
        const struct uvs__slice *inside = &nest->slices[nest->count - 1];
        if (inside->begin_ns <= *begin_ns)
            *begin_ns = inside->begin_ns ? inside->begin_ns - 1 : 0;
    }
    if (nest->count == nest->capacity) {
        size_t capacity = nest->capacity ? 2 * nest->capacity : 16;
        struct uvs__slice *grown = realloc(nest->slices, capacity * sizeof(*grown));
        if (!grown)
            return -UVS_E_ENVIRONMENT;
        nest->slices = grown;
        nest->capacity = capacity;
    }
    nest->slices[nest->count++] = (struct uvs__slice){*begin_ns, end_ns};
    return 0;
}

void uvs__nest_clear(struct uvs__nest *nest)
{
    free(nest->slices);
    *nest = (struct uvs__nest){0};
}
