// SPDX-License-Identifier: MIT
// What changed between two groups of runs, for people and for programs.
#ifndef UVS_TEXT_COMPARE_H
#define UVS_TEXT_COMPARE_H

#include <jansson.h>
#include "../analysis/compare.h"
#include "text_format.h"

// "7 runs against 7: 2 figures are worse, 1 is better, 40 are the same"; then what cannot be told.
void uvs__print_comparison_verdict(FILE *out, const struct uvs_comparison *comparison, size_t old_runs,
                                   size_t new_runs);

// "callback.duration.p50 of timer on_tick (app.c): 5.00 ms -> 6.01 ms, +20 % (p = 0.0006)", without a line's
// end.
void uvs__print_change(FILE *out, const struct uvs_change *change);

// The verdict, and a line for each change, at most `top` (0: all); with `all` those that are the same too.
void uvs__print_comparison(FILE *out, const struct uvs__look *look, const struct uvs_comparison *comparison,
                           size_t old_runs, size_t new_runs, size_t top, bool all);
// The same as Markdown.
void uvs__print_comparison_markdown(FILE *out, const struct uvs_comparison *comparison, size_t old_runs,
                                    size_t new_runs, size_t top, bool all);

// NULL without memory.
json_t *uvs__comparison_to_json(const struct uvs_comparison *comparison,
                                const struct uvs_compare_options *options, size_t old_runs, size_t new_runs);

#endif
