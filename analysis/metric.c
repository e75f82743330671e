// SPDX-License-Identifier: MIT
// The table of metrics.
#include "metric.h"

#include <string.h>

static double loop_utilization(const void *row)
{
    const struct uvs_loop_row *loop = row;
    double total = (double)loop->busy_ns + (double)loop->poll_ns;
    return total > 0 ? (double)loop->busy_ns / total : -1;
}

static double pool_utilization(const void *row)
{
    return ((const struct uvs_pool_row *)row)->utilization;
}

// Without its size nobody knows when all of its workers were busy.
static double pool_saturated(const void *row)
{
    const struct uvs_pool_row *pool = row;
    return pool->size && pool->saturated_ns != UVS_ABSENT ? (double)pool->saturated_ns : -1;
}

static double pool_stuck(const void *row)
{
    const struct uvs_pool_row *pool = row;
    if (pool->never_started == UVS_ABSENT)
        return -1;
    return (double)pool->never_started + (double)pool->never_finished;
}

#define UNIT_NAME_TIME  "ns"
#define UNIT_NAME_COUNT "count"
#define UNIT_NAME_RATIO "ratio"

#define ROW(SCOPE, UNIT, path, what, ...)                                                               \
    {                                                                                                   \
        .info = {.name = path, .unit = UNIT_NAME_##UNIT, .meaning = what}, .scope = UVS__SCOPE_##SCOPE, \
        .unit = UVS__UNIT_##UNIT, __VA_ARGS__                                                           \
    }

#define STAT(SCOPE, UNIT, path, STAT_NAME, type, member, what)                                  \
    ROW(SCOPE, UNIT, path, what, .form = UVS__FORM_HIST, .stat = UVS__STAT_##STAT_NAME,         \
        .offset = offsetof(type, member), .additive = UVS__STAT_##STAT_NAME == UVS__STAT_COUNT, \
        .blames = UVS__STAT_##STAT_NAME == UVS__STAT_MAX)

#define DISTRIBUTION(SCOPE, path, type, member, what)                                     \
    STAT(SCOPE, COUNT, path ".count", COUNT, type, member, "number of samples of " what), \
        STAT(SCOPE, TIME, path ".sum", SUM, type, member, "sum of " what),                \
        STAT(SCOPE, TIME, path ".mean", MEAN, type, member, "mean of " what),             \
        STAT(SCOPE, TIME, path ".min", MIN, type, member, "least of " what),              \
        STAT(SCOPE, TIME, path ".max", MAX, type, member, "greatest of " what),           \
        STAT(SCOPE, TIME, path ".p50", P50, type, member, "median of " what),             \
        STAT(SCOPE, TIME, path ".p90", P90, type, member, "90th percentile of " what),    \
        STAT(SCOPE, TIME, path ".p99", P99, type, member, "99th percentile of " what),    \
        STAT(SCOPE, TIME, path ".p999", P999, type, member, "99.9th percentile of " what)

#define INTEGER(SCOPE, UNIT, path, type, member, adds, what)                                  \
    ROW(SCOPE, UNIT, path, what, .form = UVS__FORM_INTEGER, .offset = offsetof(type, member), \
        .additive = adds)

#define BLAMING(UNIT, path, member, what)                                                                   \
    ROW(LOOP, UNIT, path, what, .form = UVS__FORM_INTEGER, .offset = offsetof(struct uvs_loop_row, member), \
        .blames = true)

#define COMPUTED(SCOPE, UNIT, path, function, adds, what) \
    ROW(SCOPE, UNIT, path, what, .form = UVS__FORM_COMPUTED, .compute = function, .additive = adds)

#define SHARE_OF_LOOP(path, function, what) \
    ROW(LOOP, RATIO, path, what, .form = UVS__FORM_COMPUTED, .compute = function, .needs_time = true)

static const struct uvs__metric metrics[] = {
    DISTRIBUTION(LOOP, "loop.block", struct uvs_loop_row, block, "the loop's busy intervals"),
    BLAMING(COUNT, "loop.blocked.count", blocked_count, "busy intervals at or above the block threshold"),
    BLAMING(TIME, "loop.blocked.sum", blocked_sum_ns,
            "sum of the busy intervals at or above the block threshold"),
    SHARE_OF_LOOP("loop.utilization", loop_utilization, "busy / (busy + poll)"),
    INTEGER(LOOP, COUNT, "loop.try_writes", struct uvs_loop_row, try_writes, false,
            "calls of uv_try_write and the like"),
    INTEGER(LOOP, COUNT, "loop.iterations", struct uvs_loop_row, iterations, false, "poll phases"),
    DISTRIBUTION(CALLBACK, "callback.duration", struct uvs_callback_row, duration,
                 "the time inside callbacks"),
    DISTRIBUTION(CALLBACK, "callback.self", struct uvs_callback_row, self,
                 "the time inside callbacks without nested ones"),
    DISTRIBUTION(CALLBACK, "callback.delay", struct uvs_callback_row, delay,
                 "the time from when a callback could have run to when it ran"),
    DISTRIBUTION(CALLBACK, "callback.delay_most", struct uvs_callback_row, delay_most,
                 "the most that a descriptor's callback can have been late"),
    DISTRIBUTION(CALLBACK, "callback.latency", struct uvs_callback_row, latency,
                 "the time from a request's submission to its callback"),
    STAT(CALLBACK, COUNT, "callback.count", COUNT, struct uvs_callback_row, duration, "callbacks that ran"),
    INTEGER(CALLBACK, COUNT, "callback.cancelled", struct uvs_callback_row, cancelled, true,
            "callbacks of cancelled requests"),
    DISTRIBUTION(SYNC_CALL, "sync_call.duration", struct uvs_sync_row, duration,
                 "the time waited in synchronous calls"),
    STAT(SYNC_CALL, COUNT, "sync_call.count", COUNT, struct uvs_sync_row, duration, "synchronous calls"),
    DISTRIBUTION(REQUEST, "pool.queue", struct uvs_pool_request_row, queue,
                 "the time from a request's submission to a worker taking it"),
    DISTRIBUTION(REQUEST, "pool.service", struct uvs_pool_request_row, service,
                 "the time a worker ran a request"),
    DISTRIBUTION(REQUEST, "pool.return", struct uvs_pool_request_row, return_,
                 "the time from a finished request to its callback"),
    INTEGER(REQUEST, COUNT, "pool.count", struct uvs_pool_request_row, count, true, "pool requests"),
    INTEGER(REQUEST, COUNT, "pool.cancelled", struct uvs_pool_request_row, cancelled, true,
            "cancelled pool requests"),
    COMPUTED(POOL, TIME, "pool.saturated", pool_saturated, false,
             "time with every worker busy and a request waiting"),
    COMPUTED(POOL, RATIO, "pool.utilization", pool_utilization, false, "the workers' busy share"),
    INTEGER(POOL, COUNT, "pool.max_queue_depth", struct uvs_pool_row, max_queue_depth, false,
            "most requests waiting at once"),
    COMPUTED(POOL, COUNT, "pool.stuck", pool_stuck, true, "requests never started or never finished"),
    DISTRIBUTION(CULPRIT, "blame.inflicted", struct uvs_culprit_row, inflicted,
                 "the time that one made another wait"),
    INTEGER(CULPRIT, TIME, "blame.wall", struct uvs_culprit_row, wall_ns, true,
            "the culprits' time while somebody waited for them"),
    DISTRIBUTION(VICTIM, "blame.suffered", struct uvs_victim_row, suffered,
                 "the time for which one was made to wait"),
    INTEGER(LOSS, COUNT, "loss.events", struct uvs_trace_facts, loss.events, false, "lost events"),
    INTEGER(LOSS, COUNT, "loss.packets", struct uvs_trace_facts, loss.packets, false, "lost packets"),
    INTEGER(LOSS, COUNT, "loss.spans_unknown", struct uvs_trace_facts, loss.spans_unknown, false,
            "callbacks whose self time or block is unknown because of loss"),
};

enum { METRIC_COUNT = sizeof(metrics) / sizeof(metrics[0]) };

const struct uvs__metric *uvs__metric_find(const char *name)
{
    for (size_t i = 0; i < METRIC_COUNT; i++)
        if (strcmp(metrics[i].info.name, name) == 0)
            return &metrics[i];
    return NULL;
}

const struct uvs_metric_info *uvs_metric_info(size_t index)
{
    return index < METRIC_COUNT ? &metrics[index].info : NULL;
}

double uvs__stat_of(enum uvs__stat stat, const struct uvs_hist *hist)
{
    static const double quantiles[] = {
        [UVS__STAT_P50] = 0.5, [UVS__STAT_P90] = 0.9, [UVS__STAT_P99] = 0.99, [UVS__STAT_P999] = 0.999};
    switch (stat) {
    case UVS__STAT_COUNT:
        return (double)hist->count;
    case UVS__STAT_SUM:
        return (double)hist->sum;
    case UVS__STAT_MEAN:
        return (double)hist->sum / (double)hist->count;
    case UVS__STAT_MIN:
        return (double)hist->min;
    case UVS__STAT_MAX:
        return (double)hist->max;
    default:
        return (double)uvs_hist_quantile(hist, quantiles[stat]);
    }
}
