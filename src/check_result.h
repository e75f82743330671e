// SPDX-License-Identifier: MIT
// What came out of `check`, over all its runs: the forms are made from this.
#ifndef UVS_CHECK_RESULT_H
#define UVS_CHECK_RESULT_H

#include <jansson.h>
#include "../analysis/compare.h"

// One thing that was tested: a rule on a run, or a figure that got worse than the baseline.
struct uvs__outcome {
    const char *suite; // "rules" or "baseline"
    char *name;        // the rule, of several runs with the run's number; or metric and whom it is of
    char *text;        // one line for a person
    const char *file;  // of whose figure it is; NULL unknown
    int line;          // 0 unknown
    bool passed;
};

struct uvs__check_result {
    json_t *checks; // of each run, as `check --format json` prints that of one
    struct uvs_runs runs, baseline;
    struct uvs_compare_options options;
    struct uvs_comparison comparison; // where there is a baseline
    bool is_compared;
    struct uvs__outcome *outcomes;
    size_t outcome_count, failed;
};

// Takes the JSON that a worker's uvs__judge made of the run at `path`. 0 or a negative code.
int uvs__check_result_add(struct uvs__check_result *result, const char *text, size_t size, const char *path,
                          struct uvs_error *error);
// All runs are there: compares them with the baseline, if it has runs, and fills the outcomes. 0 or
// -UVS_E_ENVIRONMENT.
int uvs__check_result_finish(struct uvs__check_result *result);
void uvs__check_result_clear(struct uvs__check_result *result);

#endif
