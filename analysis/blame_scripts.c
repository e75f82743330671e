// SPDX-License-Identifier: MIT
// What scripts did while a culprit ran: the callback that libuv calls is often the same machinery for all of
// them. A sample is of whatever the blame takes to have run at its time.
#include "blame.h"

#include "saturate.h"
#include "stacks.h"

#include <stdlib.h>
#include <string.h>

enum { NO_MEMORY = -UVS_E_ENVIRONMENT };

// What was sampled of a cause in one function.
struct seen {
    uint64_t cause;
    struct uvs__sampled sampled;
    struct uvs_site *site; // NULL: in no function of a script
};

int uvs__scripts_count(struct uvs__scripts *scripts, uint64_t cause, const struct uvs__stack *stack,
                       uint64_t ns)
{
    struct uvs__sampled *sampled = uvs__map_get(&scripts->counts, cause, stack->index);
    if (!sampled) {
        sampled = calloc(1, sizeof(*sampled));
        if (!sampled || uvs__map_put(&scripts->counts, cause, stack->index, sampled)) {
            free(sampled);
            return NO_MEMORY;
        }
    }
    sampled->samples++;
    sampled->ns = uvs__add(sampled->ns, ns);
    return 0;
}

// --- Names ---

static int find_script(struct uvs__output *output, const struct uvs__stack *stack, struct uvs_site **ret_site)
{
    int rc = 0;
    for (size_t i = 0; i < stack->frame_count && !rc; i++) {
        struct uvs_site *site;
        rc = uvs__site_of(output, stack->frames[i], &site);
        if (rc || !uvs__is_own_script(site))
            continue;
        *ret_site = site;
        break;
    }
    return rc;
}

static int compare_files(const struct uvs_site *a, const struct uvs_site *b)
{
    return strcmp(a->file ? a->file : "", b->file ? b->file : "");
}

static bool is_same(const struct uvs_site *a, const struct uvs_site *b)
{
    return a && b && strcmp(a->label, b->label) == 0 && compare_files(a, b) == 0;
}

static int by_cause_and_name(const void *left, const void *right)
{
    const struct seen *a = left, *b = right;
    if (a->cause != b->cause)
        return a->cause < b->cause ? -1 : 1;
    if (!a->site || !b->site)
        return (a->site == NULL) - (b->site == NULL);
    int order = strcmp(a->site->label, b->site->label);
    order = order ? order : compare_files(a->site, b->site);
    return order ? order : (a->site->address > b->site->address) - (a->site->address < b->site->address);
}

// Of those with as much time the first stays before.
static void name(struct uvs_scripts *row, struct uvs_site *site, struct uvs__sampled sampled)
{
    size_t at = row->count;
    while (at > 0 && row->named[at - 1].ns < sampled.ns)
        at--;
    if (at == UVS_SCRIPTS_NAMED)
        return;
    row->count += row->count < UVS_SCRIPTS_NAMED;
    memmove(&row->named[at + 1], &row->named[at], (row->count - 1 - at) * sizeof(row->named[0]));
    row->named[at] = (struct uvs_script){site, sampled.samples, sampled.ns};
}

static struct uvs_scripts sum_up(const struct seen *seen, size_t count)
{
    struct uvs_scripts row = {0};
    for (size_t i = 0; i < count;) {
        struct uvs__sampled sampled = {0};
        struct uvs_site *site = seen[i].site;
        do {
            sampled.samples += seen[i].sampled.samples;
            sampled.ns = uvs__add(sampled.ns, seen[i++].sampled.ns);
        } while (i < count && is_same(seen[i].site, site));
        row.samples += sampled.samples;
        row.ns = uvs__add(row.ns, sampled.ns);
        if (site)
            name(&row, site, sampled);
    }
    return row;
}

static int collect(const struct uvs__scripts *scripts, struct uvs__output *output, struct seen *seen)
{
    int rc = 0;
    for (size_t i = 0, count = 0; i < scripts->counts.capacity && !rc; i++) {
        const struct uvs__map_entry *entry = &scripts->counts.entries[i];
        if (!entry->value)
            continue;
        seen[count] = (struct seen){.cause = entry->a, .sampled = *(const struct uvs__sampled *)entry->value};
        rc = find_script(output, scripts->stacks.stacks[entry->b], &seen[count++].site);
    }
    return rc;
}

int uvs__scripts_finish(struct uvs__scripts *scripts, struct uvs__output *output)
{
    const size_t count = scripts->counts.count;
    struct seen *seen = calloc(count + 1, sizeof(*seen));
    output->report->scripts = calloc(count + 1, sizeof(*output->report->scripts));
    scripts->causes = calloc(count + 1, sizeof(*scripts->causes));
    int rc = seen && output->report->scripts && scripts->causes ? collect(scripts, output, seen) : NO_MEMORY;
    if (!rc && count)
        qsort(seen, count, sizeof(*seen), by_cause_and_name);
    for (size_t i = 0, end; i < count && !rc; i = end) {
        for (end = i; end < count && seen[end].cause == seen[i].cause;)
            end++;
        const struct uvs_scripts row = sum_up(&seen[i], end - i);
        if (!row.count)
            continue;
        output->report->scripts[scripts->cause_count] = row;
        scripts->causes[scripts->cause_count++] = seen[i].cause;
    }
    free(seen);
    return rc;
}

static int by_cause(const void *key, const void *item)
{
    const uint64_t a = *(const uint64_t *)key, b = *(const uint64_t *)item;
    return (a > b) - (a < b);
}

const struct uvs_scripts *uvs__scripts_of(const struct uvs__scripts *scripts, const struct uvs_report *report,
                                          uint64_t cause)
{
    const uint64_t *found = scripts->cause_count ? bsearch(&cause, scripts->causes, scripts->cause_count,
                                                           sizeof(*scripts->causes), by_cause)
                                                 : NULL;
    return found ? &report->scripts[found - scripts->causes] : NULL;
}

void uvs__scripts_clear(struct uvs__scripts *scripts)
{
    for (size_t i = 0; i < scripts->counts.capacity; i++)
        free(scripts->counts.entries[i].value);
    uvs__map_clear(&scripts->counts);
    uvs__stack_table_clear(&scripts->stacks);
    free(scripts->causes);
}
