// SPDX-License-Identifier: MIT
// How long each callback ran, how late it came, and how long its request took.
#include "analysis.h"

#include "saturate.h"

#include <stdlib.h>

enum { NO_MEMORY = -UVS_E_ENVIRONMENT };

enum { REMEMBERED = 1024 };

// A timer's last run.
struct run {
    const struct uvs__process *process;
    uint64_t op, begin_ns, end_ns;
};

struct state {
    struct uvs__rows rows; // struct uvs_callback_row by who
    uint64_t spans_unknown;
    struct run runs[REMEMBERED]; // by op; two that share a place forget each other
};

static int add_known(struct uvs_hist *hist, uint64_t ns)
{
    return ns == UVS_ABSENT ? 0 : uvs_hist_add(hist, ns);
}

// The same operation ran before, so it repeats; libuv arms it again before it calls the callback.
static bool is_overrun(struct state *state, const struct uvs__spans *spans, const struct uvs__span *span)
{
    struct run *last = &state->runs[span->op % REMEMBERED];
    uint64_t due_ns = span->begin_ns - span->callback.delay_ns;
    bool repeats = last->process == span->process && last->op == span->op &&
                   !uvs__lost_between(spans, last->end_ns, span->begin_ns);
    bool is_due_within = repeats && due_ns >= last->begin_ns && due_ns < last->end_ns;
    *last = (struct run){span->process, span->op, span->begin_ns, span->end_ns};
    return is_due_within;
}

static __attribute__((noinline)) struct uvs_callback_row *
new_row(struct state *state, const struct uvs__output *output, uint32_t who)
{
    struct uvs_callback_row *row = uvs__rows_make(&state->rows, who, sizeof(*row));
    if (row)
        row->kind = output->spans->whos[who]->kind;
    return row;
}

// NULL without memory.
static inline struct uvs_callback_row *row_of(struct state *state, const struct uvs__output *output,
                                              uint32_t who)
{
    struct uvs_callback_row *row = who < state->rows.count ? state->rows.items[who] : NULL;
    return row ? row : new_row(state, output, who);
}

static int on_callback(void *data, const struct uvs__output *output, const struct uvs__span *span)
{
    struct state *state = data;
    struct uvs_callback_row *row = row_of(state, output, span->who);
    if (!row)
        return NO_MEMORY;
    row->cancelled += span->callback.cancelled;
    if (row->kind == UVS_KIND_ASYNC && span->callback.result > 0)
        row->sends += (uint64_t)span->callback.result;
    if (row->kind == UVS_KIND_TIMER && span->op && span->begin_ns != UVS_ABSENT &&
        span->callback.delay_ns != UVS_ABSENT)
        row->overruns += is_overrun(state, output->spans, span);
    int rc = 0;
    if (span->begin_ns != UVS_ABSENT)
        rc = uvs_hist_add(&row->duration, span->end_ns - span->begin_ns);
    if (!rc)
        rc = add_known(&row->delay, span->callback.delay_ns);
    if (!rc)
        rc = add_known(&row->delay_most, span->callback.delay_most_ns);
    return rc ? rc : add_known(&row->latency, span->callback.latency_ns);
}

static int on_busy(void *data, const struct uvs__output *output, const struct uvs__span *span)
{
    struct state *state = data;
    const struct uvs__parts *parts = span->busy.callbacks;
    if (!span->busy.complete) {
        state->spans_unknown += parts->count;
        return 0;
    }
    for (const struct uvs__part *part = parts->items, *end = part + parts->count; part < end; part++) {
        struct uvs_callback_row *row = row_of(state, output, part->who);
        if (!row || uvs_hist_add(&row->self, part->ns))
            return NO_MEMORY;
    }
    return 0;
}

static bool is_of_callback(const struct uvs__output *output, const struct uvs__span *span)
{
    return span->who != UVS__NOBODY && output->spans->whos[span->who]->role == UVS__CALLBACK;
}

