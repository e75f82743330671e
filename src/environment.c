// SPDX-License-Identifier: MIT
// Builds the program's environment.
#include "environment.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SET_COUNT = 4 };

static bool is_set(char *const *set, const char *entry)
{
    size_t length = strcspn(entry, "=") + 1;
    for (size_t i = 0; i < SET_COUNT; i++) {
        if (set[i] && strncmp(set[i], entry, length) == 0)
            return true;
    }
    return false;
}

static bool print_set(const struct uvs_environment *wanted, char **set)
{
    const char *theirs = getenv("LD_PRELOAD");
    bool shared = theirs && theirs[0];
    return asprintf(&set[0], "LD_PRELOAD=%s%s%s", wanted->runtime, shared ? ":" : "", shared ? theirs : "") >=
               0 &&
           asprintf(&set[1], "UVSCOPE_RECORDING=%s", wanted->recording) >= 0 &&
           (!wanted->lttng_home || asprintf(&set[2], "LTTNG_HOME=%s", wanted->lttng_home) >= 0) &&
           (!wanted->libuv || asprintf(&set[3], "UVSCOPE_LIBUV=%s", wanted->libuv) >= 0);
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
