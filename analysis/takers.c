// SPDX-License-Identifier: MIT
// Spans are given run by run. In a run the order of spans of different types is lost to who takes them by
// type; where it matters to somebody, a type is told alone, between two runs. Those are seldom.
#include "takers.h"

static const bool is_told_alone[UVS__SPAN_COUNT] = {[UVS__SPAN_STALL] = true,
                                                    [UVS__SPAN_TOTALS] = true,
                                                    [UVS__SPAN_OPEN_HANDLES] = true,
                                                    [UVS__SPAN_HELD] = true,
                                                    [UVS__SPAN_UNFINISHED] = true};

void uvs__takers_add(struct uvs__takers *takers, const struct uvs__analysis *analysis, void *state)
{
    if (analysis->in_order)
        takers->ordered[takers->ordered_count++] = (struct uvs__ordered_taker){analysis->in_order, state};
    for (size_t type = 0; type < UVS__SPAN_COUNT; type++)
        if (analysis->spans[type])
            takers->typed[type][takers->typed_count[type]++] = (struct uvs__typed_taker){
                analysis->spans[type], state};
}

static inline void add(struct uvs__takers *takers, const struct uvs__span *span)
{
    const struct uvs__span **end = takers->ends[span->type];
    *end = span;
    takers->ends[span->type] = end + span->counts;
}

// Sorts the spans of the next run that count; returns how many it has.
static size_t sort_run(struct uvs__takers *takers, const struct uvs__span *spans, size_t count)
{
    const struct uvs__span *span = spans, *end = spans + (count < UVS__RUN_SPANS ? count : UVS__RUN_SPANS);
    for (size_t type = 0; type < UVS__SPAN_COUNT; type++)
        takers->ends[type] = takers->spans[type];
    for (; span < end && !is_told_alone[span->type]; span++)
        add(takers, span);
    if (span == spans)
        add(takers, span++);
    return (size_t)(span - spans);
}

static int take_run(struct uvs__takers *takers, const struct uvs__output *output)
{
    int rc = 0;
    for (size_t type = 0; type < UVS__SPAN_COUNT; type++) {
        const size_t count = (size_t)(takers->ends[type] - takers->spans[type]);
        for (size_t i = 0; count && i < takers->typed_count[type] && !rc; i++) {
            const struct uvs__typed_taker *taker = &takers->typed[type][i];
            rc = taker->take(taker->state, output, takers->spans[type], count);
        }
    }
    return rc;
}

int uvs__takers_take_typed(struct uvs__takers *takers, const struct uvs__output *output,
                           const struct uvs__span *spans, size_t count)
{
    int rc = 0;
    for (size_t length; count && !rc; spans += length, count -= length) {
        length = sort_run(takers, spans, count);
        rc = take_run(takers, output);
    }
    return rc;
}

// An analysis may look several times at the same few spans, while they are in the processor's nearest cache.
int uvs__takers_take_ordered(const struct uvs__takers *takers, size_t number,
                             const struct uvs__output *output, const struct uvs__span *spans, size_t count)
{
    const struct uvs__ordered_taker *taker = &takers->ordered[number];
    int rc = 0;
    for (size_t length; count && !rc; spans += length, count -= length) {
        length = count < UVS__ORDERED_SPANS ? count : UVS__ORDERED_SPANS;
        rc = taker->take(taker->state, output, spans, length);
    }
    return rc;
}
