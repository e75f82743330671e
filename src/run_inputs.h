// SPDX-License-Identifier: MIT
// Paths of a command line to runs: traces, directories of several, saved reports, baselines.
#ifndef UVS_RUN_INPUTS_H
#define UVS_RUN_INPUTS_H

#include "../analysis/runs.h"
#include "command.h"
#include "report_job.h"

// Whether a path is a file with JSON in it.
bool uvs__is_json(const char *path);

// Reads a saved report or a baseline, and appends its runs. Returns the exit status; what failed has been
// said.
int uvs__runs_load(struct uvs_runs *runs, const char *path);

// Appends the runs that are at a path, of whatever kind it is. `how` says how traces are read; its render is
// not used. Returns the exit status, UVS_E_TRACE after an incomplete trace, which is not added.
int uvs__runs_collect(struct uvs_runs *runs, const char *path, const struct uvs__report_job *how);

// The traces that operands name: each its own, of a directory of `record --repeat` its runs, and without
// operands the newest recording. Returns the exit status; *ret_paths is the caller's
// (uvs__paths_clear).
int uvs__expand_runs(char **operands, struct uvs_strings *ret_paths);

#endif
