// SPDX-License-Identifier: MIT
// Where a thread waited for a synchronous call into libuv, and how long.
#include "analysis.h"

#include <stdlib.h>

enum { NO_MEMORY = -UVS_E_ENVIRONMENT };

struct state {
    struct uvs__rows rows; // struct uvs_sync_row by who
};

static struct uvs_sync_row *row_of(void *data, const struct uvs__span *span)
{
    return uvs__rows_at(&((struct state *)data)->rows, span->who, sizeof(struct uvs_sync_row));
}

static int on_sync_call(void *data, const struct uvs__output *output __attribute__((unused)),
                        const struct uvs__span *span)
{
    struct uvs_sync_row *row = row_of(data, span);
    return row ? uvs_hist_add(&row->duration, span->end_ns - span->begin_ns) : NO_MEMORY;
}

static int on_totals(void *data, const struct uvs__output *output __attribute__((unused)),
                     const struct uvs__span *span)
{
    if (span->totals->measure != UVS_MEASURE_SYNC_CALL)
        return 0;
    struct uvs_sync_row *row = row_of(data, span);
    return row ? uvs__hist_add_totals(&row->duration, span->totals) : NO_MEMORY;
}

static int compare(const void *left, const void *right)
{
    const struct uvs_sync_row *a = left, *b = right;
    if (a->duration.sum != b->duration.sum)
        return a->duration.sum < b->duration.sum ? 1 : -1;
    int order = uvs__compare_sites(a->called_from, b->called_from);
    if (order)
        return order;
    if (a->kind != b->kind)
        return a->kind - b->kind;
    return a->pid == b->pid ? a->loop - b->loop : a->pid < b->pid ? -1 : 1;
}

static int finish(void *data, struct uvs__output *output)
{
    struct state *state = data;
    struct uvs_report *report = output->report;
    size_t capacity = 0;
    for (size_t i = 0; i < state->rows.count; i++) {
        struct uvs_sync_row *row = state->rows.items[i];
        const struct uvs__who *who = row ? output->spans->whos[i]
                                         : NULL; // beyond the last who all rows are NULL
        if (!who || who->process->foreign)
            continue;
        struct uvs_sync_row *rows = uvs__grow(report->sync_calls, report->sync_call_count, &capacity,
                                              sizeof(*rows));
        if (!rows)
            return NO_MEMORY;
        report->sync_calls = rows;
        row->pid = who->process->pid;
        row->loop = who->loop ? (int)who->loop->slot : -1;
        row->kind = who->kind;
        rows[report->sync_call_count++] = *row;
        free(row);
        state->rows.items[i] = NULL;
        int rc = uvs__site_of(output, (uint32_t)i, &rows[report->sync_call_count - 1].called_from);
        if (rc)
            return rc;
    }
    if (report->sync_call_count)
        qsort(report->sync_calls, report->sync_call_count, sizeof(*report->sync_calls), compare);
    return 0;
}

static void clear(void *data)
{
    struct state *state = data;
    for (size_t i = 0; i < state->rows.count; i++)
        if (state->rows.items[i])
            uvs_hist_clear(&((struct uvs_sync_row *)state->rows.items[i])->duration);
    uvs__rows_clear(&state->rows);
}

UVS__EACH(on_sync_call)
UVS__EACH(on_totals)

const struct uvs__analysis uvs__sync_calls_analysis = {
    .state_size = sizeof(struct state),
    .spans = {[UVS__SPAN_SYNC_CALL] = each_on_sync_call, [UVS__SPAN_TOTALS] = each_on_totals},
    .finish = finish,
    .clear = clear};
