// SPDX-License-Identifier: MIT
// Rules on one trace, in the worker: what came out is JSON, from which the command makes every form.
#ifndef UVS_JUDGE_H
#define UVS_JUDGE_H

#include <stdbool.h>
#include <stdio.h>
#include "../analysis/rule.h"

struct uvs__judge {
    struct uvs_rule **rules;
    size_t count;
    bool measures; // the report goes along, for who compares it
};

// As uvs__report_job's render; data: struct uvs__judge. {"check": as `check --format json` prints it,
// "report": the report or null}.
int uvs__judge(FILE *out, const struct uvs_report *report, void *data, struct uvs_error *error);

#endif
