// SPDX-License-Identifier: MIT
// Prints the report of a text event log as JSON, or why there is none; the version is left out of it, and
// so are the slices but for logs whose names begin with them: they are hundreds of lines.
#include "analysis/report.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *report_of(const char *path)
{
    struct uvs_error error = {0};
    struct uvs_report *report;
    int rc = uvs_analyse(path, NULL, &report, &error);
    if (rc)
        return json_pack("{si ss}", "exit", -rc, "error", error.text);
    char *text = uvs_report_to_json(report);
    json_t *document = text ? json_loads(text, 0, NULL) : NULL;
    free(text);
    uvs_report_destroy(report);
    if (document)
        json_object_set_new(document, "uvscope", json_string("VERSION"));
    if (document && strncmp(path, "slices", strlen("slices")) != 0)
        json_object_set_new(document, "slices", json_null());
    return document;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: golden_report FILE.events\n");
        return 2;
    }
    json_t *document = report_of(argv[1]);
    if (!document)
        return 1;
    json_dumpf(document, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    puts("");
    json_decref(document);
    return 0;
}
