// SPDX-License-Identifier: MIT
// The table of the report's lists, and how a row of each is given back.
#include "lists.h"

#include <stdlib.h>
#include <string.h>

// --- What rows own ---

static void clear_process(void *data)
{
    struct uvs_process_row *row = data;
    for (size_t i = 0; row->argv && i < row->argc; i++)
        free(row->argv[i]);
    free(row->argv);
    free(row->unhooked);
    free(row->exe);
    free(row->libuv);
    free(row->exit);
}

void uvs__block_clear(struct uvs_block *block)
{
    free(block->callbacks);
    free(block->sync_calls);
    free(block->stack);
    free(block->stacks);
}

static void clear_loop(void *data)
{
    struct uvs_loop_row *row = data;
    for (size_t i = 0; i < row->worst_count; i++)
        uvs__block_clear(&row->worst[i]);
    for (size_t i = 0; i < row->gc_count; i++)
        uvs_hist_clear(&row->gc[i].duration);
    free(row->gc);
    if (row->open)
        free(row->open->rows);
    free(row->open);
    free(row->worst);
    free(row->name);
    uvs_hist_clear(&row->block);
}

static void clear_callback(void *data)
{
    struct uvs_callback_row *row = data;
    uvs_hist_clear(&row->duration);
    uvs_hist_clear(&row->self);
    uvs_hist_clear(&row->delay);
    uvs_hist_clear(&row->latency);
    uvs_hist_clear(&row->delay_most);
}

static void clear_sync_call(void *data)
{
    uvs_hist_clear(&((struct uvs_sync_row *)data)->duration);
}

static void clear_request(void *data)
{
    struct uvs_pool_request_row *row = data;
    uvs_hist_clear(&row->queue);
    uvs_hist_clear(&row->service);
    uvs_hist_clear(&row->return_);
    if (row->sampled)
        uvs__block_clear(row->sampled);
    free(row->sampled);
}

static void clear_pool(void *data)
{
    struct uvs_pool_row *row = data;
    for (size_t i = 0; i < row->request_count; i++)
        clear_request(&row->requests[i]);
    free(row->requests);
    free(row->what_if);
}

static void clear_culprit(void *data)
{
    uvs_hist_clear(&((struct uvs_culprit_row *)data)->inflicted);
}

static void clear_victim(void *data)
{
    struct uvs_victim_row *row = data;
    uvs_hist_clear(&row->suffered);
    free(row->by);
}

static void clear_chain(void *data)
{
    free(((struct uvs_chain_row *)data)->steps);
}

static void clear_slices(void *data)
{
    free(((struct uvs_slices_row *)data)->slices);
}

static void clear_finding(void *data)
{
    free(((struct uvs_finding *)data)->text);
}

// --- What rows are of ---

#define OF(name, type, loop_, kind_, site_)                             \
    static void of_##name(const void *data, struct uvs__row_of *ret_of) \
    {                                                                   \
        const type *row = data;                                         \
        *ret_of = (struct uvs__row_of){row->pid, loop_, kind_, site_};  \
    }
OF(process, struct uvs_process_row, -1, -1, NULL)
OF(loop, struct uvs_loop_row, (int)row->loop, -1, NULL)
OF(callback, struct uvs_callback_row, (int)row->loop, row->kind, row->site)
OF(sync_call, struct uvs_sync_row, row->loop, row->kind, row->called_from)
OF(pool, struct uvs_pool_row, -1, -1, NULL)
OF(chain, struct uvs_chain_row, -1, -1, NULL)
OF(slices, struct uvs_slices_row, row->loop, -1, NULL)
OF(finding, struct uvs_finding, row->loop, -1, NULL)

static void of_request(const void *data, struct uvs__row_of *ret_of)
{
    const struct uvs_pool_request_row *row = data;
    *ret_of = (struct uvs__row_of){0, -1, row->kind, row->site};
}

