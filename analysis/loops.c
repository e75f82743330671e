// SPDX-License-Identifier: MIT
// How each loop spent its time, and what filled its longest busy intervals.
#include "analysis.h"

#include "saturate.h"

#include <stdlib.h>
#include <string.h>

enum { NO_MEMORY = -UVS_E_ENVIRONMENT, TOP_PARTS = 5 };

struct share {
    uint32_t who;
    uint8_t kind;
    uint64_t address;
    uint64_t ns, count;
};

struct shares {
    struct share items[TOP_PARTS];
    size_t count;
};

struct block {
    uint64_t begin_ns, duration_ns;
    bool open;
    enum uvs_block_class class;
    struct uvs__collected gc;
    struct shares callbacks, sync_calls;
};

struct loop_state {
    uint64_t iterations, busy_ns, poll_ns, outside_ns, blocked_count, blocked_sum_ns;
    struct uvs_hist block;
    struct block worst[UVS_WORST_BLOCKS];
    size_t worst_count;
    struct uvs_gc_row *gc; // by kind
    size_t gc_count, gc_capacity;
};

struct state {
    struct uvs__rows loops; // struct loop_state by the loop's index
};

// --- What filled a block ---

static int by_who(const void *left, const void *right)
{
    const struct share *a = left, *b = right;
    return (a->who > b->who) - (a->who < b->who);
}

static int by_ns(const void *left, const void *right)
{
    const struct share *a = left, *b = right;
    if (a->ns != b->ns)
        return a->ns < b->ns ? 1 : -1;
    // Numbers depend on where reading began.
    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    return a->kind == b->kind ? by_who(a, b) : a->kind - b->kind;
}

static struct share share_of(const struct uvs__spans *spans, struct uvs__part part)
{
    const struct uvs__who *who = spans->whos[part.who];
    return (struct share){part.who, who->kind, who->address, part.ns, 1};
}

static size_t merge_equal(struct share *shares, size_t count)
{
    size_t merged = 0;
    qsort(shares, count, sizeof(*shares), by_who);
    for (size_t i = 0; i < count; i++) {
        if (merged && shares[merged - 1].who == shares[i].who) {
            shares[merged - 1].ns = uvs__add(shares[merged - 1].ns, shares[i].ns);
            shares[merged - 1].count++;
        } else {
            shares[merged++] = shares[i];
        }
    }
    return merged;
}

// The largest of `parts`, and of `extra` if that is somebody.
static int largest(const struct uvs__spans *spans, const struct uvs__parts *parts, struct uvs__part extra,
                   struct shares *ret_shares)
{
    size_t count = 0;
    struct share *all = malloc((parts->count + 1) * sizeof(*all));
    if (!all)
        return NO_MEMORY;
    for (; count < parts->count; count++)
        all[count] = share_of(spans, parts->items[count]);
    if (extra.who != UVS__NOBODY)
        all[count++] = share_of(spans, extra);
    count = merge_equal(all, count);
    qsort(all, count, sizeof(*all), by_ns);
    ret_shares->count = count < TOP_PARTS ? count : TOP_PARTS;
    memcpy(ret_shares->items, all, ret_shares->count * sizeof(*all));
    free(all);
    return 0;
}

static enum uvs_block_class class_of(const struct uvs__span *span, uint64_t duration_ns)
{
    const struct uvs__busy_times *times = span->busy.times;
    uint64_t most = duration_ns - duration_ns / 5, half = duration_ns - duration_ns / 2;
    if (!span->busy.complete)
        return UVS_BLOCK_UNKNOWN;
    // What is left out of a sparse one could only make callbacks more.
    if (times->sync_ns >= most)
        return UVS_BLOCK_SYNC_CALL;
    if (times->longest_ns >= most)
        return UVS_BLOCK_LONG_CALLBACK;
    if (times->outermost_ns >= half)
        return UVS_BLOCK_SATURATED;
    return span->busy.sparse ? UVS_BLOCK_UNKNOWN : UVS_BLOCK_OUTSIDE_CALLBACKS;
}

// --- Spans ---

static int keep_worst(struct loop_state *loop, const struct uvs__spans *spans, const struct uvs__span *span,
                      uint64_t duration_ns)
{
    size_t at = loop->worst_count;
    while (at > 0 && loop->worst[at - 1].duration_ns < duration_ns)
        at--;
    if (at == UVS_WORST_BLOCKS)
        return 0;
    struct block block = {.begin_ns = span->begin_ns,
                          .duration_ns = duration_ns,
                          .open = span->busy.open,
                          .class = class_of(span, duration_ns),
                          .gc = span->busy.times->gc};
    if (!span->busy.complete)
        block.gc = (struct uvs__collected){.ns = UVS_ABSENT};
    // What was nested in a callback, and lost, would be taken for its own; what came before a poll that was
    // lost, for a part of the block.
    const struct uvs__part running = span->busy.times->running;
    int rc = span->busy.complete ? largest(spans, span->busy.callbacks, running, &block.callbacks) : 0;
    if (!rc && span->busy.complete)
        rc = largest(spans, span->busy.sync_calls, (struct uvs__part){.who = UVS__NOBODY}, &block.sync_calls);
    if (rc)
        return rc;
    loop->worst_count += loop->worst_count < UVS_WORST_BLOCKS;
    memmove(&loop->worst[at + 1], &loop->worst[at], (loop->worst_count - 1 - at) * sizeof(block));
    loop->worst[at] = block;
    return 0;
}

