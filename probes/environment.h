// SPDX-License-Identifier: MIT
// What the runtime reads of its environment, once, before the program's main.
#ifndef UVS_ENVIRONMENT_H
#define UVS_ENVIRONMENT_H

#include <stdint.h>
#include "probes/uvs_abi.h"

struct uvs__environment {
#define X(variable, meaning) const char *variable;
    UVS_ENV_MAP(X)
#undef X
    const char *UV_THREADPOOL_SIZE; // libuv's own
    uint64_t start_ns;              // when the runtime was loaded into this process
};

extern struct uvs__environment uvs__environment;

#endif
