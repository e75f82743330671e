// SPDX-License-Identifier: MIT
// The trace in slices of equal length: how busy the loops were in each, their longest blocks, and how deep
// the pools' queues. How long the trace is shows in the end, so slices are paired whenever they become too
// many.
#include "analysis.h"

#include "saturate.h"

#include <stdlib.h>

enum { NO_MEMORY = -UVS_E_ENVIRONMENT, ROOM = 2 * UVS_FEW_SLICES };

struct series {
    uint64_t begin_ns;
    unsigned width_bits;   // a slice is 1 << width_bits ns long; 0: nothing yet
    unsigned recent;       // the slice that was looked for last,
    uint64_t recent_ns[2]; // and where it begins and ends; none: at 0
    struct uvs_slice slices[ROOM];
};

struct state {
    struct uvs__rows loops, pools; // struct series by the loop's and the process's index
    // Of the span before, since most are of the same.
    const struct uvs__loop *loop;
    struct series *loop_series;
    const struct uvs__process *process;
    struct series *pool_series;
};

enum { FIRST_WIDTH_BITS = 16 };

// --- Slices ---

static struct uvs_slice join(const struct uvs_slice *a, const struct uvs_slice *b)
{
    return (struct uvs_slice){.busy_ns = a->busy_ns + b->busy_ns,
                              .poll_ns = a->poll_ns + b->poll_ns,
                              .iterations = a->iterations + b->iterations,
                              .worst_block_ns = uvs__max(a->worst_block_ns, b->worst_block_ns),
                              .queued_ns = uvs__add(a->queued_ns, b->queued_ns),
                              .max_wait_ns = uvs__max(a->max_wait_ns, b->max_wait_ns)};
}

static void widen(struct series *series)
{
    for (size_t i = 0; i < ROOM / 2; i++)
        series->slices[i] = join(&series->slices[2 * i], &series->slices[2 * i + 1]);
    for (size_t i = ROOM / 2; i < ROOM; i++)
        series->slices[i] = (struct uvs_slice){0};
    series->width_bits++;
    series->recent_ns[1] = 0;
}

// All series begin with the trace, or with the window of it, and widths are the first one doubled: they can
// be laid side by side.
static __attribute__((noinline)) void reach(struct series *series, const struct uvs__output *output,
                                            uint64_t begin_ns, uint64_t end_ns)
{
    if (series->width_bits == 0)
        *series = (struct series){
            .begin_ns = uvs__add(output->spans->begin_ns, output->report->shown.from_ns),
            .width_bits = FIRST_WIDTH_BITS};
    while (uvs__minus(end_ns, series->begin_ns) >> series->width_bits >= ROOM)
        widen(series);
    series->recent = (unsigned)(uvs__minus(begin_ns, series->begin_ns) >> series->width_bits);
    series->recent_ns[0] = series->begin_ns + ((uint64_t)series->recent << series->width_bits);
    series->recent_ns[1] = uvs__add(series->recent_ns[0], 1ull << series->width_bits);
}

static inline bool is_recent(const struct series *series, uint64_t begin_ns, uint64_t end_ns)
{
    return begin_ns >= series->recent_ns[0] && end_ns < series->recent_ns[1];
}

// That of begin_ns, and there are slices up to end_ns.
static inline struct uvs_slice *slice_at(struct series *series, const struct uvs__output *output,
                                         uint64_t begin_ns, uint64_t end_ns)
{
    if (!is_recent(series, begin_ns, end_ns))
        reach(series, output, begin_ns, end_ns);
    return &series->slices[series->recent];
}

static uint64_t *number_at(struct series *series, uint64_t index, size_t offset)
{
    return (uint64_t *)(void *)((char *)&series->slices[index] + offset);
}

// Adds to the number at `offset` of each slice what of [begin, end) lies in it.
static __attribute__((noinline)) void spread_far(struct series *series, uint64_t begin_ns, uint64_t end_ns,
                                                 size_t offset)
{
    begin_ns = uvs__max(begin_ns, series->begin_ns);
    while (begin_ns < end_ns) {
        uint64_t index = (begin_ns - series->begin_ns) >> series->width_bits;
        uint64_t until_ns = series->begin_ns + ((index + 1) << series->width_bits);
        if (until_ns > end_ns || until_ns <= begin_ns) // the end of time
            until_ns = end_ns;
        uint64_t *number = number_at(series, index, offset);
        *number = uvs__add(*number, until_ns - begin_ns);
        begin_ns = until_ns;
    }
}

static inline void spread(struct series *series, uint64_t begin_ns, uint64_t end_ns, size_t offset)
{
    uint64_t *number = number_at(series, series->recent, offset);
    if (is_recent(series, begin_ns, end_ns))
        *number = uvs__add(*number, uvs__minus(end_ns, begin_ns));
    else
        spread_far(series, begin_ns, end_ns, offset);
}

// --- Spans ---

// NULL without memory.
static inline struct series *series_of_loop(struct state *state, const struct uvs__span *span)
{
    if (span->loop != state->loop) {
        state->loop = span->loop;
        state->loop_series = uvs__rows_at(&state->loops, span->loop->index, sizeof(struct series));
    }
    return state->loop_series;
}

static inline struct series *series_of_pool(struct state *state, const struct uvs__span *span)
{
    if (span->process != state->process) {
        state->process = span->process;
        state->pool_series = uvs__rows_at(&state->pools, span->process->index, sizeof(struct series));
    }
    return state->pool_series;
}

