// SPDX-License-Identifier: MIT
// Can the program be recorded at all? Asked before anything is started.
#ifndef UVS_PREFLIGHT_H
#define UVS_PREFLIGHT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include "../analysis/error.h"
#include "elf_file.h"

// The statuses of `record` itself, as env(1) has them.
enum uvs_record_status {
    UVS_RECORD_FAILED = 125,
    UVS_RECORD_NOT_EXECUTABLE = 126,
    UVS_RECORD_NOT_FOUND = 127,
};

struct uvs_program {
    char path[PATH_MAX];   // as execve(2) takes it
    char binary[PATH_MAX]; // what runs at the end: the path, or of a script its interpreter; "" = unknown
    bool is_elf;           // and could be read, so there are facts
    struct uvs_elf_facts facts;
    bool has_own_libuv; // the binary exports uv_run itself
};

// What must hold, in this order: each step may use what the ones before it found. 0, or the negative of an
// enum uvs_record_status.
struct uvs_preflight_step {
    const char *name, *passed; // passed: what to say when it holds; of the first, the path
    int (*run)(const char *name, struct uvs_program *program, struct uvs_error *error);
};
extern const struct uvs_preflight_step uvs__preflight_steps[]; // ends with a row whose name is NULL

// Finds the program as execvp(3) would and takes all the steps. The first that fails is the result.
int uvs__preflight(const char *program, struct uvs_program *ret_program, struct uvs_error *error);

// The runtime to preload, found beside this executable. 0, or -UVS_RECORD_FAILED.
int uvs__find_runtime(char ret_path[PATH_MAX], struct uvs_error *error);
// Another part of it, which lies beside it. Likewise.
int uvs__find_beside(const char *runtime, const char *file, char ret_path[PATH_MAX], struct uvs_error *error);

#endif
