// SPDX-License-Identifier: MIT
// A report for people.
#ifndef UVS_TEXT_REPORT_H
#define UVS_TEXT_REPORT_H

#include "../analysis/report.h"
#include "text_format.h"

// 0, or -UVS_E_ENVIRONMENT without memory.
int uvs__print_report(FILE *out, const struct uvs__look *look, const struct uvs_report *report);

// Its parts. The verdict is one or two sentences.
void uvs__print_verdict(FILE *out, const struct uvs__look *look, const struct uvs_report *report);
void uvs__print_findings(FILE *out, const struct uvs__look *look, const struct uvs_report *report);
// The dominant stacks of the worst blocks. As uvs__print_report.
int uvs__print_stacks(FILE *out, const struct uvs__look *look, const struct uvs_report *report);
int uvs__print_tables(FILE *out, const struct uvs__look *look, const struct uvs_report *report);
void uvs__print_trace_facts(FILE *out, const struct uvs__look *look, const struct uvs_report *report);
// Begins with a capital and ends with a full stop.
void uvs__print_sentence(FILE *out, const char *text);
// "1,234 events and 2 packets were lost"; false when nothing was lost, and then nothing is printed.
bool uvs__print_loss(FILE *out, const struct uvs_trace_facts *trace);
// One line with what was asked for by --from, --filter and the like; false: all of the trace, nothing is
// printed.
bool uvs__print_shown(FILE *out, const struct uvs_report *report);

#endif
