// SPDX-License-Identifier: MIT
// A map of generated code: its lines, and the names in it.
#include "fuzz.h"

#include "analysis/perf_map.h"

#include <stdlib.h>
#include <string.h>

static void look_at(const struct uvs__perf_map *map, uint64_t address)
{
    const char *name = uvs__perf_map_find(map, address);
    if (!name)
        return;
    struct uvs__script_place place = uvs__script_place(name);
    if (!place.function || place.line < 0)
        abort();
    free(place.function);
    free(place.file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct uvs__perf_map *map;
    if (uvs__perf_map_load(fuzz_write("perf-1.map", data, size), &map) < 0 || !map)
        return 0;
    uvs__perf_map_is_script(map);
    look_at(map, 0);
    look_at(map, UINT64_MAX);
    // The first address of each line.
    char *text = fuzz_text(data, size), *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));)
        look_at(map, strtoull(line, NULL, 16));
    free(text);
    uvs__perf_map_destroy(map);
    return 0;
}
