// SPDX-License-Identifier: MIT
// Rows of a report to figures: select, group, merge, measure.
#include "figure.h"

#include "saturate.h"

#include <stdlib.h>
#include <string.h>

// Of the time for which another loop of its process was seen.
static const uint64_t brief_part = 100;

// One row of a report, whatever its scope.
struct row {
    const void *data;
    uint32_t pid;
    int loop, kind;
    const struct uvs_site *site;
    uint64_t samples;
    bool is_known; // false: it happened, but was not seen well enough to be measured
};

struct group {
    struct uvs__figure figure;
    struct uvs_hist hist;
    double sum;
    uint64_t samples, happened, greatest_ns;
    bool is_unknown, is_none;
};

struct groups {
    struct group *items;
    size_t count;
};

static bool loop_row(const struct uvs_report *report, size_t index, struct row *ret_row)
{
    if (index >= report->loop_count)
        return false;
    const struct uvs_loop_row *loop = &report->loops[index];
    const struct uvs_block_part *part = loop->worst_count ? uvs_block_culprit(&loop->worst[0]) : NULL;
    const struct uvs_site *script = loop->worst_count ? uvs_block_script(&loop->worst[0]) : NULL;
    *ret_row = (struct row){.data = loop,
                            .pid = loop->pid,
                            .loop = (int)loop->loop,
                            .kind = part && !script ? part->kind : -1,
                            .site = script ? script
                                    : part ? part->site
                                           : NULL,
                            .samples = loop->block.count,
                            .is_known = true};
    return true;
}

static bool callback_row(const struct uvs_report *report, size_t index, struct row *ret_row)
{
    if (index >= report->callback_count)
        return false;
    const struct uvs_callback_row *callback = &report->callbacks[index];
    *ret_row = (struct row){.data = callback,
                            .pid = callback->pid,
                            .loop = (int)callback->loop,
                            .kind = callback->kind,
                            .site = callback->site,
                            .samples = callback->duration.count,
                            .is_known = true};
    return true;
}

static bool sync_row(const struct uvs_report *report, size_t index, struct row *ret_row)
{
    if (index >= report->sync_call_count)
        return false;
    const struct uvs_sync_row *call = &report->sync_calls[index];
    *ret_row = (struct row){.data = call,
                            .pid = call->pid,
                            .loop = call->loop < 0 ? UVS__LOOP_NONE : call->loop,
                            .kind = call->kind,
                            .site = call->called_from,
                            .samples = call->duration.count,
                            .is_known = true};
    return true;
}

static bool pool_row(const struct uvs_report *report, size_t index, struct row *ret_row)
{
    if (index >= report->pool_count)
        return false;
    const struct uvs_pool_row *pool = &report->pools[index];
    *ret_row = (struct row){
        .data = pool, .pid = pool->pid, .loop = UVS__LOOP_ANY, .kind = -1, .is_known = true};
    return true;
}

static bool request_row(const struct uvs_report *report, size_t index, struct row *ret_row)
{
    for (size_t i = 0; i < report->pool_count; i++) {
        const struct uvs_pool_row *pool = &report->pools[i];
        if (index >= pool->request_count) {
            index -= pool->request_count;
            continue;
        }
        const struct uvs_pool_request_row *request = &pool->requests[index];
        *ret_row = (struct row){.data = request,
                                .pid = pool->pid,
                                .loop = UVS__LOOP_ANY,
                                .kind = request->kind,
                                .site = request->site,
                                .samples = request->count,
                                .is_known = request->triple_known};
        return true;
    }
    return false;
}

static bool loss_row(const struct uvs_report *report, size_t index, struct row *ret_row)
{
    *ret_row = (struct row){.data = &report->trace, .loop = UVS__LOOP_ANY, .kind = -1, .is_known = true};
    return index == 0;
}

static struct row blame_row(const void *data, const struct uvs_blame_who *who, const struct uvs_hist *hist)
{
    return (struct row){.data = data,
                        .pid = who->pid,
                        .loop = who->loop < 0 ? UVS__LOOP_ANY : who->loop,
                        .kind = who->kind,
                        .site = who->site,
                        .samples = hist->count,
                        .is_known = true};
}

static bool culprit_row(const struct uvs_report *report, size_t index, struct row *ret_row)
{
    if (index >= report->culprit_count)
        return false;
    const struct uvs_culprit_row *culprit = &report->culprits[index];
    *ret_row = blame_row(culprit, &culprit->who, &culprit->inflicted);
    return true;
}

