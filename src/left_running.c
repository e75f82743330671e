// SPDX-License-Identifier: MIT
// A program that goes into the background ends for its parent, and with it the recording.
#include "left_running.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has_variable(FILE *environment, const char *wanted)
{
    char *entry = NULL;
    size_t size = 0;
    bool found = false;
    while (!found && getdelim(&entry, &size, '\0', environment) > 0)
        found = strcmp(entry, wanted) == 0;
    free(entry);
    return found;
}

static bool belongs(const char *pid, const char *wanted)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "/proc/%s/environ", pid);
    FILE *environment = fopen(path, "re");
    if (!environment)
        return false;
    bool found = has_variable(environment, wanted);
    fclose(environment);
    return found;
}

unsigned uvs__count_left_running(const char *recording)
{
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "UVSCOPE_RECORDING=%s", recording);
    DIR *processes = opendir("/proc");
    if (!processes)
        return 0;
    unsigned count = 0;
    for (const struct dirent *entry; (entry = readdir(processes));)
        count += isdigit((unsigned char)entry->d_name[0]) && belongs(entry->d_name, wanted);
    closedir(processes);
    return count;
}
