// SPDX-License-Identifier: MIT
// Gives spans to analyses on a thread of their own, while the builder goes on: the same spans in the same
// order. What a span borrows is copied; what it points at in the builder (processes, loops, names) changes
// only when uvs__spans_quiet was called before.
#ifndef UVS_SPAN_QUEUE_H
#define UVS_SPAN_QUEUE_H

#include "span.h"

// What the queue lets its callers see: where the next span is best built.
struct uvs__queued {
    struct uvs__span span;
    bool counts;
};

struct uvs__span_queue {
    struct uvs__queued *next, *last; // of the batch that is filled; next NULL: none
};

// count: how many lie behind one another, each with what was said of it when it was added. Negative: no more
// spans are wanted.
typedef int uvs__span_taker(void *data, const struct uvs__queued *queued, size_t count);

// Where there is one processor: NULL, as without thread or memory; spans are then to be given directly.
struct uvs__span_queue *uvs__span_queue(uvs__span_taker *taker, void *data);
// Regardless of the number of processors.
struct uvs__span_queue *uvs__span_queue_create(uvs__span_taker *taker, void *data);
int uvs__span_queue_add_slowly(struct uvs__span_queue *queue, const struct uvs__span *span, bool counts,
                               struct uvs__span **ret_place);

// 0, -UVS_E_ENVIRONMENT without memory, or what the taker said of an earlier span. *ret_place: where the next
// span is best built, from where it is not copied.
static inline int uvs__span_queue_add(struct uvs__span_queue *queue, const struct uvs__span *span,
                                      bool counts, struct uvs__span **ret_place)
{
    struct uvs__queued *at = queue->next;
    const uint32_t borrowers = 1u << UVS__SPAN_BUSY | 1u << UVS__SPAN_STALL | 1u << UVS__SPAN_TOTALS |
                               1u << UVS__SPAN_OPEN_HANDLES;
    const bool borrows = borrowers >> span->type & 1;
    if (!at || span != &at->span || at == queue->last || borrows)
        return uvs__span_queue_add_slowly(queue, span, counts, ret_place);
    at->counts = counts;
    queue->next = at + 1;
    *ret_place = &at[1].span;
    return 0;
}

// Returns when the taker has had all that was added.
void uvs__span_queue_settle(struct uvs__span_queue *queue);
// Likewise, and ends the thread. NULL is allowed. 0, or what the taker said first that was not.
int uvs__span_queue_destroy(struct uvs__span_queue *queue);

#endif
