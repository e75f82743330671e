// SPDX-License-Identifier: MIT
// uvscope.json.
#include "recording.h"
#include "json_file.h"
#include "../probes/uvs_abi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDING_SCHEMA = 1, FILE_MAX = 16 << 20 };

static int damaged(const char *path, const char *why, struct uvs_error *error)
{
    return uvs_error_set(error, UVS_E_TRACE,
                         "%s is damaged: %s; remove it to read the CTF below it without what it says", path,
                         why);
}

static int out_of_memory(struct uvs_error *error)
{
    return uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory");
}

static uint64_t get_time(const json_t *root, const char *key, uint64_t otherwise)
{
    const json_t *value = json_object_get(root, key);
    return json_is_integer(value) && json_integer_value(value) >= 0 ? (uint64_t)json_integer_value(value)
                                                                    : otherwise;
}

static char **get_strings(const json_t *array)
{
    char **strings = calloc(json_array_size(array) + 1, sizeof(*strings));
    for (size_t i = 0; strings && i < json_array_size(array); i++) {
        const char *text = json_string_value(json_array_get(array, i));
        strings[i] = strdup(text ? text : "");
        if (strings[i])
            continue;
        while (i > 0)
            free(strings[--i]);
        free(strings);
        return NULL;
    }
    return strings;
}

// The string members: key, where, whether a recording without it is damaged.
static const struct {
    const char *key;
    size_t offset;
    bool required;
} string_members[] = {
    {"id", offsetof(struct uvs_recording, id), true},
    {"cwd", offsetof(struct uvs_recording, cwd), false},
    {"detail", offsetof(struct uvs_recording, detail), false},
    {"version", offsetof(struct uvs_recording, version), false},
    {"exit", offsetof(struct uvs_recording, exit), false},
};

enum { STRING_COUNT = sizeof(string_members) / sizeof(string_members[0]) };

static int get_all(const json_t *root, const char *path, struct uvs_recording *recording,
                   struct uvs_error *error)
{
    if (get_time(root, "schema", 0) != RECORDING_SCHEMA)
        return damaged(path, "its schema is not one that this uvscope knows", error);
    for (size_t i = 0; i < STRING_COUNT; i++) {
        const char *text = json_string_value(json_object_get(root, string_members[i].key));
        char **member = (char **)((char *)recording + string_members[i].offset);
        if (!text && string_members[i].required)
            return damaged(path, "the recording's id is missing", error);
        if (text && !(*member = strdup(text)))
            return out_of_memory(error);
    }
    recording->argv = get_strings(json_object_get(root, "argv"));
    if (!recording->argv)
        return out_of_memory(error);
    recording->pid = (uint32_t)get_time(root, "pid", 0);
    recording->begin_ns = get_time(root, "begin_ns", UVS_ABSENT);
    recording->end_ns = get_time(root, "end_ns", UVS_ABSENT);
    recording->lost_events = get_time(root, "lost_events", UVS_ABSENT);
    recording->lost_packets = get_time(root, "lost_packets", UVS_ABSENT);
    recording->own_daemon = json_is_true(json_object_get(root, "own_daemon"));
    recording->overwritten = json_is_true(json_object_get(root, "overwritten"));
    return 1;
}

int uvs_recording_load(const char *directory, struct uvs_recording *ret_recording, struct uvs_error *error)
{
    char *path;
    if (asprintf(&path, "%s/" UVS_RECORDING_FILE, directory) < 0)
        return out_of_memory(error);
    json_t *root = NULL;
    struct uvs_recording recording = {0};
    int result = uvs__json_load(path, FILE_MAX, &root, error);
    if (result > 0)
        result = get_all(root, path, &recording, error);
    json_decref(root);
    free(path);
    if (result > 0)
        *ret_recording = recording;
    else
        uvs_recording_clear(&recording);
    return result;
}

static json_t *time_or_null(uint64_t time_ns)
{
    return time_ns == UVS_ABSENT ? json_null() : json_integer((json_int_t)time_ns);
}

static json_t *to_json(const struct uvs_recording *recording)
{
    json_t *argv = json_array();
    for (char **argument = recording->argv; argument && *argument; argument++)
        json_array_append_new(argv, uvs__json_text(*argument));
    json_t *root = json_pack("{s:i, s:o, s:I, s:o, s:o, s:o, s:o, s:b, s:b}", "schema", RECORDING_SCHEMA,
                             "argv", argv, "pid", (json_int_t)recording->pid, "begin_ns",
                             time_or_null(recording->begin_ns), "end_ns", time_or_null(recording->end_ns),
                             "lost_events", time_or_null(recording->lost_events), "lost_packets",
                             time_or_null(recording->lost_packets), "own_daemon", recording->own_daemon,
                             "overwritten", recording->overwritten);
    for (size_t i = 0; root && i < STRING_COUNT; i++) {
        char *const *member = (char *const *)((const char *)recording + string_members[i].offset);
        if (json_object_set_new(root, string_members[i].key, uvs__json_text(*member)) == 0)
            continue;
        json_decref(root);
        return NULL;
    }
    return root;
}

int uvs_recording_save(const char *directory, const struct uvs_recording *recording, struct uvs_error *error)
{
    json_t *root = to_json(recording);
    const int result = root ? uvs__json_save(directory, UVS_RECORDING_FILE, root, error)
                            : out_of_memory(error);
    json_decref(root);
    return result;
}

void uvs_recording_clear(struct uvs_recording *recording)
{
    for (size_t i = 0; i < STRING_COUNT; i++)
        free(*(char **)((char *)recording + string_members[i].offset));
    for (char **argument = recording->argv; argument && *argument; argument++)
        free(*argument);
    free(recording->argv);
    *recording = (struct uvs_recording){0};
}
