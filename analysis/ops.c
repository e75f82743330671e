// SPDX-License-Identifier: MIT
// Pages without anything in them are given back, but for one, so memory is bound by what is in flight.
#include "ops.h"

#include <stdlib.h>

enum { FIRST_BUCKETS = 64 };

static struct uvs__ops_page **recent_place(struct uvs__ops *ops, uint64_t number)
{
    return &ops->recent[number % UVS__OPS_RECENT];
}

static struct uvs__ops_page **bucket_of(const struct uvs__ops *ops, uint32_t owner, uint64_t number)
{
    const uint64_t hash = (number ^ (uint64_t)owner << 40) * 0x9e3779b97f4a7c15ull;
    return &ops->buckets[(hash >> 32) & (ops->bucket_count - 1)];
}

struct uvs__ops_page *uvs__ops_find(struct uvs__ops *ops, uint32_t owner, uint64_t number)
{
    struct uvs__ops_page *page = ops->bucket_count ? *bucket_of(ops, owner, number) : NULL;
    while (page && (page->number != number || page->owner != owner))
        page = page->next;
    if (page)
        *recent_place(ops, number) = page;
    return page;
}

static void link_page(struct uvs__ops *ops, struct uvs__ops_page *page)
{
    struct uvs__ops_page **bucket = bucket_of(ops, page->owner, page->number);
    page->next = *bucket;
    *bucket = page;
}

static int rehash(struct uvs__ops *ops)
{
    struct uvs__ops larger = {.bucket_count = ops->bucket_count ? 2 * ops->bucket_count : FIRST_BUCKETS};
    larger.buckets = calloc(larger.bucket_count, sizeof(struct uvs__ops_page *));
    if (!larger.buckets)
        return -UVS_E_ENVIRONMENT;
    for (size_t i = 0; i < ops->bucket_count; i++)
        for (struct uvs__ops_page *page = ops->buckets[i], *next; page; page = next) {
            next = page->next;
            link_page(&larger, page);
        }
    free(ops->buckets);
    ops->buckets = larger.buckets;
    ops->bucket_count = larger.bucket_count;
    return 0;
}

struct uvs__ops_page *uvs__ops_add_page(struct uvs__ops *ops, uint32_t owner, uint64_t number)
{
    ops->slab.element_size = sizeof(struct uvs__ops_page);
    if (ops->page_count == ops->bucket_count && rehash(ops))
        return NULL;
    struct uvs__ops_page *page = uvs__slab_take(&ops->slab);
    if (!page)
        return NULL;
    *page = (struct uvs__ops_page){.number = number, .owner = owner};
    link_page(ops, page);
    ops->page_count++;
    *recent_place(ops, number) = page;
    return page;
}

static void drop_page(struct uvs__ops *ops, struct uvs__ops_page *page)
{
    struct uvs__ops_page **link = bucket_of(ops, page->owner, page->number);
    while (*link != page)
        link = &(*link)->next;
    *link = page->next;
    ops->page_count--;
    if (*recent_place(ops, page->number) == page)
        *recent_place(ops, page->number) = NULL;
    uvs__slab_give(&ops->slab, page);
}

// The next operation is likely to be one of its.
void uvs__ops_emptied(struct uvs__ops *ops, struct uvs__ops_page *page)
{
    struct uvs__ops_page *before = ops->emptied;
    ops->emptied = page;
    if (before && before->count == 0)
        drop_page(ops, before);
}

void uvs__ops_clear(struct uvs__ops *ops)
{
    free(ops->buckets);
    uvs__slab_clear(&ops->slab);
    *ops = (struct uvs__ops){0};
}
