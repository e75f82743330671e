// SPDX-License-Identifier: MIT
// When a loop's behaviour changed for the worse: the cut that parts its slices best, if they differ enough.
#include "findings.h"

#include "duration.h"
#include "saturate.h"

#include <stdlib.h>

enum { NO_MEMORY = -UVS_E_ENVIRONMENT, FEWEST_SLICES = 10 };
static const uint64_t few_iterations = 20;
// Of the slices on either side that must be on their side of the middle.
static const double most = 0.8;

// The slices in which the loop ran, and a figure between 0 and 1 for each.
struct curve {
    double *values;
    size_t *slices;
    uint64_t *iterations;
    size_t count;
};

struct cut {
    size_t at; // the first that is after
    double before, after;
};

typedef double measure(const struct uvs_slice *slice, const struct uvs_report *report);

static double utilization(const struct uvs_slice *slice, const struct uvs_report *report)
{
    (void)report;
    const double known_ns = (double)slice->busy_ns + (double)slice->poll_ns;
    return known_ns > 0 ? (double)slice->busy_ns / known_ns : 0;
}

// With all the time of which nothing is known.
static double most_utilization(const struct uvs_slice *slice, const struct uvs_report *report)
{
    return 1 - (double)slice->poll_ns / (double)report->slice_ns;
}

static double least_utilization(const struct uvs_slice *slice, const struct uvs_report *report)
{
    return (double)slice->busy_ns / (double)report->slice_ns;
}

static double has_block(const struct uvs_slice *slice, const struct uvs_report *report)
{
    return slice->worst_block_ns >= report->block_threshold_ns;
}

static double may_have_block(const struct uvs_slice *slice, const struct uvs_report *report)
{
    return uvs__add(slice->busy_ns, slice->poll_ns) < report->slice_ns || has_block(slice, report) > 0;
}

// Where nothing was lost, the loop did not run in a slice without anything.
static void draw(const struct uvs_report *report, const struct uvs_slices_row *row, measure *value,
                 struct curve *curve)
{
    curve->count = 0;
    for (size_t i = 0; i < report->slice_count; i++) {
        const struct uvs_slice *slice = &row->slices[i];
        if (slice->busy_ns == 0 && slice->poll_ns == 0 && !uvs__has_loss(&report->trace))
            continue;
        curve->slices[curve->count] = i;
        curve->iterations[curve->count] = slice->iterations;
        curve->values[curve->count++] = value(slice, report);
    }
}

static double mean(const struct curve *curve, size_t from, size_t to)
{
    double sum = 0;
    for (size_t i = from; i < to; i++)
        sum += curve->values[i];
    return sum / (double)(to - from);
}

// As if what was lost were all against it.
static void doubt(const struct uvs_report *report, const struct uvs_slices_row *row, measure *least,
                  measure *greatest, struct curve *curve, struct cut *cut)
{
    for (size_t i = 0; i < curve->count; i++)
        curve->values[i] = (i < cut->at ? greatest : least)(&row->slices[curve->slices[i]], report);
    cut->before = mean(curve, 0, cut->at);
    cut->after = mean(curve, cut->at, curve->count);
}

// The squares around the two means are least where the difference of the means weighs most.
static struct cut best_cut(const struct curve *curve)
{
    struct cut best = {0};
    size_t margin = curve->count / 10 + 1;
    double most_explained = 0;
    for (size_t at = margin; at + margin <= curve->count; at++) {
        double before = mean(curve, 0, at), after = mean(curve, at, curve->count);
        double weight = (double)at * (double)(curve->count - at), difference = after - before;
        if (difference <= 0 || weight * difference * difference <= most_explained)
            continue;
        most_explained = weight * difference * difference;
        best = (struct cut){at, before, after};
    }
    return best;
}

static bool is_clear(const struct curve *curve, const struct cut *cut)
{
    double middle = (cut->before + cut->after) / 2;
    size_t low = 0, high = 0;
    uint64_t iterations[2] = {0};
    for (size_t i = 0; i < curve->count; i++) {
        low += i < cut->at && curve->values[i] < middle;
        high += i >= cut->at && curve->values[i] >= middle;
        iterations[i >= cut->at] += curve->iterations[i];
    }
    return (double)low >= most * (double)cut->at && (double)high >= most * (double)(curve->count - cut->at) &&
           iterations[0] >= few_iterations && iterations[1] >= few_iterations;
}

static int say(struct uvs__hunt *hunt, const struct uvs_loop_row *loop, size_t slice, const struct cut *cut,
               const char *what)
{
    const struct uvs_report *report = hunt->report;
    char name[UVS__TEXT_SIZE], moment[UVS__TEXT_SIZE], threshold[UVS__TEXT_SIZE];
    return uvs__found(hunt, UVS_ABSENT, loop->pid, (int)loop->loop,
                      "from %s on %s had %s%s for %.0f %% of its time, before that for %.0f %%",
                      uvs_format_ns(moment, sizeof(moment), report->shown.from_ns + slice * report->slice_ns),
                      uvs_loop_text(report, loop, name), what,
                      *what == 'b' ? uvs_format_ns(threshold, sizeof(threshold), report->block_threshold_ns)
                                   : "",
                      cut->after * 100, cut->before * 100);
}

static int look(struct uvs__hunt *hunt, const struct uvs_loop_row *loop, const struct uvs_slices_row *row,
                struct curve *curve)
{
    static const struct {
        measure *value, *least, *greatest;
        double least_more, least_times; // to tell
        const char *what;
    } sides[] = {{utilization, least_utilization, most_utilization, 0.2, 2, "work to do"},
                 {has_block, has_block, may_have_block, 0.4, 4, "blocks of at least "}};
    int rc = 0;
    for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]) && !rc; i++) {
        draw(hunt->report, row, sides[i].value, curve);
        struct cut cut = curve->count >= FEWEST_SLICES ? best_cut(curve) : (struct cut){0};
        if (cut.at && uvs__has_loss(&hunt->report->trace))
            doubt(hunt->report, row, sides[i].least, sides[i].greatest, curve, &cut);
        if (cut.at && cut.after - cut.before >= sides[i].least_more &&
            cut.after >= sides[i].least_times * cut.before && is_clear(curve, &cut))
            rc = say(hunt, loop, curve->slices[cut.at], &cut, sides[i].what);
    }
    return rc;
}

int uvs__find_onset(struct uvs__hunt *hunt, const struct uvs_loop_row *loop)
{
    const struct uvs_report *report = hunt->report;
    const struct uvs_slices_row *row = NULL;
    for (size_t i = 0; i < report->slices_count && !row; i++)
        if (report->slices[i].pid == loop->pid && report->slices[i].loop == (int)loop->loop)
            row = &report->slices[i];
    if (!row || report->slice_count < FEWEST_SLICES)
        return 0;
    struct curve curve = {.values = calloc(report->slice_count, sizeof(*curve.values)),
                          .slices = calloc(report->slice_count, sizeof(*curve.slices)),
                          .iterations = calloc(report->slice_count, sizeof(*curve.iterations))};
    bool complete = curve.values && curve.slices && curve.iterations;
    int rc = complete ? look(hunt, loop, row, &curve) : NO_MEMORY;
    free(curve.values);
    free(curve.slices);
    free(curve.iterations);
    return rc;
}
