// SPDX-License-Identifier: MIT
// The trace directory that `uvscope record` makes: DIR/uvscope.json (facts below), DIR/symbols.json, DIR/ctf/
// (CTF).
#ifndef UVS_RECORDING_H
#define UVS_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "error.h"

#define UVS_RECORDING_FILE     "uvscope.json"
#define UVS_RECORDING_CTF      "ctf"
#define UVS_RECORDING_SYMBOLS  "symbols.json"
// Of each process that generated code and said so: the names of that code. For printf, with the pid.
#define UVS_RECORDING_PERF_MAP "perf-%" PRIu32 ".map"

struct uvs_recording {
    char *id;    // UVSCOPE_RECORDING of the program; only processes that carry it belong to the recording
    char **argv; // NULL-terminated
    char *cwd, *detail, *version;
    uint32_t pid;              // of the program itself
    char *exit;                // "0", "signal 9", or NULL while running
    uint64_t begin_ns, end_ns; // CLOCK_MONOTONIC at the program's start and end; UVS_ABSENT while running
    uint64_t lost_events, lost_packets;
    bool own_daemon;  // LTTng's daemon served this recording alone: its trace has no other's processes
    bool overwritten; // the oldest part of the trace, to make room for the newest
};

// 1: DIR is a recording and *ret is filled; 0: it is not (some other CTF trace); negative: its file is
// damaged.
int uvs_recording_load(const char *directory, struct uvs_recording *ret_recording, struct uvs_error *error);
int uvs_recording_save(const char *directory, const struct uvs_recording *recording, struct uvs_error *error);
void uvs_recording_clear(struct uvs_recording *recording);

#endif