// A block counts where it began.
static int on_busy(void *data, const struct uvs__output *output, const struct uvs__span *span)
{
    if (span->process->lean_ns) // what is told does not add up to the time that passed
        return 0;
    struct series *series = series_of_loop(data, span);
    if (!series)
        return NO_MEMORY;
    if (span->begin_ns == UVS_ABSENT)
        return 0;
    struct uvs_slice *slice = slice_at(series, output, span->begin_ns, span->end_ns);
    slice->worst_block_ns = uvs__max(slice->worst_block_ns, span->end_ns - span->begin_ns);
    spread(series, span->begin_ns, span->end_ns, offsetof(struct uvs_slice, busy_ns));
    return 0;
}

static int on_poll(void *data, const struct uvs__output *output, const struct uvs__span *span)
{
    if (span->process->lean_ns)
        return 0;
    struct series *series = series_of_loop(data, span);
    if (!series)
        return NO_MEMORY;
    if (span->begin_ns == UVS_ABSENT)
        return 0;
    slice_at(series, output, span->begin_ns, span->end_ns)->iterations += !span->poll.continued;
    spread(series, span->begin_ns, span->end_ns,
           span->poll.spinning ? offsetof(struct uvs_slice, busy_ns) : offsetof(struct uvs_slice, poll_ns));
    return 0;
}

static int on_work(void *data, const struct uvs__output *output, const struct uvs__span *span)
{
    if (span->process->lean_ns)
        return 0;
    struct series *series = series_of_pool(data, span);
    if (!series)
        return NO_MEMORY;
    struct uvs_slice *slice = slice_at(series, output, span->begin_ns, span->end_ns);
    slice->max_wait_ns = uvs__max(slice->max_wait_ns, span->work.queue_ns);
    spread(series, span->begin_ns - span->work.queue_ns, span->begin_ns,
           offsetof(struct uvs_slice, queued_ns));
    return 0;
}

// --- Rows ---

static int fill(struct series *series, unsigned width_bits, size_t count, const struct uvs__process *process,
                int loop, struct uvs_slices_row *row)
{
    while (series->width_bits < width_bits)
        widen(series);
    *row = (struct uvs_slices_row){
        .pid = process->pid, .loop = loop, .slices = calloc(count, sizeof(*row->slices))};
    if (!row->slices)
        return NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        row->slices[i] = series->slices[i];
    return 0;
}

static struct series *series_at(const struct uvs__rows *rows, uint32_t index)
{
    struct series *series = index < rows->count ? rows->items[index] : NULL;
    return series && series->width_bits ? series : NULL;
}

// Few, and loops that took a slot one after the other stay in that order.
static void sort_rows(struct uvs_slices_row *rows, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct uvs_slices_row row = rows[i];
        size_t at = i;
        for (; at > 0 &&
               (rows[at - 1].pid > row.pid || (rows[at - 1].pid == row.pid && rows[at - 1].loop > row.loop));
             at--)
            rows[at] = rows[at - 1];
        rows[at] = row;
    }
}

static int fill_rows(struct state *state, struct uvs__output *output, unsigned width_bits, size_t count)
{
    struct uvs_report *report = output->report;
    const struct uvs__spans *spans = output->spans;
    int rc = 0;
    for (const struct uvs__loop *loop = spans->loops; loop && !rc; loop = loop->next) {
        struct series *series = series_at(&state->loops, loop->index);
        if (series && !loop->process->foreign)
            rc = fill(series, width_bits, count, loop->process, (int)loop->slot,
                      &report->slices[report->slices_count++]);
    }
    const size_t loop_rows = report->slices_count;
    for (const struct uvs__process *p = spans->processes; p && !rc; p = p->next) {
        struct series *series = series_at(&state->pools, p->index);
        if (series && !p->foreign)
            rc = fill(series, width_bits, count, p, -1, &report->slices[report->slices_count++]);
    }
    sort_rows(report->slices, loop_rows);
    sort_rows(report->slices + loop_rows, report->slices_count - loop_rows);
    return rc;
}

static int finish(void *data, struct uvs__output *output)
{
    struct state *state = data;
    struct uvs_report *report = output->report;
    const struct uvs__rows *both[] = {&state->loops, &state->pools};
    uint64_t duration_ns = uvs__minus(report->trace.duration_ns, report->shown.from_ns);
    unsigned width_bits = FIRST_WIDTH_BITS;
    size_t rows = 0;
    while (duration_ns >> width_bits >= ROOM)
        width_bits++;
    for (size_t i = 0; i < 2; i++)
        for (uint32_t j = 0; j < both[i]->count; j++) {
            const struct series *series = series_at(both[i], j);
            if (series && series->width_bits > width_bits)
                width_bits = series->width_bits;
            rows += series != NULL;
        }
    size_t count = (size_t)(duration_ns >> width_bits) + 1;
    report->slice_ns = 1ull << width_bits;
    report->slice_count = count < ROOM ? count : ROOM;
    report->slices = calloc(rows + 1, sizeof(*report->slices));
    return report->slices ? fill_rows(state, output, width_bits, report->slice_count) : NO_MEMORY;
}

static void clear(void *data)
{
    struct state *state = data;
    uvs__rows_clear(&state->loops);
    uvs__rows_clear(&state->pools);
}

UVS__EACH(on_busy)
UVS__EACH(on_poll)
UVS__EACH(on_work)

const struct uvs__analysis uvs__slices_analysis = {
    .state_size = sizeof(struct state),
    .spans =
        {[UVS__SPAN_BUSY] = each_on_busy, [UVS__SPAN_POLL] = each_on_poll, [UVS__SPAN_WORK] = each_on_work},
    .finish = finish,
    .clear = clear};
