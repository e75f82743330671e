// SPDX-License-Identifier: MIT
// perf-PID.map and V8's names in it.
#include "perf_map.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "map.h"

#define MAX_BYTES (256ll << 20) // as much as `record` takes of one

struct code {
    uint64_t begin, end;
    size_t name; // offset in `names`
};

struct uvs__perf_map {
    struct code *codes; // in the order of the file
    size_t code_count, code_capacity;
    char *names;
    size_t names_used, names_capacity;
    bool is_script;
};

// What V8 calls functions of scripts. A tier's mark follows: ~ interpreted, ^ and + and * compiled, newer
// versions say so of a function that was replaced while it ran by an o before it, and of one that was made
// for its closure by a ' behind it.
#define SCRIPT_PREFIXES                                        \
    {                                                          \
        "JS:", "LazyCompile:", "Function:", "Script:", "Eval:" \
    }

static const char *skip_tier(const char *name)
{
    static const char marks[] = "~^+*";
    if (name[0] == 'o' && name[1] && strchr(marks, name[1]))
        name++;
    if (!name[0] || !strchr(marks, name[0]))
        return name;
    return name[1] == '\'' ? name + 2 : name + 1;
}

static const char *skip_script_prefix(const char *name)
{
    static const char *const prefixes[] = SCRIPT_PREFIXES;
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        const size_t length = strlen(prefixes[i]);
        if (strncmp(name, prefixes[i], length) == 0)
            return skip_tier(name + length);
    }
    return NULL;
}

// --- The file ---

static bool add_name(struct uvs__perf_map *map, const char *name, size_t length)
{
    if (map->names_used + length + 1 > map->names_capacity) {
        const size_t capacity = 2 * map->names_capacity + length + 4096;
        char *grown = realloc(map->names, capacity);
        if (!grown)
            return false;
        map->names = grown;
        map->names_capacity = capacity;
    }
    memcpy(map->names + map->names_used, name, length);
    map->names[map->names_used + length] = '\0';
    map->names_used += length + 1;
    return true;
}

static int add_code(struct uvs__perf_map *map, uint64_t begin, uint64_t size, const char *name)
{
    struct code *codes = uvs__grow(map->codes, map->code_count, &map->code_capacity, sizeof(*codes));
    if (!codes)
        return -UVS_E_ENVIRONMENT;
    map->codes = codes;
    const uint64_t end = size > UINT64_MAX - begin ? UINT64_MAX : begin + size;
    codes[map->code_count++] = (struct code){begin, end, map->names_used};
    map->is_script |= skip_script_prefix(name) != NULL;
    return add_name(map, name, strcspn(name, "\n")) ? 0 : -UVS_E_ENVIRONMENT;
}

// A line that was cut short when the process ended, or is none, is left out.
static int add_line(struct uvs__perf_map *map, const char *line)
{
    char *end;
    const uint64_t begin = strtoull(line, &end, 16);
    if (end == line || *end != ' ')
        return 0;
    const char *second = end + 1;
    const uint64_t size = strtoull(second, &end, 16);
    if (end == second || *end != ' ' || size == 0)
        return 0;
    return add_code(map, begin, size, end + 1);
}

// A recording may come from anybody: a link could lead anywhere, a pipe would never end.
static FILE *open_map(const char *path)
{
    struct stat facts;
    const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    const bool is_map = fd >= 0 && fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) &&
                        facts.st_size <= MAX_BYTES;
    FILE *file = is_map ? fdopen(fd, "r") : NULL;
    if (!file && fd >= 0)
        close(fd);
    return file;
}

int uvs__perf_map_load(const char *path, struct uvs__perf_map **ret_map)
{
    FILE *file = open_map(path);
    char *line = NULL;
    size_t capacity = 0;
    *ret_map = NULL;
    if (!file)
        return 0;
    struct uvs__perf_map *map = calloc(1, sizeof(*map));
    int result = map ? 0 : -UVS_E_ENVIRONMENT;
    while (result == 0 && getline(&line, &capacity, file) > 0)
        result = add_line(map, line);
    free(line);
    fclose(file);
    if (result == 0)
        *ret_map = map;
    else
        uvs__perf_map_destroy(map);
    return result;
}

void uvs__perf_map_destroy(struct uvs__perf_map *map)
{
    if (!map)
        return;
    free(map->codes);
    free(map->names);
    free(map);
}

bool uvs__perf_map_is_script(const struct uvs__perf_map *map)
{
    return map->is_script;
}

const char *uvs__perf_map_find(const struct uvs__perf_map *map, uint64_t address)
{
    for (size_t i = map->code_count; i-- > 0;)
        if (map->codes[i].begin <= address && address < map->codes[i].end)
            return map->names + map->codes[i].name;
    return NULL;
}

// --- Names ---

// Cuts `:NUMBER` off the end of text[0, *length); 0 where there is none.
static int cut_number(const char *text, size_t *length)
{
    size_t digits = *length;
    while (digits > 0 && text[digits - 1] >= '0' && text[digits - 1] <= '9')
        digits--;
    if (digits == 0 || digits == *length || text[digits - 1] != ':')
        return 0;
    const long number = strtol(text + digits, NULL, 10);
    *length = digits - 1;
    return number > 0 && number <= INT_MAX ? (int)number : 0;
}

// Where the script begins in "function script": behind the first blank that a path can follow, for both may
// hold blanks.
static size_t script_offset(const char *text, size_t length)
{
    static const char *const begins[] = {" /", " node:", " file:", " evalmachine", " wasm:", " ["};
    const char *first = NULL;
    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
        const char *found = strstr(text, begins[i]);
        if (found && (!first || found < first))
            first = found;
    }
    if (!first)
        first = memchr(text, ' ', length);
    return first && (size_t)(first - text) < length ? (size_t)(first - text) : length;
}

struct uvs__script_place uvs__script_place(const char *name)
{
    struct uvs__script_place place = {0};
    const char *text = skip_script_prefix(name);
    if (!text) {
        static const char builtin[] = "Builtin:";
        place.function = strdup(strncmp(name, builtin, sizeof(builtin) - 1) ? name
                                                                            : name + sizeof(builtin) - 1);
        return place;
    }
    size_t length = strlen(text);
    const size_t whole = length;
    const int column_or_line = cut_number(text, &length);
    const int line = cut_number(text, &length);
    place.line = line ? line : column_or_line;
    const size_t offset = place.line ? script_offset(text, length) : whole;
    place.function = offset ? strndup(text, offset) : strdup("(anonymous)");
    if (place.line && offset + 1 < length) {
        const char *script = text + offset + 1;
        size_t script_length = length - offset - 1;
        if (strncmp(script, "file://", 7) == 0) {
            script += 7;
            script_length -= 7;
        }
        place.file = strndup(script, script_length);
    }
    return place;
}
