// SPDX-License-Identifier: MIT
// Operations are numbered one after the other: a bucket has about one.
#include "pending.h"

#include "error.h"

#include <stdlib.h>

enum { FIRST_BUCKETS = 64 };

int uvs__pending_create(struct uvs__pending *pending)
{
    *pending = (struct uvs__pending){.bucket_mask = FIRST_BUCKETS - 1,
                                     .buckets = calloc(FIRST_BUCKETS, sizeof(struct uvs__request *)),
                                     .slab = {.element_size = sizeof(struct uvs__request)}};
    return pending->buckets ? 0 : -UVS_E_ENVIRONMENT;
}

void uvs__pending_grow(struct uvs__pending *pending)
{
    struct uvs__pending larger = {.bucket_mask = 2 * pending->bucket_mask + 1};
    larger.buckets = calloc(larger.bucket_mask + 1, sizeof(struct uvs__request *));
    if (!larger.buckets)
        return;
    for (size_t i = 0; i <= pending->bucket_mask; i++)
        for (struct uvs__request *request = pending->buckets[i], *next; request; request = next) {
            struct uvs__request **bucket = uvs__pending_bucket(&larger, request->op);
            next = request->next;
            request->next = *bucket;
            *bucket = request;
        }
    free(pending->buckets);
    pending->buckets = larger.buckets;
    pending->bucket_mask = larger.bucket_mask;
}

void uvs__pending_clear(struct uvs__pending *pending)
{
    free(pending->buckets);
    uvs__slab_clear(&pending->slab);
    *pending = (struct uvs__pending){0};
}