static bool victim_row(const struct uvs_report *report, size_t index, struct row *ret_row)
{
    if (index >= report->victim_count)
        return false;
    const struct uvs_victim_row *victim = &report->victims[index];
    *ret_row = blame_row(victim, &victim->who, &victim->suffered);
    return true;
}

// merges: rows of one loop (process) make one figure.
static const struct {
    bool (*row)(const struct uvs_report *report, size_t index, struct row *ret_row);
    bool merges;
} scopes[] = {
    [UVS__SCOPE_LOOP] = {loop_row, false},      [UVS__SCOPE_CALLBACK] = {callback_row, true},
    [UVS__SCOPE_SYNC_CALL] = {sync_row, true},  [UVS__SCOPE_POOL] = {pool_row, false},
    [UVS__SCOPE_REQUEST] = {request_row, true}, [UVS__SCOPE_LOSS] = {loss_row, false},
    [UVS__SCOPE_CULPRIT] = {culprit_row, true}, [UVS__SCOPE_VICTIM] = {victim_row, true},
};

static bool is_selected(const struct row *row, const struct uvs__selection *selection)
{
    if (selection->pid >= 0 && row->pid != selection->pid)
        return false;
    if (selection->kind >= 0 && row->kind != selection->kind)
        return false;
    return !selection->site || (row->site && regexec(selection->site, row->site->label, 0, NULL, 0) == 0);
}

static bool is_same_site(const struct uvs_site *a, const struct uvs_site *b)
{
    return a == b || (a && b && a->address == b->address && strcmp(a->label, b->label) == 0);
}

static struct group *find_group(const struct groups *groups, const struct row *row, bool by_site)
{
    for (size_t i = 0; i < groups->count; i++) {
        struct uvs__figure *figure = &groups->items[i].figure;
        if (figure->pid == row->pid && figure->loop == row->loop &&
            (!by_site || is_same_site(figure->site, row->site)))
            return &groups->items[i];
    }
    return NULL;
}

static struct group *add_group(struct groups *groups, const struct row *row)
{
    struct group *items = realloc(groups->items, (groups->count + 1) * sizeof(*items));
    if (!items)
        return NULL;
    groups->items = items;
    items[groups->count] = (struct group){.figure = {.pid = row->pid, .loop = row->loop, .kind = -1}};
    return &items[groups->count++];
}

static void blame(struct group *group, const struct row *row)
{
    group->figure.site = row->site;
    group->figure.kind = row->kind;
}

static int merge_hist(struct group *group, const struct row *row, const struct uvs__metric *metric)
{
    const struct uvs_hist *hist = (const void *)((const char *)row->data + metric->offset);
    group->samples += hist->count;
    group->happened += row->samples;
    group->is_unknown = group->is_unknown || !row->is_known;
    if (hist->count == 0)
        return 0;
    if (metric->blames && hist->max >= group->greatest_ns) {
        group->greatest_ns = hist->max;
        blame(group, row);
    }
    return uvs_hist_merge(&group->hist, hist);
}

static int merge_number(struct group *group, const struct row *row, const struct uvs__metric *metric)
{
    group->samples += row->samples;
    if (metric->form == UVS__FORM_COMPUTED) {
        double number = metric->compute(row->data);
        group->is_none = number < 0;
        group->sum += number;
        return 0;
    }
    if (metric->blames)
        blame(group, row);
    uint64_t number = *(const uint64_t *)(const void *)((const char *)row->data + metric->offset);
    group->is_unknown = group->is_unknown || number == UVS_ABSENT;
    group->sum += (double)number;
    return 0;
}

// Of a process whose totals were lost every figure is too small; what one that is recorded lean did to others
// is known in part.
static bool is_sparse(const struct uvs_report *report, int64_t pid, bool is_blame)
{
    for (size_t i = 0; i < report->process_count; i++) {
        const struct uvs_process_row *process = &report->processes[i];
        if (process->pid == pid && (process->totals_lost || (is_blame && process->lean_ns)))
            return true;
    }
    return false;
}

static int merge_row(struct groups *groups, const struct row *row, const struct uvs__metric *metric,
                     const struct uvs__selection *selection)
{
    struct group *group = scopes[metric->scope].merges ? find_group(groups, row, selection->by_site) : NULL;
    if (!group)
        group = add_group(groups, row);
    if (!group)
        return -UVS_E_ENVIRONMENT;
    if (selection->by_site)
        blame(group, row);
    return (metric->form == UVS__FORM_HIST ? merge_hist : merge_number)(group, row, metric);
}

