// SPDX-License-Identifier: MIT
// The forms of a report beside text and JSON. Each has the shape of uvs__report_job's render.
#ifndef UVS_REPORT_FORMS_H
#define UVS_REPORT_FORMS_H

#include <stdio.h>
#include "../analysis/report.h"

typedef int uvs__render_function(FILE *out, const struct uvs_report *report, void *data,
                                 struct uvs_error *error);

// data: struct uvs__look. For a comment on a change: the verdict and the findings, the tables folded away.
uvs__render_function uvs__render_markdown;
// data unused. A row for each distribution of each row of the report's tables.
uvs__render_function uvs__render_csv;
// data unused. One page that needs nothing else.
uvs__render_function uvs__render_html;

#endif