static struct loop_state *state_of(void *data, const struct uvs__span *span)
{
    return uvs__rows_at(&((struct state *)data)->loops, span->loop->index, sizeof(struct loop_state));
}

static int on_busy(void *data, const struct uvs__output *output, const struct uvs__span *span)
{
    struct loop_state *loop = state_of(data, span);
    if (!loop)
        return NO_MEMORY;
    if (span->begin_ns == UVS_ABSENT)
        return 0;
    uint64_t duration_ns = span->end_ns - span->begin_ns;
    loop->busy_ns = uvs__add(loop->busy_ns, duration_ns);
    int rc = uvs_hist_add(&loop->block, duration_ns);
    if (rc || duration_ns < output->report->block_threshold_ns)
        return rc;
    loop->blocked_count++;
    loop->blocked_sum_ns = uvs__add(loop->blocked_sum_ns, duration_ns);
    return keep_worst(loop, output->spans, span, duration_ns);
}

static int on_poll(void *data, const struct uvs__output *output __attribute__((unused)),
                   const struct uvs__span *span)
{
    struct loop_state *loop = state_of(data, span);
    if (!loop)
        return NO_MEMORY;
    uint64_t *sum_ns = span->poll.spinning ? &loop->busy_ns : &loop->poll_ns;
    *sum_ns = uvs__add(*sum_ns, span->end_ns - span->begin_ns);
    loop->iterations += !span->poll.continued;
    return 0;
}

static int on_outside(void *data, const struct uvs__output *output __attribute__((unused)),
                      const struct uvs__span *span)
{
    struct loop_state *loop = state_of(data, span);
    if (!loop)
        return NO_MEMORY;
    loop->outside_ns = uvs__add(loop->outside_ns, span->end_ns - span->begin_ns);
    return 0;
}

static int on_gc(void *data, const struct uvs__output *output __attribute__((unused)),
                 const struct uvs__span *span)
{
    struct loop_state *loop = span->loop ? state_of(data, span) : NULL;
    const uint8_t kind = span->gc.kind;
    size_t at = 0;
    if (!loop)
        return span->loop ? NO_MEMORY : 0;
    while (at < loop->gc_count && loop->gc[at].kind < kind)
        at++;
    if (at == loop->gc_count || loop->gc[at].kind != kind) {
        struct uvs_gc_row *gc = uvs__grow(loop->gc, loop->gc_count, &loop->gc_capacity, sizeof(*gc));
        if (!gc)
            return NO_MEMORY;
        loop->gc = gc;
        memmove(&gc[at + 1], &gc[at], (loop->gc_count++ - at) * sizeof(*gc));
        gc[at] = (struct uvs_gc_row){.kind = kind};
    }
    return uvs_hist_add(&loop->gc[at].duration, span->end_ns - span->begin_ns);
}

static int on_totals(void *data, const struct uvs__output *output __attribute__((unused)),
                     const struct uvs__span *span)
{
    const struct uvs_ev_totals *totals = span->totals;
    struct loop_state *loop = state_of(data, span);
    if (!loop)
        return NO_MEMORY;
    switch (totals->measure) {
    case UVS_MEASURE_BUSY:
        loop->busy_ns = uvs__add(loop->busy_ns, totals->sum_ns);
        return uvs__hist_add_totals(&loop->block, totals);
    case UVS_MEASURE_POLL:
        loop->poll_ns = uvs__add(loop->poll_ns, totals->sum_ns);
        loop->iterations = uvs__add(loop->iterations, totals->count);
        return 0;
    case UVS_MEASURE_SPIN:
        loop->busy_ns = uvs__add(loop->busy_ns, totals->sum_ns);
        loop->iterations = uvs__add(loop->iterations, totals->count);
        return 0;
    case UVS_MEASURE_OUTSIDE:
        loop->outside_ns = uvs__add(loop->outside_ns, totals->sum_ns);
        return 0;
    default:
        return 0;
    }
}

// --- Rows ---

static int fill_parts(struct uvs__output *output, const struct shares *shares,
                      struct uvs_block_part **ret_parts, size_t *ret_count)
{
    *ret_parts = calloc(shares->count + 1, sizeof(**ret_parts));
    if (!*ret_parts)
        return NO_MEMORY;
    int rc = 0;
    for (size_t i = 0; i < shares->count && !rc; i++) {
        struct uvs_block_part *part = &(*ret_parts)[i];
        part->kind = output->spans->whos[shares->items[i].who]->kind;
        part->ns = shares->items[i].ns;
        part->count = shares->items[i].count;
        rc = uvs__site_of(output, shares->items[i].who, &part->site);
    }
    *ret_count = shares->count;
    return rc;
}

