// SPDX-License-Identifier: MIT
// The forms of a report. Each has the shape of uvs__report_job's render.
#ifndef UVS_REPORT_FORMS_H
#define UVS_REPORT_FORMS_H

#include <stdbool.h>
#include <stdio.h>
#include "../analysis/report.h"

typedef int uvs__render_function(FILE *out, const struct uvs_report *report, void *data,
                                 struct uvs_error *error);

// The choices of --format, in the order of the table below, which ends with a NULL name.
#define UVS__REPORT_FORM_CHOICES "text|json|markdown|csv|html"
struct uvs__report_form {
    const char *name;
    uvs__render_function *render;
    size_t rows;          // of each table, unless asked otherwise; 0: all
    bool counts_left_out; // it says below each table how many more rows there are, and is given all of them
};
extern const struct uvs__report_form uvs__report_forms[];
// NULL: there is no such form.
uvs__render_function *uvs__find_report_form(const char *name);

// data: struct uvs__look. For people.
uvs__render_function uvs__render_text;
// data unused. For programs: schema 1.
uvs__render_function uvs__render_json;
// data: struct uvs__look. For a comment on a change: the verdict and the findings, the tables folded away.
uvs__render_function uvs__render_markdown;
// data unused. A row for each distribution of each row of the report's tables.
uvs__render_function uvs__render_csv;
// data unused. One page that needs nothing else.
uvs__render_function uvs__render_html;

#endif
