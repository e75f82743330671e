// SPDX-License-Identifier: MIT
#include "log_recording.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define LOG "log.events"

void log_recording_write(const char *directory, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

void log_recording_create(char *directory, const char *log)
{
    assert_non_null(mkdtemp(directory));
    log_recording_write(directory, LOG, log);
}

static int open_log(void *path, struct uvs_reader **ret_reader, struct uvs_error *error)
{
    return uvs_reader_create(path, ret_reader, error);
}

struct uvs_report *log_recording_report(const char *directory)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/" LOG, directory);
    const struct uvs_analysis_options options = {.open = open_log, .open_data = path};
    struct uvs_report *report;
    struct uvs_error error = {0};
    if (uvs_analyse(directory, &options, &report, &error))
        fail_msg("%s", error.text);
    return report;
}

int log_recording_remove(const char *directory)
{
    char command[160];
    snprintf(command, sizeof(command), "rm -r %s", directory);
    return system(command);
}
