// SPDX-License-Identifier: MIT
// Who made whom wait: culprits, victims, and how much of each victim's time each culprit filled.
#include "blame.h"

#include "saturate.h"

#include <stdlib.h>

enum { NO_MEMORY = -UVS_E_ENVIRONMENT };

struct state {
    struct uvs__blame blame;
};

// --- Tables ---

struct uvs__culprit *uvs__culprit_of(struct uvs__blame *blame, uint64_t cause)
{
    struct uvs__culprit *culprit = uvs__map_get(&blame->culprits, cause, 0);
    if (culprit)
        return culprit;
    culprit = calloc(1, sizeof(*culprit));
    if (!culprit || uvs__map_put(&blame->culprits, cause, 0, culprit)) {
        free(culprit);
        return NULL;
    }
    for (size_t i = 0; i < UVS__QUEUE_COUNT; i++)
        culprit->tracks[i].name = cause;
    return culprit;
}

static struct uvs__pair *pair_of(struct uvs__blame *blame, uint32_t who, uint64_t cause)
{
    struct uvs__pair *pair = uvs__map_get(&blame->pairs, who, cause);
    if (pair)
        return pair;
    pair = calloc(1, sizeof(*pair));
    if (!pair || uvs__map_put(&blame->pairs, who, cause, pair)) {
        free(pair);
        return NULL;
    }
    return pair;
}

int uvs__share_add(struct uvs__shares *shares, uint64_t cause, uint64_t ns)
{
    if (ns == 0)
        return 0;
    struct uvs__share *items = uvs__grow(shares->items, shares->count, &shares->capacity, sizeof(*items));
    if (!items)
        return NO_MEMORY;
    shares->items = items;
    items[shares->count++] = (struct uvs__share){cause, ns};
    return 0;
}

int uvs__shares_between(struct uvs__shares *shares, const struct uvs__timeline *timeline, uint64_t begin_ns,
                        uint64_t end_ns, uint64_t *ret_sum_ns)
{
    uint64_t sum_ns = 0;
    int rc = 0;
    for (const struct uvs__track *t = timeline->newest; t && t->end_ns > begin_ns && !rc; t = t->older) {
        uint64_t ns = uvs__track_between(t, begin_ns, end_ns);
        sum_ns += ns;
        rc = uvs__share_add(shares, t->name, ns);
    }
    *ret_sum_ns = sum_ns;
    return rc;
}

// Names are numbered as they appear, which depends on where reading began: they go by what they name.
static bool comes_before(const struct uvs__spans *spans, uint64_t cause, uint64_t other)
{
    const uint32_t owner = (uint32_t)(cause >> 32);
    if (owner != (uint32_t)(other >> 32) || (uint8_t)owner != UVS__OF_WHO)
        return cause < other;
    const struct uvs__who *a = spans->whos[(uint32_t)cause], *b = spans->whos[(uint32_t)other];
    if (a->address != b->address)
        return a->address < b->address;
    return a->kind != b->kind ? a->kind < b->kind : cause < other;
}

// One of those that are equal, but not by chance.
static const struct uvs__share *greatest(const struct uvs__shares *shares, const struct uvs__spans *spans)
{
    const struct uvs__share *most = NULL;
    for (size_t i = 0; i < shares->count; i++) {
        const struct uvs__share *share = &shares->items[i];
        if (!most || share->ns > most->ns ||
            (share->ns == most->ns && comes_before(spans, share->cause, most->cause)))
            most = share;
    }
    return most;
}

int uvs__blame_tally(struct uvs__blame *blame, const struct uvs__spans *spans, uint32_t who, uint64_t wait_ns)
{
    struct uvs__victim *victim = uvs__rows_at(&blame->victims, who, sizeof(*victim));
    const struct uvs__share *most = greatest(&blame->shares, spans);
    int rc = victim ? uvs_hist_add(&victim->waited, wait_ns) : NO_MEMORY;
    for (size_t i = 0; i < blame->shares.count && !rc; i++) {
        const struct uvs__share *share = &blame->shares.items[i];
        struct uvs__culprit *culprit = share->ns ? uvs__culprit_of(blame, share->cause) : NULL;
        struct uvs__pair *pair = culprit ? pair_of(blame, who, share->cause) : NULL;
        if (share->ns == 0)
            continue;
        if (!pair)
            return NO_MEMORY;
        pair->ns = uvs__add(pair->ns, share->ns);
        pair->times += share == most;
        rc = uvs_hist_add(&culprit->inflicted, share->ns);
    }
    return rc;
}

// --- Rows ---

static enum uvs_blame_what what_of(uint64_t cause)
{
    return (enum uvs_blame_what)(cause >> 40);
}

static const struct uvs__loop *loop_at(const struct uvs__spans *spans, uint32_t index)
{
    const struct uvs__loop *loop = spans->loops;
    while (loop->index != index)
        loop = loop->next;
    return loop;
}

static const struct uvs__process *process_at(const struct uvs__spans *spans, uint32_t index)
{
    const struct uvs__process *process = spans->processes;
    while (process->index != index)
        process = process->next;
    return process;
}

