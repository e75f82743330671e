// SPDX-License-Identifier: MIT
// The environment of a recorded program: uvscope's own, and some variables.
#ifndef UVS_ENVIRONMENT_H
#define UVS_ENVIRONMENT_H

#include <stdbool.h>

struct uvs_environment {
    const char *runtime;       // in front of the user's LD_PRELOAD
    const char *plugins;       // behind it; NULL: not needed
    const char *recording;     // UVSCOPE_RECORDING
    const char *lttng_home;    // LTTNG_HOME; NULL: as it is
    const char *libuv;         // UVSCOPE_LIBUV; NULL: as it is
    const char *stall_ms;      // UVSCOPE_STALL_MS; NULL: as it is
    const char *stall_work_ms; // UVSCOPE_STALL_WORK_MS; likewise
    const char *lean_us;       // UVSCOPE_LEAN_US; NULL: as it is
    bool names_of_children;    // UVSCOPE_NAMES: the same of a Node.js that the program starts
    bool names_scripts; // NODE_OPTIONS: V8 writes down where its code lies, in front of the user's options
};

// The caller's: uvs__environment_destroy. NULL without memory.
char **uvs__environment_create(const struct uvs_environment *wanted);
void uvs__environment_destroy(char **environment);

#endif
