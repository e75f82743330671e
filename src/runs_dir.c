// SPDX-License-Identifier: MIT
// Directories of runs.
#include "runs_dir.h"

#include "../analysis/recording.h"
#include "trace_dir.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int no_memory(struct uvs_error *error)
{
    return uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory for so many traces");
}

static int append(struct uvs_strings *paths, char *path, struct uvs_error *error)
{
    const char **items = path ? realloc(paths->items, (paths->count + 1) * sizeof(*items)) : NULL;
    if (!items) {
        free(path);
        return no_memory(error);
    }
    items[paths->count++] = path;
    paths->items = items;
    return 0;
}

static bool is_recording(const char *path)
{
    char *facts = NULL;
    const bool is_there = asprintf(&facts, "%s/" UVS_RECORDING_FILE, path) >= 0 && access(facts, F_OK) == 0;
    free(facts);
    return is_there;
}

int uvs__paths_add(struct uvs_strings *paths, const char *path, struct uvs_error *error)
{
    int result = 0;
    size_t number = 1;
    for (bool is_there = !is_recording(path); result == 0 && is_there; number += is_there) {
        char *run = NULL;
        if (asprintf(&run, UVS_RUNS_DIR_FORMAT, path, number) < 0)
            return no_memory(error);
        is_there = is_recording(run);
        if (is_there)
            result = append(paths, run, error);
        else
            free(run);
    }
    return result == 0 && number == 1 ? append(paths, strdup(path), error) : result;
}

void uvs__paths_clear(struct uvs_strings *paths)
{
    for (size_t i = 0; i < paths->count; i++)
        free((char *)paths->items[i]);
    free(paths->items);
    *paths = (struct uvs_strings){0};
}

// Takes the last path.
static char *take_last(struct uvs_strings *paths)
{
    char *last = paths->count ? (char *)paths->items[--paths->count] : NULL;
    uvs__paths_clear(paths);
    return last;
}

int uvs__choose_trace(char **operands, char **ret_path)
{
    struct uvs_strings runs = {0};
    struct uvs_error error = {0};
    char *newest = NULL;
    if (operands[0] && operands[1])
        return uvs_complain(UVS_E_USAGE, "one trace at a time: what is '%s'?", operands[1]);
    int result = operands[0] ? 0 : uvs_newest_trace(&newest, &error);
    const char *path = newest ? newest : operands[0];
    if (result == 0)
        result = uvs__paths_add(&runs, path, &error);
    if (result == 0 && runs.count > 1)
        uvs_complain(0, "note: of %zu runs this is the last; for another one name it: " UVS_RUNS_DIR_FORMAT,
                     runs.count, path, (size_t)1);
    *ret_path = take_last(&runs);
    free(newest);
    return result < 0 ? uvs_complain(-result, "%s", error.text) : 0;
}
