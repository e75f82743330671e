// SPDX-License-Identifier: MIT
// Spans are given run by run. In a run the order of spans of different types is lost to who takes them by
// type; where it matters to somebody, a type is told alone, between two runs. Those are seldom.
#include "takers.h"

static const uint32_t told_alone = 1u << UVS__SPAN_STALL | 1u << UVS__SPAN_TOTALS |
                                   1u << UVS__SPAN_OPEN_HANDLES | 1u << UVS__SPAN_HELD |
                                   1u << UVS__SPAN_UNFINISHED;

void uvs__takers_add(struct uvs__takers *takers, const struct uvs__analysis *analysis, void *state)
{
    if (analysis->in_order)
        takers->ordered[takers->ordered_count++] = (struct uvs__ordered_taker){analysis->in_order, state};
    for (size_t type = 0; type < UVS__SPAN_COUNT; type++)
        if (analysis->spans[type])
            takers->typed[type][takers->typed_count[type]++] = (struct uvs__typed_taker){
                analysis->spans[type], state};
}

// Sorts the spans of the next run that count; returns how many it has.
static size_t sort_run(struct uvs__takers *takers, const struct uvs__span *spans, size_t count)
{
    const size_t most = count < UVS__RUN_SPANS ? count : UVS__RUN_SPANS;
    size_t length = 0;
    for (size_t type = 0; type < UVS__SPAN_COUNT; type++)
        takers->ends[type] = takers->spans[type];
    while (length < most) {
        const struct uvs__span *span = &spans[length];
        const enum uvs__span_type type = span->type;
        const bool is_alone = told_alone >> type & 1;
        if (is_alone && length > 0)
            break;
        *takers->ends[type] = span;
        takers->ends[type] += span->counts;
        length++;
        if (is_alone)
            break;
    }
    return length;
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

int uvs__takers_take_ordered(struct uvs__takers *takers, const struct uvs__output *output,
                             const struct uvs__span *spans, size_t count)
{
    int rc = 0;
    for (size_t i = 0; i < takers->ordered_count && !rc; i++)
        rc = takers->ordered[i].take(takers->ordered[i].state, output, spans, count);
    return rc;
}
