// SPDX-License-Identifier: MIT
// A directory of runs, as `record --repeat` makes it: the recordings run-1, run-2 and so on, each a trace of
// its own.
#ifndef UVS_RUNS_DIR_H
#define UVS_RUNS_DIR_H

#include "command.h"

#define UVS_RUNS_DIR_FORMAT "%s/run-%zu"
#define UVS_FIRST_RUN       "run-1"

// Appends the paths of the runs in `path`, in order, or `path` itself when it is no directory of runs. They
// are the caller's: uvs__paths_clear.
int uvs__paths_add(struct uvs_strings *paths, const char *path, struct uvs_error *error);
void uvs__paths_clear(struct uvs_strings *paths);

// For who reads one trace: the operand, or without one the newest recording; of a directory of runs the last,
// which is said. Returns the exit status; *ret_path is the caller's (free).
int uvs__choose_trace(char **operands, char **ret_path);

#endif
