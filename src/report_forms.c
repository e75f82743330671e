// SPDX-License-Identifier: MIT
// The forms that need no file of their own, and the table of all.
#include "report_forms.h"

#include "text_report.h"

#include <stdlib.h>
#include <string.h>

const struct uvs__report_form uvs__report_forms[] = {
    {"text", uvs__render_text, .rows = 20, .counts_left_out = true},
    {"json", uvs__render_json, .rows = 0},
    {"markdown", uvs__render_markdown, .rows = 20, .counts_left_out = true},
    {"csv", uvs__render_csv, .rows = 0},
    {"html", uvs__render_html, .rows = 100},
    {0},
};

uvs__render_function *uvs__find_report_form(const char *name)
{
    for (const struct uvs__report_form *form = uvs__report_forms; form->name; form++)
        if (strcmp(form->name, name) == 0)
            return form->render;
    return NULL;
}

int uvs__render_text(FILE *out, const struct uvs_report *report, void *data, struct uvs_error *error)
{
    int result = uvs__print_report(out, data, report);
    return result < 0 ? uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory for the report") : UVS_E_OK;
}

int uvs__render_json(FILE *out, const struct uvs_report *report, void *data __attribute__((unused)),
                     struct uvs_error *error)
{
    char *json = uvs_report_to_json(report);
    if (!json)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory for the report");
    fprintf(out, "%s\n", json);
    free(json);
    return UVS_E_OK;
}
