// SPDX-License-Identifier: MIT
// Generated code: the lines `START SIZE NAME` that a JIT compiler writes into perf-PID.map.
#ifndef UVS_PERF_MAP_H
#define UVS_PERF_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct uvs__perf_map;

// *ret_map is the caller's, NULL where there is no such file. -UVS_E_ENVIRONMENT without memory.
int uvs__perf_map_load(const char *path, struct uvs__perf_map **ret_map);
void uvs__perf_map_destroy(struct uvs__perf_map *map);

// Whether V8 wrote it.
bool uvs__perf_map_is_script(const struct uvs__perf_map *map);
// The name of the code at `address`, the latest where code took the place of other code; borrowed; NULL none.
const char *uvs__perf_map_find(const struct uvs__perf_map *map, uint64_t address);

// What a name says of a script's function. Of any other name: the name as function.
struct uvs__script_place {
    char *function, *file; // the caller's; file may be NULL; function NULL without memory
    int line;
};
struct uvs__script_place uvs__script_place(const char *name);

#endif
