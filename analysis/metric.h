// SPDX-License-Identifier: MIT
// The metrics that rules are made of: one row each, saying where in a report its figure is found.
#ifndef UVS_METRIC_H
#define UVS_METRIC_H

#include <stdbool.h>
#include "report.h"
#include "rule.h"

// Which rows of a report a metric looks at.
enum uvs__scope {
    UVS__SCOPE_LOOP,
    UVS__SCOPE_CALLBACK,
    UVS__SCOPE_SYNC_CALL,
    UVS__SCOPE_POOL,
    UVS__SCOPE_REQUEST, // of a pool
    UVS__SCOPE_LOSS,
    UVS__SCOPE_CULPRIT,
    UVS__SCOPE_VICTIM,
};

enum uvs__unit { UVS__UNIT_TIME, UVS__UNIT_COUNT, UVS__UNIT_RATIO, UVS__UNIT_QUOTIENT };

enum uvs__form {
    UVS__FORM_HIST,    // `stat` of the struct uvs_hist at `offset`
    UVS__FORM_INTEGER, // the uint64_t at `offset`; UVS_ABSENT is unknown
    UVS__FORM_COMPUTED // negative: this row has none
};

enum uvs__stat {
    UVS__STAT_COUNT,
    UVS__STAT_SUM,
    UVS__STAT_MEAN,
    UVS__STAT_MIN,
    UVS__STAT_MAX,
    UVS__STAT_P50,
    UVS__STAT_P90,
    UVS__STAT_P99,
    UVS__STAT_P999,
};

// offset and compute look into the scope's row: struct uvs_loop_row, uvs_callback_row, uvs_sync_row,
// uvs_pool_row, uvs_pool_request_row, uvs_trace_facts, uvs_culprit_row, uvs_victim_row.
struct uvs__metric {
    struct uvs_metric_info info;
    enum uvs__scope scope;
    enum uvs__unit unit;
    enum uvs__form form;
    enum uvs__stat stat;
    size_t offset;
    double (*compute)(const void *row);
    bool additive;   // a number of things: rows add up, and no rows at all make 0
    bool blames;     // one site has the greatest part in it, and is worth naming
    bool needs_time; // of a loop: those that were seen too briefly have none
};

// NULL when there is none of that name.
const struct uvs__metric *uvs__metric_find(const char *name);

// hist must not be empty, unless stat is the count.
double uvs__stat_of(enum uvs__stat stat, const struct uvs_hist *hist);

#endif
