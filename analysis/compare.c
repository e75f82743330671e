// SPDX-License-Identifier: MIT
// Each figure that either side has is laid out over its runs, and judged by the strongest evidence there is.
#include "compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rank.h"

enum { NO_MEMORY = -UVS_E_ENVIRONMENT };

const char *const uvs_change_words[] = {
#define X(NAME, word) [UVS_CHANGE_##NAME] = word,
    UVS_CHANGE_MAP(X)
#undef X
};
const char *const uvs_evidence_words[] = {
#define X(NAME, word) [UVS_EVIDENCE_##NAME] = word,
    UVS_EVIDENCE_MAP(X)
#undef X
};

// One figure over a side's runs.
struct side {
    const struct uvs_runs *runs;
    double *values, *counts;
    size_t count;                    // of runs that have it; of counts, all runs
    double median, samples, busy_ns; // of a floor the least instead of the median
    double calls;                    // of all runs
};

struct work {
    const struct uvs_compare_options *options;
    struct side sides[2];
    struct uvs_comparison comparison;
};

static const struct uvs_measured *find(const struct uvs_run *run, const struct uvs_gauge *gauge,
                                       const char *who)
{
    size_t low = 0, high = run->count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        const struct uvs_measured *item = &run->items[middle];
        const int order = item->gauge != gauge ? (item->gauge < gauge ? -1 : 1) : strcmp(item->who, who);
        if (order == 0)
            return item;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool is_counted(const struct uvs_gauge *gauge)
{
    return !uvs_gauge_is_time(gauge);
}

static void lay_out(struct side *side, const struct uvs_gauge *gauge, const char *who)
{
    side->count = 0;
    for (size_t i = 0; i < side->runs->count; i++) {
        const struct uvs_measured *item = find(&side->runs->items[i], gauge, who);
        if (!item && !is_counted(gauge))
            continue;
        side->values[side->count] = item ? item->value : 0;
        side->counts[side->count++] = item ? item->count : 0;
    }
    if (side->count == 0)
        return;
    side->calls = 0;
    for (size_t i = 0; i < side->count; i++)
        side->calls += side->counts[i];
    side->median = uvs_median(side->values, side->count); // which sorts them
    if (gauge->form == UVS_GAUGE_FLOOR)
        side->median = side->values[0];
    side->samples = uvs_median(side->counts, side->count);
}

static bool agrees(const struct side *side)
{
    for (size_t i = 1; i < side->count; i++)
        if (fabs(side->values[i] - side->values[0]) > 0)
            return false;
    return true;
}

// What the change costs or saves in a run: of times, together. Counts stand for themselves.
static double cost_of(const struct uvs_change *change, const struct side *sides)
{
    const double difference = change->new_value - change->old_value;
    if (is_counted(change->gauge))
        return difference;
    return difference * (sides[0].samples + sides[1].samples) / 2;
}

static bool matters(const struct uvs_change *change, const struct work *work)
{
    const double difference = fabs(change->new_value - change->old_value);
    if (difference <= 0 || difference < work->options->tolerance * change->old_value)
        return false;
    return is_counted(change->gauge) ||
           fabs(cost_of(change, work->sides)) >= UVS_COMPARE_SHARE * work->sides[0].busy_ns;
}

static enum uvs_evidence evidence_of(const struct work *work, const struct uvs_change *change)
{
    const struct side *sides = work->sides;
    const bool several = sides[0].count > 1 && sides[1].count > 1;
    if (change->gauge->form == UVS_GAUGE_COUNT && several && agrees(&sides[0]) && agrees(&sides[1]) &&
        !work->comparison.has_loss)
        return UVS_EVIDENCE_EXACT;
    if (change->gauge->form == UVS_GAUGE_FLOOR && sides[0].calls >= UVS_COMPARE_CALLS &&
        sides[1].calls >= UVS_COMPARE_CALLS)
        return UVS_EVIDENCE_FLOOR;
    return uvs_rank_least(sides[0].count, sides[1].count) <= work->options->p ? UVS_EVIDENCE_RANKS
                                                                              : UVS_EVIDENCE_TOLERANCE;
}

static int judge(struct work *work, struct uvs_change *change)
{
    const struct side *sides = work->sides;
    struct uvs_rank rank = {.p = -1, .superiority = 0.5};
    int result = 0;
    change->evidence = evidence_of(work, change);
    if (sides[0].count > 1 && sides[1].count > 1)
        result = uvs_rank_test(sides[0].values, sides[0].count, sides[1].values, sides[1].count, &rank);
    change->p = rank.p;
    change->superiority = rank.superiority;
    bool differs = matters(change, work);
    if (change->evidence == UVS_EVIDENCE_EXACT)
        differs = fabs(change->new_value - change->old_value) > 0;
    else if (change->evidence == UVS_EVIDENCE_RANKS)
        differs = differs && rank.p <= work->options->p;
    if (differs)
        change->verdict = change->new_value > change->old_value ? UVS_CHANGE_WORSE : UVS_CHANGE_BETTER;
    return result;
}

bool uvs_change_fails(const struct uvs_comparison *comparison, const struct uvs_change *change)
{
    if (change->verdict != UVS_CHANGE_WORSE || !change->gauge->is_gated)
        return false;
    return is_counted(change->gauge) ? !comparison->has_loss : change->evidence != UVS_EVIDENCE_RANKS;
}

static int add_change(struct work *work, const struct uvs_gauge *gauge, const char *who)
{
    struct uvs_comparison *comparison = &work->comparison;
    struct side *sides = work->sides;
    for (size_t i = 0; i < 2; i++)
        lay_out(&sides[i], gauge, who);
    // A time of something that one side never did, or hardly ever did, has nothing to be compared with.
    if (2 * sides[0].count < sides[0].runs->count || 2 * sides[1].count < sides[1].runs->count ||
        sides[0].count == 0 || sides[1].count == 0)
        return 0;
    struct uvs_change change = {.gauge = gauge,
                                .who = who,
                                .old_value = sides[0].median,
                                .new_value = sides[1].median,
                                .old_runs = sides[0].count,
                                .new_runs = sides[1].count};
    const int result = judge(work, &change);
    if (result < 0)
        return result;
    comparison->worse += change.verdict == UVS_CHANGE_WORSE;
    comparison->better += change.verdict == UVS_CHANGE_BETTER;
    comparison->gated += uvs_change_fails(comparison, &change);
    comparison->items[comparison->count++] = change;
    return 0;
}

// Whom an earlier run has was looked at then.
static bool is_new(const struct work *work, size_t side, size_t index, const struct uvs_measured *item)
{
    for (size_t s = 0; s <= side; s++) {
        const struct uvs_runs *runs = work->sides[s].runs;
        for (size_t i = 0; i < (s == side ? index : runs->count); i++)
            if (find(&runs->items[i], item->gauge, item->who))
                return false;
    }
    return true;
}

static int rank_of(const struct uvs_change *change)
{
    static const int order[] = {[UVS_CHANGE_WORSE] = 0, [UVS_CHANGE_BETTER] = 1, [UVS_CHANGE_SAME] = 2};
    return order[change->verdict];
}

static double relative(const struct uvs_change *change)
{
    return change->old_value > 0 ? fabs(change->new_value / change->old_value - 1) : INFINITY;
}

static int compare_changes(const void *a, const void *b)
{
    const struct uvs_change *x = a, *y = b;
    if (rank_of(x) != rank_of(y))
        return rank_of(x) - rank_of(y);
    if (x->gauge->is_gated != y->gauge->is_gated)
        return y->gauge->is_gated - x->gauge->is_gated;
    if (relative(x) < relative(y) || relative(x) > relative(y))
        return relative(x) < relative(y) ? 1 : -1;
    return x->gauge != y->gauge ? (x->gauge < y->gauge ? -1 : 1) : strcmp(x->who, y->who);
}

static bool lost_any(const struct uvs_runs *runs)
{
    for (size_t i = 0; i < runs->count; i++)
        if (runs->items[i].lost > 0)
            return true;
    return false;
}

static size_t count_items(const struct uvs_runs *runs)
{
    size_t count = 0;
    for (size_t i = 0; i < runs->count; i++)
        count += runs->items[i].count;
    return count;
}

static bool open_side(struct side *side, const struct uvs_runs *runs)
{
    *side = (struct side){.runs = runs};
    side->values = calloc(runs->count + 1, sizeof(*side->values));
    side->counts = calloc(runs->count + 1, sizeof(*side->counts));
    if (!side->values || !side->counts)
        return false;
    for (size_t i = 0; i < runs->count; i++)
        side->values[i] = runs->items[i].busy_ns;
    side->busy_ns = uvs_median(side->values, runs->count);
    return true;
}

static int compare_all(struct work *work)
{
    int result = 0;
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < work->sides[side].runs->count; i++) {
            const struct uvs_run *run = &work->sides[side].runs->items[i];
            for (size_t j = 0; j < run->count && result == 0; j++)
                if (is_new(work, side, i, &run->items[j]))
                    result = add_change(work, run->items[j].gauge, run->items[j].who);
        }
    return result;
}

