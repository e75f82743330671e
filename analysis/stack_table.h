// SPDX-License-Identifier: MIT
// The stacks of samples, each kept once.
#ifndef UVS_STACK_TABLE_H
#define UVS_STACK_TABLE_H

#include "saturate.h"
#include "span.h"

struct uvs__stack {
    const struct uvs__process *process;
    const struct uvs__loop *loop; // NULL: of a worker
    struct uvs__stack *same_hash;
    uint64_t ns; // that its samples stand for, for the one who keeps the table
    size_t index, frame_count;
    uint32_t frames[]; // whos, innermost first
};

// Zero-initialise to create.
struct uvs__stack_table {
    struct uvs__map by_hash;
    struct uvs__stack **stacks; // in the order of their first sample
    size_t count, capacity;
};

// What a sample stands for: they come at growing distances, and each is of the time since the one before. At
// least something, whatever the times of a damaged trace are.
static inline uint64_t uvs__sampled_ns(uint64_t since_ns, uint64_t time_ns)
{
    return uvs__max(uvs__minus(time_ns, since_ns), 1);
}

// Of a STALL span. Finds or adds it; NULL without memory.
struct uvs__stack *uvs__stack_of(struct uvs__stack_table *table, const struct uvs__span *span);
void uvs__stack_table_clear(struct uvs__stack_table *table);

#endif
