// SPDX-License-Identifier: MIT
// The verdicts of `check`, for people and for programs.
#ifndef UVS_TEXT_CHECK_H
#define UVS_TEXT_CHECK_H

#include "../analysis/rule.h"
#include "text_format.h"

// A rule and what came out of it.
struct uvs__judgement {
    const struct uvs_rule *rule;
    struct uvs_verdict *verdicts;
    size_t count;
};

bool uvs__judgement_passed(const struct uvs__judgement *judgement);

// One line per verdict, then what the trace lost.
void uvs__print_judgements(FILE *out, const struct uvs__look *look, const struct uvs_report *report,
                           const struct uvs__judgement *judgements, size_t count);
// The same as one JSON document. -UVS_E_ENVIRONMENT without memory.
int uvs__print_judgements_json(FILE *out, const struct uvs_report *report,
                               const struct uvs__judgement *judgements, size_t count);

#endif
