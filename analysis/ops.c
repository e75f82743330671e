// SPDX-License-Identifier: MIT
// Pages without anything in them are given back, so memory is bound by what is in flight.
#include "ops.h"

#include "error.h"

static struct uvs__ops_page **recent_place(struct uvs__ops *ops, uint64_t number)
{
    return &ops->recent[number % UVS__OPS_RECENT];
}

struct uvs__ops_page *uvs__ops_find(struct uvs__ops *ops, uint32_t owner, uint64_t number)
{
    struct uvs__ops_page *page = uvs__map_get(&ops->pages, owner, number);
    if (page)
        *recent_place(ops, number) = page;
    return page;
}

static struct uvs__ops_page *add_page(struct uvs__ops *ops, uint32_t owner, uint64_t number)
{
    ops->slab.element_size = sizeof(struct uvs__ops_page);
    struct uvs__ops_page *page = uvs__slab_take(&ops->slab);
    if (!page)
        return NULL;
    *page = (struct uvs__ops_page){.number = number, .owner = owner};
    if (uvs__map_put(&ops->pages, owner, number, page)) {
        uvs__slab_give(&ops->slab, page);
        return NULL;
    }
    *recent_place(ops, number) = page;
    return page;
}

int uvs__ops_put(struct uvs__ops *ops, uint32_t owner, uint64_t op, void *value)
{
    struct uvs__ops_page *page = uvs__ops_page(ops, owner, op);
    page = page ? page : add_page(ops, owner, op >> UVS__OPS_BITS);
    if (!page)
        return -UVS_E_ENVIRONMENT;
    void **slot = &page->slots[op % UVS__OPS_SLOTS];
    page->count += *slot == NULL;
    *slot = value;
    return 0;
}

static void drop_page(struct uvs__ops *ops, struct uvs__ops_page *page)
{
    uvs__map_remove(&ops->pages, page->owner, page->number);
    if (*recent_place(ops, page->number) == page)
        *recent_place(ops, page->number) = NULL;
    uvs__slab_give(&ops->slab, page);
}

void uvs__ops_remove(struct uvs__ops *ops, uint32_t owner, uint64_t op)
{
    struct uvs__ops_page *page = uvs__ops_page(ops, owner, op);
    void **slot = page ? &page->slots[op % UVS__OPS_SLOTS] : NULL;
    if (!slot || !*slot)
        return;
    *slot = NULL;
    if (--page->count == 0)
        drop_page(ops, page);
}

void uvs__ops_clear(struct uvs__ops *ops)
{
    uvs__map_clear(&ops->pages);
    uvs__slab_clear(&ops->slab);
    *ops = (struct uvs__ops){0};
}