static int describe(struct uvs__output *output, uint64_t cause, struct uvs_blame_who *ret_who)
{
    uint32_t index = (uint32_t)cause;
    struct uvs_blame_who who = {.what = what_of(cause), .loop = -1, .kind = -1};
    int rc = 0;
    if ((cause >> 32 & UINT8_MAX) == UVS__OF_WHO) {
        const struct uvs__who *known = output->spans->whos[index];
        who.pid = known->process->pid;
        who.loop = known->loop ? (int)known->loop->slot : -1;
        who.kind = known->kind;
        rc = uvs__site_of(output, index, &who.site);
    } else if ((cause >> 32 & UINT8_MAX) == UVS__OF_LOOP) {
        const struct uvs__loop *loop = loop_at(output->spans, index);
        who.pid = loop->process->pid;
        who.loop = (int)loop->slot;
    } else {
        who.pid = process_at(output->spans, index)->pid;
    }
    *ret_who = who;
    return rc;
}

static int compare_who(const struct uvs_blame_who *a, const struct uvs_blame_who *b)
{
    int order = uvs__compare_sites(a->site, b->site);
    if (order)
        return order;
    if (a->what != b->what)
        return (int)a->what - (int)b->what;
    if (a->kind != b->kind)
        return a->kind - b->kind;
    return a->pid == b->pid ? a->loop - b->loop : a->pid < b->pid ? -1 : 1;
}

static int compare_culprits(const void *left, const void *right)
{
    const struct uvs_culprit_row *a = left, *b = right;
    if (a->inflicted.sum != b->inflicted.sum)
        return a->inflicted.sum < b->inflicted.sum ? 1 : -1;
    return compare_who(&a->who, &b->who);
}

static int compare_parts(const void *left, const void *right)
{
    const struct uvs_blame_part *a = left, *b = right;
    return a->ns == b->ns ? compare_who(&a->who, &b->who) : a->ns < b->ns ? 1 : -1;
}

static int compare_victims(const void *left, const void *right)
{
    const struct uvs_victim_row *a = left, *b = right;
    if (a->suffered.sum != b->suffered.sum)
        return a->suffered.sum < b->suffered.sum ? 1 : -1;
    return compare_who(&a->who, &b->who);
}

// Waiting in poll is no one's doing, and what is unknown is nobody.
static bool is_culprit(const struct uvs__culprit *culprit, uint64_t cause)
{
    return culprit->inflicted.count && what_of(cause) != UVS_BLAME_POLL &&
           what_of(cause) != UVS_BLAME_UNKNOWN;
}

static int fill_culprits(struct uvs__blame *blame, struct uvs__output *output)
{
    struct uvs_report *report = output->report;
    report->culprits = calloc(blame->culprits.count + 1, sizeof(*report->culprits));
    int rc = report->culprits ? 0 : NO_MEMORY;
    for (size_t i = 0; i < blame->culprits.capacity && !rc; i++) {
        struct uvs__culprit *culprit = blame->culprits.entries[i].value;
        uint64_t cause = blame->culprits.entries[i].a;
        if (!culprit || !is_culprit(culprit, cause))
            continue;
        struct uvs_culprit_row *row = &report->culprits[report->culprit_count++];
        row->wall_ns = culprit->wall_ns;
        row->inflicted = culprit->inflicted;
        culprit->inflicted = (struct uvs_hist){0};
        rc = describe(output, cause, &row->who);
        row->who.scripts = uvs__scripts_of(&blame->scripts, report, cause);
    }
    if (!rc && report->culprit_count)
        qsort(report->culprits, report->culprit_count, sizeof(*report->culprits), compare_culprits);
    return rc;
}

static int fill_victim(struct uvs__output *output, uint32_t index, struct uvs__victim *victim,
                       struct uvs_victim_row *row)
{
    enum uvs_blame_what what = output->spans->whos[index]->role == UVS__REQUEST ? UVS_BLAME_REQUEST
                                                                                : UVS_BLAME_CALLBACK;
    row->suffered = victim->waited;
    row->stale = victim->stale;
    row->stale_ns = victim->stale_ns;
    victim->waited = (struct uvs_hist){0};
    return describe(output, uvs__cause(what, UVS__OF_WHO, index), &row->who);
}

static int fill_victims(struct uvs__blame *blame, struct uvs__output *output,
                        struct uvs_victim_row **row_by_who)
{
    struct uvs_report *report = output->report;
    size_t count = 0;
    for (size_t i = 0; i < blame->victims.count; i++)
        count += blame->victims.items[i] != NULL;
    report->victims = calloc(count + 1, sizeof(*report->victims));
    int rc = report->victims ? 0 : NO_MEMORY;
    for (size_t i = 0; i < blame->victims.count && !rc; i++) {
        if (!blame->victims.items[i])
            continue;
        row_by_who[i] = &report->victims[report->victim_count++];
        rc = fill_victim(output, (uint32_t)i, blame->victims.items[i], row_by_who[i]);
    }
    return rc;
}

