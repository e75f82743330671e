// SPDX-License-Identifier: MIT
// The handles that a loop had when the program ended, or when libuv refused to close it: as they were told
// last.
#include "analysis.h"

#include <stdlib.h>

enum { NO_MEMORY = -UVS_E_ENVIRONMENT };

struct counted {
    struct uvs_handle_row row;
    uint32_t who;
};

struct loop_state {
    uint64_t told_ns;
    uint8_t when;
    struct counted all; // count 0: nothing is open
    struct counted *rows;
    size_t row_count, capacity;
};

struct state {
    struct uvs__rows loops; // struct loop_state by the loop's index
};

static int on_span(void *data, const struct uvs__output *output __attribute__((unused)),
                   const struct uvs__span *span)
{
    struct state *state = data;
    const struct uvs_ev_handles_open *told = span->open_handles;
    struct loop_state *loop = uvs__rows_at(&state->loops, span->loop->index, sizeof(*loop));
    if (!loop)
        return NO_MEMORY;
    const struct counted counted = {
        .row = {.type = told->type, .count = told->count, .keeping = told->keeping, .closing = told->closing},
        .who = span->who};
    if (told->type == UVS_HANDLE_ALL) {
        loop->told_ns = span->begin_ns;
        loop->when = told->when;
        loop->all = counted;
        loop->row_count = 0;
        return 0;
    }
    struct counted *rows = uvs__grow(loop->rows, loop->row_count, &loop->capacity, sizeof(*rows));
    if (!rows)
        return NO_MEMORY;
    loop->rows = rows;
    rows[loop->row_count++] = counted;
    return 0;
}

// Those that keep the loop alive first, then the most.
static int compare(const void *left, const void *right)
{
    const struct counted *a = left, *b = right;
    if (a->row.keeping != b->row.keeping)
        return a->row.keeping < b->row.keeping ? 1 : -1;
    if (a->row.count != b->row.count)
        return a->row.count < b->row.count ? 1 : -1;
    return a->row.type != b->row.type ? a->row.type - b->row.type : (a->who > b->who) - (a->who < b->who);
}

static int fill_row(struct uvs__output *output, struct loop_state *loop, struct uvs_loop_row *row)
{
    struct uvs_open_handles *open = row->open = calloc(1, sizeof(*open));
    if (!open || !(open->rows = calloc(loop->row_count + 1, sizeof(*open->rows))))
        return NO_MEMORY;
    open->when = loop->when;
    open->all = loop->all.row;
    if (loop->row_count)
        qsort(loop->rows, loop->row_count, sizeof(*loop->rows), compare);
    int rc = 0;
    for (; open->row_count < loop->row_count && !rc; open->row_count++) {
        const struct counted *from = &loop->rows[open->row_count];
        struct uvs_handle_row *to = &open->rows[open->row_count];
        *to = from->row;
        rc = from->who == UVS__NOBODY ? 0 : uvs__site_of(output, from->who, &to->callback);
    }
    return rc;
}

// What was lost since may have taken it back, or belong to it.
static bool is_known(const struct uvs__output *output, const struct loop_state *loop)
{
    return loop->all.row.count && loop->when < UVS_OPEN_COUNT &&
           !uvs__lost_between(output->spans, loop->told_ns, UVS_ABSENT);
}

static int finish(void *data, struct uvs__output *output)
{
    struct state *state = data;
    int rc = 0;
    for (size_t i = 0; i < output->report->loop_count && !rc; i++) {
        struct uvs_loop_row *row = &output->report->loops[i];
        struct loop_state *loop = row->index < state->loops.count ? state->loops.items[row->index] : NULL;
        if (loop && is_known(output, loop))
            rc = fill_row(output, loop, row);
    }
    return rc;
}

static void clear(void *data)
{
    struct state *state = data;
    for (size_t i = 0; i < state->loops.count; i++)
        if (state->loops.items[i])
            free(((struct loop_state *)state->loops.items[i])->rows);
    uvs__rows_clear(&state->loops);
}

UVS__EACH(on_span)

const struct uvs__analysis uvs__open_handles_analysis = {.state_size = sizeof(struct state),
                                                         .spans = {[UVS__SPAN_OPEN_HANDLES] = each_on_span},
                                                         .finish = finish,
                                                         .clear = clear};
