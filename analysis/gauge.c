// SPDX-License-Identifier: MIT
// The table of what is compared between runs.
#include "runs.h"

#define GAUGE(name, FORM, gated, rows, group, member)      \
    {                                                      \
        name, UVS_GAUGE_##FORM, gated, rows, group, member \
    }

static const struct uvs_gauge gauges[] = {
    GAUGE("loop.block.p50", TIME, false, "loops", "block", "p50_ns"),
    GAUGE("loop.block.max", TIME, false, "loops", "block", "max_ns"),
    GAUGE("loop.blocked.count", RATE, false, "loops", "blocked", "count"),
    GAUGE("callback.duration.min", FLOOR, true, "callbacks", "duration", "min_ns"),
    GAUGE("callback.duration.p50", TIME, false, "callbacks", "duration", "p50_ns"),
    GAUGE("callback.duration.p99", TIME, false, "callbacks", "duration", "p99_ns"),
    GAUGE("callback.delay.p50", TIME, false, "callbacks", "delay", "p50_ns"),
    GAUGE("callback.delay.p99", TIME, false, "callbacks", "delay", "p99_ns"),
    GAUGE("callback.latency.p50", TIME, false, "callbacks", "latency", "p50_ns"),
    GAUGE("callback.count", RATE, false, "callbacks", NULL, "count"),
    GAUGE("sync_call.duration.min", FLOOR, true, "sync_calls", "duration", "min_ns"),
    GAUGE("sync_call.duration.p50", TIME, false, "sync_calls", "duration", "p50_ns"),
    GAUGE("sync_call.count", COUNT, true, "sync_calls", "duration", "count"),
    GAUGE("pool.queue.p50", TIME, false, "requests", "queue", "p50_ns"),
    GAUGE("pool.service.min", FLOOR, true, "requests", "service", "min_ns"),
    GAUGE("pool.service.p50", TIME, false, "requests", "service", "p50_ns"),
    GAUGE("pool.count", COUNT, true, "requests", NULL, "count"),
};

const struct uvs_gauge *uvs_gauge_at(size_t index)
{
    return index < sizeof(gauges) / sizeof(gauges[0]) ? &gauges[index] : NULL;
}