// A callback in totals has none nested in it: all of its time is its own.
static int on_totals(void *data, const struct uvs__output *output, const struct uvs__span *span)
{
    struct state *state = data;
    const struct uvs_ev_totals *totals = span->totals;
    if (!is_of_callback(output, span))
        return 0;
    struct uvs_callback_row *row = row_of(state, output, span->who);
    if (!row)
        return NO_MEMORY;
    switch (totals->measure) {
    case UVS_MEASURE_DURATION: {
        int rc = uvs__hist_add_totals(&row->duration, totals);
        return rc ? rc : uvs__hist_add_totals(&row->self, totals);
    }
    case UVS_MEASURE_DELAY:
        return uvs__hist_add_totals(&row->delay, totals);
    case UVS_MEASURE_LATENCY:
        return uvs__hist_add_totals(&row->latency, totals);
    case UVS_MEASURE_CANCELLED:
        row->cancelled = uvs__add(row->cancelled, totals->count);
        return 0;
    case UVS_MEASURE_SENDS:
        row->sends = uvs__add(row->sends, totals->count);
        return 0;
    default:
        return 0;
    }
}

static int compare(const void *left, const void *right)
{
    const struct uvs_callback_row *a = left, *b = right;
    if (a->self.sum != b->self.sum)
        return a->self.sum < b->self.sum ? 1 : -1;
    int order = uvs__compare_sites(a->site, b->site);
    if (order)
        return order;
    if (a->kind != b->kind)
        return a->kind - b->kind;
    return a->pid == b->pid ? (int)a->loop - (int)b->loop : a->pid < b->pid ? -1 : 1;
}

static void describe(const struct uvs__who *who, struct uvs_callback_row *row)
{
    enum uvs_kind_class class = uvs_kind_class(who->kind);
    row->pid = who->process->pid;
    row->loop = who->loop->slot;
    row->has_delay = class == UVS_CLASS_DUE || class == UVS_CLASS_READY || class == UVS_CLASS_POOL;
    row->has_delay_most = class == UVS_CLASS_READY && !who->process->lean_ns;
    if (who->process->lean_ns) // a timer's runs are not told one by one
        row->overruns = UVS_ABSENT;
    row->has_latency = class == UVS_CLASS_REQUEST || class == UVS_CLASS_POOL;
}

static int finish(void *data, struct uvs__output *output)
{
    struct state *state = data;
    struct uvs_report *report = output->report;
    size_t capacity = 0;
    for (size_t i = 0; i < state->rows.count; i++) {
        struct uvs_callback_row *row = state->rows.items[i];
        if (!row || output->spans->whos[i]->process->foreign)
            continue;
        struct uvs_callback_row *rows = uvs__grow(report->callbacks, report->callback_count, &capacity,
                                                  sizeof(*rows));
        if (!rows)
            return NO_MEMORY;
        report->callbacks = rows;
        describe(output->spans->whos[i], row);
        rows[report->callback_count++] = *row;
        free(row);
        state->rows.items[i] = NULL;
        int rc = uvs__site_of(output, (uint32_t)i, &rows[report->callback_count - 1].site);
        if (rc)
            return rc;
    }
    if (report->callback_count)
        qsort(report->callbacks, report->callback_count, sizeof(*report->callbacks), compare);
    report->trace.loss.spans_unknown = state->spans_unknown;
    return 0;
}

static void clear(void *data)
{
    struct state *state = data;
    for (size_t i = 0; i < state->rows.count; i++) {
        struct uvs_callback_row *row = state->rows.items[i];
        if (!row)
            continue;
        struct uvs_hist *hists[] = {&row->duration, &row->self, &row->delay, &row->delay_most, &row->latency};
        for (size_t h = 0; h < sizeof(hists) / sizeof(hists[0]); h++)
            uvs_hist_clear(hists[h]);
    }
    uvs__rows_clear(&state->rows);
}

UVS__EACH(on_callback)
UVS__EACH(on_busy)
UVS__EACH(on_totals)

const struct uvs__analysis uvs__callbacks_analysis = {.state_size = sizeof(struct state),
                                                      .spans = {[UVS__SPAN_CALLBACK] = each_on_callback,
                                                                [UVS__SPAN_BUSY] = each_on_busy,
                                                                [UVS__SPAN_TOTALS] = each_on_totals},
                                                      .finish = finish,
                                                      .clear = clear};
