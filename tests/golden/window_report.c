// SPDX-License-Identifier: MIT
// Reports of windows of a trace: one that reads only what it must is that of who reads from the trace's
// begin.
//
//   window_report TRACE...
#include "windows.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What was told before the window, and is no matter of the window's.
static void leave_out(json_t *document)
{
    json_object_del(json_object_get(document, "trace"), "loss");
    size_t i;
    json_t *process;
    json_array_foreach(json_object_get(document, "processes"), i, process)
    {
        json_object_del(process, "handoff_missed");
        json_object_del(process, "loops_dropped");
    }
}

static char *report_of(const char *path, const struct uvs_analysis_options *options)
{
    struct uvs_error error = {0};
    struct uvs_report *report;
    int rc = uvs_analyse(path, options, &report, &error);
    if (rc) {
        fprintf(stderr, "%s: %s\n", path, error.text);
        exit(1);
    }
    char *text = uvs_report_to_json(report);
    json_t *document = text ? json_loads(text, 0, NULL) : NULL;
    free(text);
    uvs_report_destroy(report);
    leave_out(document);
    text = json_dumps(document, JSON_INDENT(2));
    json_decref(document);
    return text;
}

static void print_difference(const char *part, const char *whole)
{
    size_t at = 0;
    while (part[at] == whole[at])
        at++;
    const size_t back = at < 400 ? at : 400;
    printf("... read in part: %.600s\n--------\n... read from the begin: %.600s\n", part + at - back,
           whole + at - back);
}

static int compare(const char *path, uint64_t from_ns, uint64_t until_ns)
{
    struct uvs_analysis_options options = {.from_ns = from_ns, .until_ns = until_ns};
    char *part = report_of(path, &options);
    options.look_back_ns = UVS_ABSENT;
    char *whole = report_of(path, &options);
    const int differs = strcmp(part, whole) != 0;
    if (differs) {
        printf("%s --from %lluns --until %lluns:\n", path, (unsigned long long)from_ns,
               (unsigned long long)until_ns);
        print_difference(part, whole);
    }
    free(part);
    free(whole);
    return differs;
}

int main(int argc, char **argv)
{
    return compare_windows(argc, argv, compare);
}
