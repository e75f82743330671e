// SPDX-License-Identifier: MIT
// Builds the program's environment.
#include "environment.h"

#include "../probes/uvs_abi.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SET_COUNT = 9 };

static bool is_set(char *const *set, const char *entry)
{
    size_t length = strcspn(entry, "=") + 1;
    for (size_t i = 0; i < SET_COUNT; i++) {
        if (set[i] && strncmp(set[i], entry, length) == 0)
            return true;
    }
    return false;
}

// "NAME=ours<separator>theirs", or without theirs where there is nothing.
static bool print_before(char **ret_entry, const char *name, const char *ours, char separator)
{
    const char *theirs = getenv(name);
    return (theirs && theirs[0] ? asprintf(ret_entry, "%s=%s%c%s", name, ours, separator, theirs)
                                : asprintf(ret_entry, "%s=%s", name, ours)) >= 0;
}

static bool print(char **ret_entry, const char *name, const char *value)
{
    return !value || asprintf(ret_entry, "%s=%s", name, value) >= 0;
}

static bool print_preload(const struct uvs_environment *wanted, char **ret_entry)
{
    char *ours = NULL;
    bool printed = asprintf(&ours, "%s%s%s", wanted->runtime, wanted->plugins ? ":" : "",
                            wanted->plugins ? wanted->plugins : "") >= 0 &&
                   print_before(ret_entry, "LD_PRELOAD", ours, ':');
    free(ours);
    return printed;
}

static bool print_set(const struct uvs_environment *wanted, char **set)
{
    return print_preload(wanted, &set[0]) && print(&set[1], "UVSCOPE_RECORDING", wanted->recording) &&
           print(&set[2], "LTTNG_HOME", wanted->lttng_home) &&
           print(&set[3], "UVSCOPE_LIBUV", wanted->libuv) &&
           print(&set[4], "UVSCOPE_STALL_MS", wanted->stall_ms) &&
           print(&set[6], "UVSCOPE_LEAN_US", wanted->lean_us) &&
           print(&set[7], "UVSCOPE_STALL_WORK_MS", wanted->stall_work_ms) &&
           print(&set[8], "UVSCOPE_NAMES", wanted->names_of_children ? "1" : NULL) &&
           (!wanted->names_scripts || print_before(&set[5], "NODE_OPTIONS", UVS_NODE_OPTIONS, ' '));
}

char **uvs__environment_create(const struct uvs_environment *wanted)
{
    size_t count = 0, used = 0;
    while (environ[count])
        count++;
    char *set[SET_COUNT] = {0};
    char **environment = calloc(count + SET_COUNT + 1, sizeof(*environment));
    bool complete = environment && print_set(wanted, set);
    for (size_t i = 0; complete && i < count; i++) {
        if (is_set(set, environ[i]))
            continue;
        environment[used] = strdup(environ[i]);
        complete = environment[used++] != NULL;
    }
    for (size_t i = 0; i < SET_COUNT; i++) {
        if (complete && set[i])
            environment[used++] = set[i];
        else
            free(set[i]);
    }
    if (complete)
        return environment;
    uvs__environment_destroy(environment);
    return NULL;
}

void uvs__environment_destroy(char **environment)
{
    for (char **entry = environment; entry && *entry; entry++)
        free(*entry);
    free(environment);
}
