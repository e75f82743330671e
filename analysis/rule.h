// SPDX-License-Identifier: MIT
// The rules of `uvscope check`, evaluated on a report. Grammar in report-schema and docs/ANALYSES.md:
//   <metric> [kind=K] [site~REGEX] [pid=N] [by site [min N]] [/ <metric> [kind=K] ...] <op> <value with unit> [or none]
#ifndef UVS_RULE_H
#define UVS_RULE_H

#include <stdbool.h>
#include "report.h"

struct uvs_rule;

// Parses one rule. -UVS_E_USAGE says which word is wrong, and names the near ones for a misspelt metric, kind
// or unit.
int uvs_rule_parse(const char *text, struct uvs_rule **ret_rule, struct uvs_error *error);
void uvs_rule_destroy(struct uvs_rule *rule);

struct uvs_verdict {
    bool passed;
    // No figure: nothing in the trace matches (passed if the rule ends in `or none`), or what matches could
    // not be measured, such as pool requests whose hand-off was missed (never passed).
    bool no_data;
    double value; // the figure that decided, in the metric's base unit (ns, count, ratio 0..1); no_data: 0
    char *where;  // "pid 12 loop 0, timer on_tick (app.c:3)"; NULL when the whole trace
    char *text;   // one line for a person: rule, figure, where
    const struct uvs_site *site; // whose figure it is, borrowed from the report; NULL: nobody's
};

// Evaluates on a report; ret_verdicts is the caller's: one, or one per violating site for `by site`.
int uvs_rule_check(const struct uvs_rule *rule, const struct uvs_report *report,
                   struct uvs_verdict **ret_verdicts, size_t *ret_count, struct uvs_error *error);
void uvs_verdicts_destroy(struct uvs_verdict *verdicts, size_t count);

const char *uvs_rule_text(const struct uvs_rule *rule);
// "ns", "count", "ratio" or "quotient" (of two counts): what a verdict's value is in.
const char *uvs_rule_unit(const struct uvs_rule *rule);

// Every metric with its meaning, for --help and the documentation test: returns NULL past the end.
struct uvs_metric_info {
    const char *name, *unit, *meaning;
};
const struct uvs_metric_info *uvs_metric_info(size_t index);

#endif