int uvs_compare(const struct uvs_runs *old_runs, const struct uvs_runs *new_runs,
                const struct uvs_compare_options *options, struct uvs_comparison *ret_comparison)
{
    struct work work = {.options = options};
    struct uvs_comparison *comparison = &work.comparison;
    comparison->has_loss = lost_any(old_runs) || lost_any(new_runs);
    comparison->tells_noise = uvs_rank_least(old_runs->count, new_runs->count) <= options->p;
    comparison->items = calloc(count_items(old_runs) + count_items(new_runs) + 1, sizeof(*comparison->items));
    const bool has_old = open_side(&work.sides[0], old_runs), has_new = open_side(&work.sides[1], new_runs);
    int result = has_old && has_new && comparison->items ? compare_all(&work) : NO_MEMORY;
    for (size_t side = 0; side < 2; side++) {
        free(work.sides[side].values);
        free(work.sides[side].counts);
    }
    if (result == 0) {
        qsort(comparison->items, comparison->count, sizeof(*comparison->items), compare_changes);
        *ret_comparison = *comparison;
    } else {
        uvs_comparison_clear(comparison);
    }
    return result;
}

void uvs_comparison_clear(struct uvs_comparison *comparison)
{
    free(comparison->items);
    *comparison = (struct uvs_comparison){0};
}