static int fill_blocks(struct uvs__output *output, const struct loop_state *loop, struct uvs_loop_row *row)
{
    row->worst = calloc(loop->worst_count + 1, sizeof(*row->worst));
    int rc = row->worst ? 0 : NO_MEMORY;
    for (size_t i = 0; i < loop->worst_count && !rc; i++) {
        const struct block *block = &loop->worst[i];
        struct uvs_block *out = &row->worst[row->worst_count++];
        *out = (struct uvs_block){.begin_ns = block->begin_ns,
                                  .duration_ns = block->duration_ns,
                                  .cpu_ns = UVS_ABSENT,
                                  .waiting_in = -1,
                                  .gc_ns = block->gc.ns,
                                  .gc_kind = block->gc.longest_kind,
                                  .open = block->open,
                                  .class = block->class};
        rc = fill_parts(output, &block->callbacks, &out->callbacks, &out->callback_count);
        if (!rc)
            rc = fill_parts(output, &block->sync_calls, &out->sync_calls, &out->sync_call_count);
    }
    return rc;
}

static int fill_row(struct uvs__output *output, const struct uvs__loop *loop, struct loop_state *state,
                    struct uvs_loop_row *row)
{
    *row = (struct uvs_loop_row){.index = loop->index,
                                 .pid = loop->process->pid,
                                 .tid = loop->tid,
                                 .loop = loop->slot,
                                 .is_default = loop->is_default,
                                 .iterations = state->iterations,
                                 .busy_ns = state->busy_ns,
                                 .poll_ns = state->poll_ns,
                                 .outside_ns = state->outside_ns,
                                 .try_writes = loop->try_writes,
                                 .block = state->block,
                                 .blocked_count = state->blocked_count,
                                 .blocked_sum_ns = state->blocked_sum_ns,
                                 .sees_gc = loop->sees_gc,
                                 .gc = state->gc,
                                 .gc_count = state->gc_count};
    state->block = (struct uvs_hist){0};
    state->gc = NULL;
    state->gc_count = 0;
    if (loop->name && !(row->name = strdup(loop->name)))
        return NO_MEMORY;
    return fill_blocks(output, state, row);
}

static void sort_rows(struct uvs_loop_row *rows, size_t count)
{
    // Few, and loops that took a slot one after the other stay in that order.
    for (size_t i = 1; i < count; i++) {
        struct uvs_loop_row row = rows[i];
        size_t at = i;
        for (; at > 0 &&
               (rows[at - 1].pid > row.pid || (rows[at - 1].pid == row.pid && rows[at - 1].loop > row.loop));
             at--)
            rows[at] = rows[at - 1];
        rows[at] = row;
    }
}

static int finish(void *data, struct uvs__output *output)
{
    struct state *state = data;
    struct uvs_report *report = output->report;
    size_t capacity = 0;
    for (const struct uvs__loop *loop = output->spans->loops; loop; loop = loop->next) {
        if (loop->process->foreign || (report->shown.any && !loop->counted))
            continue;
        struct loop_state *loop_state = uvs__rows_at(&state->loops, loop->index, sizeof(*loop_state));
        struct uvs_loop_row *rows = uvs__grow(report->loops, report->loop_count, &capacity, sizeof(*rows));
        if (!rows || !loop_state)
            return NO_MEMORY;
        report->loops = rows;
        int rc = fill_row(output, loop, loop_state, &rows[report->loop_count++]);
        if (rc)
            return rc;
    }
    sort_rows(report->loops, report->loop_count);
    return 0;
}

static void clear_loop(struct loop_state *loop)
{
    uvs_hist_clear(&loop->block);
    for (size_t i = 0; i < loop->gc_count; i++)
        uvs_hist_clear(&loop->gc[i].duration);
    free(loop->gc);
}

static void clear(void *data)
{
    struct state *state = data;
    for (size_t i = 0; i < state->loops.count; i++)
        if (state->loops.items[i])
            clear_loop(state->loops.items[i]);
    uvs__rows_clear(&state->loops);
}

UVS__EACH(on_busy)
UVS__EACH(on_poll)
UVS__EACH(on_outside)
UVS__EACH(on_gc)
UVS__EACH(on_totals)

const struct uvs__analysis uvs__loops_analysis = {.state_size = sizeof(struct state),
                                                  .spans = {[UVS__SPAN_BUSY] = each_on_busy,
                                                            [UVS__SPAN_POLL] = each_on_poll,
                                                            [UVS__SPAN_OUTSIDE] = each_on_outside,
                                                            [UVS__SPAN_GC] = each_on_gc,
                                                            [UVS__SPAN_TOTALS] = each_on_totals},
                                                  .finish = finish,
                                                  .clear = clear};
