// SPDX-License-Identifier: MIT
// A map by hash, whose rows with the same one are a list.
#include "stack_table.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(const struct uvs__span *span)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < span->stall.frame_count; i++)
        hash = (hash ^ span->stall.frames[i]) * 0x100000001b3u;
    return hash;
}

static uint64_t owner_of(const struct uvs__span *span)
{
    return span->loop ? span->loop->index : (uint64_t)1 << 32 | span->process->index;
}

static struct uvs__stack *add_stack(struct uvs__stack_table *table, const struct uvs__span *span,
                                    uint64_t hash, struct uvs__stack *same_hash)
{
    struct uvs__stack **grown = uvs__grow(table->stacks, table->count, &table->capacity,
                                          sizeof(struct uvs__stack *));
    if (!grown)
        return NULL;
    table->stacks = grown;
    const size_t size = span->stall.frame_count * sizeof(uint32_t);
    struct uvs__stack *stack = malloc(sizeof(*stack) + size);
    if (!stack)
        return NULL;
    *stack = (struct uvs__stack){.process = span->process,
                            .loop = span->loop,
                            .same_hash = same_hash,
                            .index = table->count,
                            .frame_count = span->stall.frame_count};
    memcpy(stack->frames, span->stall.frames, size);
    if (uvs__map_put(&table->by_hash, owner_of(span), hash, stack)) {
        free(stack);
        return NULL;
    }
    return table->stacks[table->count++] = stack;
}

struct uvs__stack *uvs__stack_of(struct uvs__stack_table *table, const struct uvs__span *span)
{
    const uint64_t hash = hash_of(span);
    struct uvs__stack *first = uvs__map_get(&table->by_hash, owner_of(span), hash);
    for (struct uvs__stack *stack = first; stack; stack = stack->same_hash)
        if (stack->frame_count == span->stall.frame_count &&
            memcmp(stack->frames, span->stall.frames, stack->frame_count * sizeof(uint32_t)) == 0)
            return stack;
    return add_stack(table, span, hash, first);
}

void uvs__stack_table_clear(struct uvs__stack_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->stacks[i]);
    free(table->stacks);
    uvs__map_clear(&table->by_hash);
}
