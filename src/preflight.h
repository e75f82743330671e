// SPDX-License-Identifier: MIT
// Can the program be recorded at all? Asked before anything is started.
#ifndef UVS_PREFLIGHT_H
#define UVS_PREFLIGHT_H

#include <limits.h>
#include <stdbool.h>
#include "../analysis/error.h"

// The statuses of `record` itself, as env(1) has them.
enum uvs_record_status {
    UVS_RECORD_FAILED = 125,
    UVS_RECORD_NOT_EXECUTABLE = 126,
    UVS_RECORD_NOT_FOUND = 127,
};

struct uvs_program {
    char path[PATH_MAX]; // as execve(2) takes it
    bool has_own_libuv;  // the executable (of a script: its interpreter) exports uv_run itself
};

// Finds the program as execvp(3) would and looks at it; of a script, at its interpreter. 0, or the negative
// of an enum uvs_record_status.
int uvs__preflight(const char *program, struct uvs_program *ret_program, struct uvs_error *error);

// The runtime to preload, found beside this executable. 0, or -UVS_RECORD_FAILED.
int uvs__find_runtime(char ret_path[PATH_MAX], struct uvs_error *error);

#endif