static int append_part(const struct uvs__blame *blame, struct uvs__output *output,
                       const struct uvs__map_entry *entry, struct uvs_victim_row *row)
{
    const struct uvs__pair *pair = entry->value;
    struct uvs_blame_part *by = reallocarray(row->by, row->by_count + 1, sizeof(*by));
    if (!by)
        return NO_MEMORY;
    row->by = by;
    struct uvs_blame_part *part = &by[row->by_count++];
    *part = (struct uvs_blame_part){.ns = pair->ns, .times = pair->times};
    const int rc = describe(output, entry->b, &part->who);
    part->who.scripts = uvs__scripts_of(&blame->scripts, output->report, entry->b);
    return rc;
}

static int fill_pairs(struct uvs__blame *blame, struct uvs__output *output,
                      struct uvs_victim_row **row_by_who)
{
    int rc = 0;
    for (size_t i = 0; i < blame->pairs.capacity && !rc; i++)
        if (blame->pairs.entries[i].value)
            rc = append_part(blame, output, &blame->pairs.entries[i], row_by_who[blame->pairs.entries[i].a]);
    struct uvs_report *report = output->report;
    for (size_t i = 0; i < report->victim_count; i++)
        if (report->victims[i].by_count)
            qsort(report->victims[i].by, report->victims[i].by_count, sizeof(*report->victims[i].by),
                  compare_parts);
    if (report->victim_count)
        qsort(report->victims, report->victim_count, sizeof(*report->victims), compare_victims);
    return rc;
}

static void fill_depths(const struct uvs__blame *blame, struct uvs_report *report)
{
    for (size_t i = 0; i < report->pool_count; i++) {
        struct uvs_pool_row *pool = &report->pools[i];
        const struct uvs__workers *workers = uvs__blame_workers(blame, pool->process);
        if (pool->saturated_ns == UVS_ABSENT) // recorded lean
            continue;
        pool->saturated_ns = workers->saturated_ns;
        pool->max_queue_depth = workers->max_waiting;
    }
}

// Requests that waited for the cap, where it is known how many workers there were and what they did.
static void fill_capped(const struct uvs__blame *blame, struct uvs_report *report)
{
    for (size_t i = 0; i < report->pool_count; i++) {
        struct uvs_pool_row *pool = &report->pools[i];
        for (size_t j = 0; j < pool->request_count; j++) {
            struct uvs_pool_request_row *row = &pool->requests[j];
            const uint64_t *count = row->who < blame->capped.count ? blame->capped.items[row->who] : NULL;
            if (pool->size && row->triple_known && pool->saturated_ns != UVS_ABSENT)
                row->slow_io_capped = count ? *count : 0;
        }
    }
}

// --- The analysis ---

static int in_order(void *data, const struct uvs__output *output, const struct uvs__span *spans, size_t count)
{
    struct uvs__blame *blame = &((struct state *)data)->blame;
    const int rc = uvs__blame_loops_take(blame, output, spans, count);
    return rc ? rc : uvs__blame_pools_take(blame, output, spans, count);
}

static int finish(void *data, struct uvs__output *output)
{
    struct uvs__blame *blame = &((struct state *)data)->blame;
    int rc = uvs__blame_loops_finish(blame, output);
    if (!rc)
        rc = uvs__blame_pools_finish(blame, output->spans);
    struct uvs_victim_row **row_by_who = calloc(blame->victims.count + 1, sizeof(*row_by_who));
    if (!row_by_who)
        return NO_MEMORY;
    if (!rc)
        rc = uvs__scripts_finish(&blame->scripts, output);
    if (!rc)
        rc = fill_culprits(blame, output);
    if (!rc)
        rc = fill_victims(blame, output, row_by_who);
    if (!rc)
        rc = fill_pairs(blame, output, row_by_who);
    fill_depths(blame, output->report);
    // What seemed free may have run what was lost.
    if (output->spans->lost_count == 0)
        fill_capped(blame, output->report);
    free(row_by_who);
    return rc;
}

static void clear_values(struct uvs__map *map)
{
    for (size_t i = 0; i < map->capacity; i++)
        free(map->entries[i].value);
    uvs__map_clear(map);
}

static void clear(void *data)
{
    struct uvs__blame *blame = &((struct state *)data)->blame;
    uvs__blame_loops_clear(blame);
    uvs__blame_pools_clear(blame);
    uvs__scripts_clear(&blame->scripts);
    for (size_t i = 0; i < blame->culprits.capacity; i++) {
        struct uvs__culprit *culprit = blame->culprits.entries[i].value;
        for (size_t t = 0; culprit && t < UVS__QUEUE_COUNT; t++)
            uvs__track_clear(&culprit->tracks[t]);
        if (culprit)
            uvs_hist_clear(&culprit->inflicted);
    }
    for (size_t i = 0; i < blame->victims.count; i++)
        if (blame->victims.items[i])
            uvs_hist_clear(&((struct uvs__victim *)blame->victims.items[i])->waited);
    clear_values(&blame->culprits);
    clear_values(&blame->pairs);
    uvs__rows_clear(&blame->victims);
    uvs__rows_clear(&blame->capped);
    free(blame->shares.items);
}

const struct uvs__analysis uvs__blame_analysis = {
    .state_size = sizeof(struct state), .in_order = in_order, .finish = finish, .clear = clear};
