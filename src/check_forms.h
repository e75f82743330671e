// SPDX-License-Identifier: MIT
// The outputs of `check`.
#ifndef UVS_CHECK_FORMS_H
#define UVS_CHECK_FORMS_H

#include <stdio.h>
#include "check_result.h"
#include "text_format.h"

// All: 0, or -UVS_E_ENVIRONMENT without memory.

// A line for each verdict, what each run lost, and the changes since the baseline.
int uvs__print_check(FILE *out, const struct uvs__look *look, const struct uvs__check_result *result);
// One run: its check object, and the comparison as `baseline`. Several: these as `runs`.
int uvs__print_check_json(FILE *out, const struct uvs__check_result *result);
// For a comment on a change, or a job's summary.
int uvs__print_check_markdown(FILE *out, const struct uvs__check_result *result);
// JUnit XML as Jenkins and GitLab read it: a suite for the rules, one for the baseline, a case for each
// outcome.
int uvs__print_check_junit(FILE *out, const struct uvs__check_result *result);
// GitHub's workflow commands: an error for each violation, at its line where that is known.
int uvs__print_check_github(FILE *out, const struct uvs__check_result *result);
// github-action-benchmark's customSmallerIsBetter: the medians of what a baseline gates.
int uvs__print_check_benchmark(FILE *out, const struct uvs__check_result *result);

#endif