// Whatever ran has a self time: none at all was lost.
static bool is_lost(const struct group *group, const struct uvs__metric *metric)
{
    return metric->scope == UVS__SCOPE_CALLBACK && metric->form == UVS__FORM_HIST &&
           metric->offset == offsetof(struct uvs_callback_row, self) && group->happened > 0 &&
           group->hist.count == 0;
}

static void measure(struct group *group, const struct uvs__metric *metric)
{
    struct uvs__figure *figure = &group->figure;
    bool is_hist = metric->form == UVS__FORM_HIST;
    if (group->is_unknown || is_lost(group, metric))
        figure->state = UVS__FIGURE_UNKNOWN;
    else if (group->is_none || (is_hist && group->hist.count == 0 && metric->stat != UVS__STAT_COUNT))
        figure->state = UVS__FIGURE_NONE;
    else
        figure->value = is_hist ? uvs__stat_of(metric->stat, &group->hist) : group->sum;
}

static uint64_t seen_ns(const struct uvs_loop_row *loop)
{
    return uvs__add(uvs__add(loop->busy_ns, loop->poll_ns), loop->outside_ns);
}

// A loop that ran once, for microseconds beside the one that the program is about, has no share of time worth
// judging. That one itself is never brief, however short the process, and however little it polls.
static bool is_brief(const struct uvs_loop_row *loop, uint64_t longest_ns)
{
    return seen_ns(loop) < longest_ns / brief_part;
}

static uint64_t longest_seen_ns(const struct uvs_report *report, int64_t pid)
{
    uint64_t longest_ns = 0;
    for (size_t i = 0; i < report->loop_count; i++)
        if (report->loops[i].pid == pid)
            longest_ns = uvs__max(longest_ns, seen_ns(&report->loops[i]));
    return longest_ns;
}

static int collect(struct groups *groups, const struct uvs__metric *metric,
                   const struct uvs__selection *selection, const struct uvs_report *report)
{
    struct row row;
    int result = 0;
    int64_t pid = -1;
    uint64_t longest_ns = 0;
    for (size_t i = 0; result == 0 && scopes[metric->scope].row(report, i, &row); i++) {
        if (metric->needs_time && row.pid != pid) {
            pid = row.pid;
            longest_ns = longest_seen_ns(report, pid);
        }
        if (is_selected(&row, selection) && !(metric->needs_time && is_brief(row.data, longest_ns)))
            result = merge_row(groups, &row, metric, selection);
    }
    for (size_t i = 0; i < groups->count; i++)
        groups->items[i].is_unknown |= metric->scope != UVS__SCOPE_LOSS &&
                                       is_sparse(report, groups->items[i].figure.pid,
                                                 metric->scope >= UVS__SCOPE_CULPRIT);
    return result;
}

static bool has_process(const struct uvs_report *report, int64_t pid)
{
    for (size_t i = 0; i < report->process_count; i++)
        if (pid < 0 || report->processes[i].pid == pid)
            return true;
    return false;
}

static void destroy_groups(struct groups *groups)
{
    for (size_t i = 0; i < groups->count; i++)
        uvs_hist_clear(&groups->items[i].hist);
    free(groups->items);
}

const struct uvs_block_part *uvs_block_culprit(const struct uvs_block *block)
{
    if (block->class == UVS_BLOCK_SYNC_CALL && block->sync_call_count)
        return &block->sync_calls[0];
    return block->callback_count ? &block->callbacks[0] : NULL;
}

int uvs__figures_create(const struct uvs__metric *metric, const struct uvs__selection *selection,
                        const struct uvs_report *report, struct uvs__figure **ret_figures, size_t *ret_count)
{
    struct groups groups = {0};
    int result = collect(&groups, metric, selection, report);
    struct uvs__figure *figures = result == 0 ? calloc(groups.count + 1, sizeof(*figures)) : NULL;
    size_t count = 0;
    for (size_t i = 0; figures && i < groups.count; i++) {
        if (selection->by_site && groups.items[i].samples < selection->min)
            continue;
        measure(&groups.items[i], metric);
        figures[count++] = groups.items[i].figure;
    }
    // Nothing that could be counted is a count of 0, wherever a process was there to do it.
    if (figures && groups.count == 0 && metric->additive && has_process(report, selection->pid))
        figures[count++] = (struct uvs__figure){.loop = UVS__LOOP_ANY, .kind = -1};
    destroy_groups(&groups);
    if (!figures)
        return -UVS_E_ENVIRONMENT;
    *ret_figures = figures;
    *ret_count = count;
    return 0;
}