static void of_who(const struct uvs_blame_who *who, struct uvs__row_of *ret_of)
{
    *ret_of = (struct uvs__row_of){who->pid, who->loop, who->kind, who->site};
}

static void of_culprit(const void *row, struct uvs__row_of *ret_of)
{
    of_who(&((const struct uvs_culprit_row *)row)->who, ret_of);
}

static void of_victim(const void *row, struct uvs__row_of *ret_of)
{
    of_who(&((const struct uvs_victim_row *)row)->who, ret_of);
}

// --- The tables ---

#define LIST(name_, array, number, has_, scope_, of_, clear_)                                           \
    {                                                                                                   \
        .name = name_, .items = offsetof(struct uvs_report, array),                                     \
        .count = offsetof(struct uvs_report, number), .size = sizeof(*((struct uvs_report *)0)->array), \
        .has = has_, .scope = scope_, .of = of_, .clear = clear_                                        \
    }

enum {
    PID = UVS__ROW_HAS_PID,
    LOOP = PID | UVS__ROW_HAS_LOOP,
    FUNCTION = UVS__ROW_HAS_KIND | UVS__ROW_HAS_SITE,
};

const struct uvs__list uvs__lists[UVS_LIST_COUNT] = {
    [UVS_LIST_PROCESSES] = LIST("processes", processes, process_count, PID, UVS__NO_SCOPE, of_process,
                                clear_process),
    [UVS_LIST_LOOPS] = LIST("loops", loops, loop_count, LOOP, UVS__SCOPE_LOOP, of_loop, clear_loop),
    [UVS_LIST_CALLBACKS] = LIST("callbacks", callbacks, callback_count, LOOP | FUNCTION, UVS__SCOPE_CALLBACK,
                                of_callback, clear_callback),
    [UVS_LIST_SYNC_CALLS] = LIST("sync_calls", sync_calls, sync_call_count, LOOP | FUNCTION,
                                 UVS__SCOPE_SYNC_CALL, of_sync_call, clear_sync_call),
    [UVS_LIST_POOLS] = LIST("pool", pools, pool_count, PID, UVS__SCOPE_POOL, of_pool, clear_pool),
    [UVS_LIST_CULPRITS] = LIST("culprits", culprits, culprit_count, LOOP | FUNCTION, UVS__SCOPE_CULPRIT,
                               of_culprit, clear_culprit),
    [UVS_LIST_VICTIMS] = LIST("victims", victims, victim_count, LOOP | FUNCTION, UVS__SCOPE_VICTIM, of_victim,
                              clear_victim),
    [UVS_LIST_CHAINS] = LIST("chains", chains, chain_count, PID, UVS__NO_SCOPE, of_chain, clear_chain),
    [UVS_LIST_SLICES] = LIST("slices", slices, slices_count, LOOP, UVS__NO_SCOPE, of_slices, clear_slices),
    [UVS_LIST_FINDINGS] = LIST("findings", findings, finding_count, LOOP, UVS__NO_SCOPE, of_finding,
                               clear_finding),
};

const struct uvs__list uvs__request_list = {
    .name = "requests",
    .items = offsetof(struct uvs_pool_row, requests),
    .count = offsetof(struct uvs_pool_row, request_count),
    .size = sizeof(struct uvs_pool_request_row),
    .has = FUNCTION,
    .scope = UVS__SCOPE_REQUEST,
    .of = of_request,
    .clear = clear_request,
};

size_t uvs__list_keep(const struct uvs__list *list, void *holder,
                      bool (*keep)(const void *row, size_t index, const void *data), const void *data)
{
    char *items = uvs__list_items(list, holder);
    size_t *count = uvs__list_count(list, holder), before = *count, kept = 0;
    for (size_t i = 0; i < before; i++) {
        char *row = items + i * list->size;
        if (!keep(row, i, data)) {
            if (list->clear)
                list->clear(row);
            continue;
        }
        if (kept != i)
            memcpy(items + kept * list->size, row, list->size);
        kept++;
    }
    *count = kept;
    return before - kept;
}
