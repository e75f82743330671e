// SPDX-License-Identifier: MIT
// --sort and --top: the metrics of `check` are the keys that rows are ordered by.
#include "shown.h"

#include "lists.h"
#include "near.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NEAR_SIZE = 160, NAME_SIZE = 64 };

static const char by_name[] = "name";

// "callback.delay.max" is also "delay.max", and "delay" its maximum.
static bool is_meant(const char *metric, const char *key)
{
    char whole[NAME_SIZE];
    const char *tail = strchr(metric, '.');
    if (strcmp(metric, key) == 0 || (tail && strcmp(tail + 1, key) == 0))
        return true;
    snprintf(whole, sizeof(whole), "%s.max", key);
    return strcmp(metric, whole) == 0 || (tail && strcmp(tail + 1, whole) == 0);
}

static const struct uvs__metric *find(const char *key, int scope)
{
    for (size_t i = 0; uvs_metric_info(i); i++) {
        const struct uvs__metric *metric = uvs__metric_find(uvs_metric_info(i)->name);
        if ((scope == UVS__NO_SCOPE || (int)metric->scope == scope) && metric->scope != UVS__SCOPE_LOSS &&
            is_meant(metric->info.name, key))
            return metric;
    }
    return NULL;
}

static int complain(const char *key, struct uvs_error *error)
{
    char hint[NEAR_SIZE];
    struct uvs_near near = {.word = key};
    uvs_near_offer(&near, by_name);
    for (size_t i = 0; uvs_metric_info(i); i++) {
        const char *name = uvs_metric_info(i)->name, *tail = strchr(name, '.');
        uvs_near_offer(&near, strchr(key, '.') && strncmp(name, key, 4) == 0 ? name : tail + 1);
    }
    uvs_near_text(&near, hint, sizeof(hint));
    return uvs_error_set(error, UVS_E_USAGE, "there is no '%s' to sort by%s", key,
                         *hint ? hint
                               : "; there are name, and the metrics of rules: callback.delay.max, or "
                                 "delay.max for every table that has it");
}

// --- Rows ---

struct order {
    const struct uvs__list *list;
    const struct uvs__metric *metric; // NULL: by name
};

static double hist_value(const struct uvs__metric *metric, const struct uvs_hist *hist)
{
    return hist->count || metric->stat == UVS__STAT_COUNT ? uvs__stat_of(metric->stat, hist) : -1;
}

// Below 0: unknown.
static double value_of(const struct uvs__metric *metric, const void *row)
{
    const void *at = (const char *)row + metric->offset;
    switch (metric->form) {
    case UVS__FORM_HIST:
        return hist_value(metric, at);
    case UVS__FORM_INTEGER:
        return *(const uint64_t *)at == UVS_ABSENT ? -1 : (double)*(const uint64_t *)at;
    default:
        return metric->compute(row);
    }
}

static int compare_names(const struct order *order, const void *a, const void *b)
{
    struct uvs__row_of first, second;
    order->list->of(a, &first);
    order->list->of(b, &second);
    if (!first.site || !second.site)
        return (first.site == NULL) - (second.site == NULL);
    return strcmp(first.site->label, second.site->label);
}

static int compare(const struct order *order, const void *a, const void *b)
{
    if (!order->metric)
        return compare_names(order, a, b);
    const double first = value_of(order->metric, a), second = value_of(order->metric, b);
    return (first < second) - (first > second);
}

// Rows of equal figures keep their order.
static void merge(const struct order *order, char *rows, char *room, size_t count)
{
    const size_t half = count / 2, size = order->list->size;
    if (count < 2)
        return;
    merge(order, rows, room, half);
    merge(order, rows + half * size, room, count - half);
    memcpy(room, rows, half * size);
    const char *left = room, *left_end = room + half * size;
    const char *right = rows + half * size, *right_end = rows + count * size;
    for (char *to = rows; left < left_end; to += size) {
        const bool from_right = right < right_end && compare(order, left, right) > 0;
        memmove(to, from_right ? right : left, size);
        *(from_right ? &right : &left) += size;
    }
}

