// SPDX-License-Identifier: MIT
// Gives spans to analyses, many at a time, on threads of their own while the builder goes on, or in between
// where there is one processor: to each taker the same spans in the same order. The last takers have a thread
// each. The others are called on whatever thread would have to wait, the builder's too; never one twice at
// the same time. What a span borrows is copied; what it points at in the builder (processes, loops, names)
// changes only when uvs__spans_quiet was called before. Takers share nothing that one of them changes.
#ifndef UVS_SPAN_QUEUE_H
#define UVS_SPAN_QUEUE_H

#include "span.h"

struct uvs__span_queue;

enum { UVS__SPAN_TAKERS = 3 };

// What the taker of that number does with spans, of which `count` lie behind one another. Negative: no more
// are wanted.
typedef int uvs__span_take(void *data, size_t taker, const struct uvs__span *spans, size_t count);

// room: the builder's, which is then told where to build; NULL: all spans are added one by one. The threads
// are as many as there are processors for. NULL without memory.
struct uvs__span_queue *uvs__span_queue(struct uvs__span_room *room, uvs__span_take *take, void *data);
// threads: at most one for each taker.
struct uvs__span_queue *uvs__span_queue_create(size_t threads, struct uvs__span_room *room,
                                               uvs__span_take *take, void *data);
// 0, -UVS_E_ENVIRONMENT without memory, or what a taker said of an earlier span.
int uvs__span_queue_add(struct uvs__span_queue *queue, const struct uvs__span *span, bool counts);
// Returns when the takers have had all that was added.
void uvs__span_queue_settle(struct uvs__span_queue *queue);
// Likewise, and ends the threads. NULL is allowed. 0, or what a taker said first that was not.
int uvs__span_queue_destroy(struct uvs__span_queue *queue);

#endif
