// SPDX-License-Identifier: MIT
// A report's rows in the shape of their tables.
#include "text_rows.h"

#include <stdlib.h>

// Rows that stand in the report as they are printed.
#define DIRECT_ROWS(name, array, number)                                                       \
    int name(const struct uvs_report *report, struct uvs__rows *ret_rows,                      \
             void **ret_owned __attribute__((unused)))                                         \
    {                                                                                          \
        *ret_rows = (struct uvs__rows){report->array, report->number, sizeof(*report->array)}; \
        return 0;                                                                              \
    }

DIRECT_ROWS(uvs__loop_rows, loops, loop_count)
DIRECT_ROWS(uvs__callback_rows, callbacks, callback_count)
DIRECT_ROWS(uvs__sync_rows, sync_calls, sync_call_count)
DIRECT_ROWS(uvs__pool_rows, pools, pool_count)
DIRECT_ROWS(uvs__process_rows, processes, process_count)
DIRECT_ROWS(uvs__culprit_rows, culprits, culprit_count)

static int compare_blocks(const void *a, const void *b)
{
    const struct uvs_block *first = ((const struct uvs__block_line *)a)->block;
    const struct uvs_block *second = ((const struct uvs__block_line *)b)->block;
    if (first->duration_ns != second->duration_ns)
        return first->duration_ns < second->duration_ns ? 1 : -1;
    return (first->begin_ns > second->begin_ns) - (first->begin_ns < second->begin_ns);
}

int uvs__block_rows(const struct uvs_report *report, struct uvs__rows *ret_rows, void **ret_owned)
{
    struct uvs__block_line *lines = calloc(report->loop_count * UVS_WORST_BLOCKS + 1, sizeof(*lines));
    size_t count = 0;
    if (!lines)
        return -UVS_E_ENVIRONMENT;
    for (size_t i = 0; i < report->loop_count; i++) {
        const struct uvs_loop_row *loop = &report->loops[i];
        for (size_t j = 0; j < loop->worst_count && j < UVS_WORST_BLOCKS; j++)
            if (loop->worst[j].duration_ns >= report->block_threshold_ns)
                lines[count++] = (struct uvs__block_line){loop->pid, loop->loop, &loop->worst[j]};
    }
    qsort(lines, count, sizeof(*lines), compare_blocks);
    *ret_owned = lines;
    *ret_rows = (struct uvs__rows){lines, count, sizeof(*lines)};
    return 0;
}

static int some_callbacks(const struct uvs_report *report,
                          bool (*is_wanted)(const struct uvs_callback_row *row), struct uvs__rows *ret_rows,
                          void **ret_owned)
{
    struct uvs_callback_row *lines = calloc(report->callback_count + 1, sizeof(*lines));
    size_t count = 0;
    if (!lines)
        return -UVS_E_ENVIRONMENT;
    for (size_t i = 0; i < report->callback_count; i++)
        if (is_wanted(&report->callbacks[i]))
            lines[count++] = report->callbacks[i];
    *ret_owned = lines;
    *ret_rows = (struct uvs__rows){lines, count, sizeof(*lines)};
    return 0;
}

static bool is_timer(const struct uvs_callback_row *row)
{
    return row->kind == UVS_KIND_TIMER && row->delay.count;
}

int uvs__timer_rows(const struct uvs_report *report, struct uvs__rows *ret_rows, void **ret_owned)
{
    return some_callbacks(report, is_timer, ret_rows, ret_owned);
}

static bool was_ready(const struct uvs_callback_row *row)
{
    return row->delay_most.count;
}

int uvs__ready_rows(const struct uvs_report *report, struct uvs__rows *ret_rows, void **ret_owned)
{
    return some_callbacks(report, was_ready, ret_rows, ret_owned);
}

static size_t count_requests(const struct uvs_report *report)
{
    size_t count = 0;
    for (size_t i = 0; i < report->pool_count; i++)
        count += report->pools[i].request_count;
    return count;
}

static struct uvs_pool_request_row known_part(const struct uvs_pool_request_row *request)
{
    struct uvs_pool_request_row known = *request;
    if (!request->triple_known)
        known.queue = known.service = known.return_ = (struct uvs_hist){0};
    return known;
}

int uvs__request_rows(const struct uvs_report *report, struct uvs__rows *ret_rows, void **ret_owned)
{
    struct uvs__request_line *lines = calloc(count_requests(report) + 1, sizeof(*lines));
    size_t count = 0;
    if (!lines)
        return -UVS_E_ENVIRONMENT;
    for (size_t i = 0; i < report->pool_count; i++)
        for (size_t j = 0; j < report->pools[i].request_count; j++)
            lines[count++] = (struct uvs__request_line){report->pools[i].pid,
                                                        known_part(&report->pools[i].requests[j])};
    *ret_owned = lines;
    *ret_rows = (struct uvs__rows){lines, count, sizeof(*lines)};
    return 0;
}

// A wait below it is the worker's waking up.
static const uint64_t notable_wait_ns = 1000000;

static bool is_shown(const struct uvs_pool_row *pool, const struct uvs_what_if *waits)
{
    bool is_power = (waits->threads & (waits->threads - 1)) == 0;
    return pool->recorded.max_ns >= notable_wait_ns && (is_power || waits->threads == pool->size);
}

int uvs__what_if_rows(const struct uvs_report *report, struct uvs__rows *ret_rows, void **ret_owned)
{
    size_t count = 0, most = 0;
    for (size_t i = 0; i < report->pool_count; i++)
        most += report->pools[i].what_if_count;
    struct uvs__what_if_line *lines = calloc(most + 1, sizeof(*lines));
    if (!lines)
        return -UVS_E_ENVIRONMENT;
    for (size_t i = 0; i < report->pool_count; i++)
        for (size_t j = 0; j < report->pools[i].what_if_count; j++)
            if (is_shown(&report->pools[i], &report->pools[i].what_if[j]))
                lines[count++] = (struct uvs__what_if_line){report->pools[i].pid,
                                                            report->pools[i].what_if[j]};
    *ret_owned = lines;
    *ret_rows = (struct uvs__rows){lines, count, sizeof(*lines)};
    return 0;
}
