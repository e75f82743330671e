// SPDX-License-Identifier: MIT
// The table of what is compared between runs.
#include "runs.h"

#define MEASURE(name, FORM, gated, rows, group, member)    \
    {                                                      \
        name, UVS_GAUGE_##FORM, gated, rows, group, member \
    }

static const struct uvs_gauge gauges[] = {
    MEASURE("loop.block.p50", TIME, false, "loops", "block", "p50_ns"),
    MEASURE("loop.block.max", TIME, false, "loops", "block", "max_ns"),
    MEASURE("loop.blocked.count", RATE, false, "loops", "blocked", "count"),
    MEASURE("callback.duration.p50", TIME, true, "callbacks", "duration", "p50_ns"),
    MEASURE("callback.duration.p99", TIME, false, "callbacks", "duration", "p99_ns"),
    MEASURE("callback.delay.p50", TIME, false, "callbacks", "delay", "p50_ns"),
    MEASURE("callback.delay.p99", TIME, false, "callbacks", "delay", "p99_ns"),
    MEASURE("callback.latency.p50", TIME, false, "callbacks", "latency", "p50_ns"),
    MEASURE("callback.count", RATE, false, "callbacks", NULL, "count"),
    MEASURE("sync_call.duration.p50", TIME, true, "sync_calls", "duration", "p50_ns"),
    MEASURE("sync_call.count", COUNT, true, "sync_calls", "duration", "count"),
    MEASURE("pool.queue.p50", TIME, false, "requests", "queue", "p50_ns"),
    MEASURE("pool.service.p50", TIME, true, "requests", "service", "p50_ns"),
    MEASURE("pool.count", COUNT, true, "requests", NULL, "count"),
};

const struct uvs_gauge *uvs_gauge_at(size_t index)
{
    return index < sizeof(gauges) / sizeof(gauges[0]) ? &gauges[index] : NULL;
}