static int sort_list(const struct uvs__list *list, void *holder, const char *key)
{
    const struct order order = {list, strcmp(key, by_name) == 0 ? NULL : find(key, list->scope)};
    const size_t count = *uvs__list_count(list, holder);
    const bool has_key = order.metric ? list->scope != UVS__NO_SCOPE
                                      : strcmp(key, by_name) == 0 && (list->has & UVS__ROW_HAS_SITE);
    if (!has_key || count < 2)
        return 0;
    char *room = malloc(count * list->size);
    if (!room)
        return -UVS_E_ENVIRONMENT;
    merge(&order, uvs__list_items(list, holder), room, count);
    free(room);
    return 0;
}

int uvs_report_sort(struct uvs_report *report, const char *key, struct uvs_error *error)
{
    int rc = 0;
    if (strcmp(key, by_name) != 0 && !find(key, UVS__NO_SCOPE))
        return complain(key, error);
    for (size_t i = 0; report && i < UVS_LIST_COUNT && !rc; i++)
        rc = sort_list(&uvs__lists[i], report, key);
    for (size_t i = 0; report && i < report->pool_count && !rc; i++)
        rc = sort_list(&uvs__request_list, &report->pools[i], key);
    if (report && !rc) {
        report->shown.any = true;
        report->shown.sort = strdup(key);
        rc = report->shown.sort ? 0 : -UVS_E_ENVIRONMENT;
    }
    return rc ? uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory to sort the report") : 0;
}

// --- How many ---

static bool is_among_first(const void *row __attribute__((unused)), size_t index, const void *data)
{
    return index < *(const size_t *)data;
}

static int by_length(const void *a, const void *b)
{
    const uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;
    return (first < second) - (first > second);
}

// How long the last of the longest blocks of all loops is. 0 without memory: none is dropped then.
static uint64_t length_of_last(const struct uvs_report *report, size_t most)
{
    uint64_t *lengths = calloc(report->loop_count * UVS_WORST_BLOCKS + 1, sizeof(*lengths)), last = 0;
    size_t count = 0;
    for (size_t i = 0; lengths && i < report->loop_count; i++)
        for (size_t j = 0; j < report->loops[i].worst_count; j++)
            lengths[count++] = report->loops[i].worst[j].duration_ns;
    if (count > most) {
        qsort(lengths, count, sizeof(*lengths), by_length);
        last = lengths[most - 1];
    }
    free(lengths);
    return last;
}

static void shorten_blocks(struct uvs_report *report, size_t most)
{
    const uint64_t least_ns = length_of_last(report, most);
    for (size_t i = 0; i < report->loop_count; i++) {
        struct uvs_loop_row *loop = &report->loops[i];
        while (loop->worst_count && loop->worst[loop->worst_count - 1].duration_ns < least_ns)
            uvs__block_clear(&loop->worst[--loop->worst_count]);
    }
}

// The slices of a loop are two hundred numbers.
enum { MAX_SLICES_ROWS = 24 };

static bool is_shown(const void *row, size_t index __attribute__((unused)), const void *data)
{
    const struct uvs_slices_row *slices = row;
    const struct uvs_report *report = data;
    for (size_t i = 0; i < report->loop_count && i < MAX_SLICES_ROWS; i++)
        if (report->loops[i].pid == slices->pid && (int)report->loops[i].loop == slices->loop)
            return true;
    for (size_t i = 0; i < report->pool_count && i < MAX_SLICES_ROWS; i++)
        if (report->pools[i].pid == slices->pid && slices->loop < 0)
            return true;
    return false;
}

void uvs_report_shorten(struct uvs_report *report, const size_t most[UVS_LIST_COUNT], size_t most_requests)
{
    for (size_t i = 0; i < UVS_LIST_COUNT; i++)
        if (most[i] && i != UVS_LIST_SLICES)
            report->shown.left_out[i] += uvs__list_keep(&uvs__lists[i], report, is_among_first, &most[i]);
    for (size_t i = 0; i < report->pool_count && most_requests; i++)
        report->shown.requests_left_out += uvs__list_keep(&uvs__request_list, &report->pools[i],
                                                          is_among_first, &most_requests);
    if (most[UVS_LIST_SLICES])
        report->shown.left_out[UVS_LIST_SLICES] += uvs__list_keep(&uvs__lists[UVS_LIST_SLICES], report,
                                                                  is_shown, report);
    if (most[UVS_LIST_LOOPS])
        shorten_blocks(report, most[UVS_LIST_LOOPS]);
}
