// SPDX-License-Identifier: MIT
// The maps of generated code, /tmp/perf-PID.map, of the processes of a recording.
#ifndef UVS_PERF_MAPS_H
#define UVS_PERF_MAPS_H

#include <time.h>
#include "../analysis/report.h"

// Copies those into `directory` that were written since then: regular files of this user. What cannot be had
// is left out.
void uvs__perf_maps_take(const char *directory, time_t since);
// Once the processes are known: removes the copies of other processes' maps, and the originals that only
// uvscope had asked for, by the options that it gives Node.js, of those that were recorded and have ended.
void uvs__perf_maps_settle(const char *directory, const struct uvs_report *report);

// Whether the program is Node.js, which writes such a map when it is asked to. binary: what runs at the end.
bool uvs__is_node(const char *binary);

#endif
