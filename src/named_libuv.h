// SPDX-License-Identifier: MIT
// Copies of libuv that the dynamic linker knows nothing of: found in the symbol tables of a program and of
// its libraries, and named to the runtime.
#ifndef UVS_NAMED_LIBUV_H
#define UVS_NAMED_LIBUV_H

#include <limits.h>
#include <stddef.h>
#include "../analysis/error.h"

struct uvs_strings;

struct uvs_named_libuv {
    char file[PATH_MAX];       // for UVSCOPE_LIBUV; "": there was nothing to name
    char unknowable[PATH_MAX]; // an object with such a copy, but without a build id to know it by; or ""
    size_t count;              // copies in the file
};

// Writes the file UVS_NAMED_FILE about `binary`, what it needs and `plugins` into `directory`, if there is
// something to write. 0, or -UVS_E_ENVIRONMENT: a plug-in has no copy that could be named, or the file could
// not be written.
int uvs__name_libuv(const char *binary, const struct uvs_strings *plugins, const char *directory,
                    struct uvs_named_libuv *ret_named, struct uvs_error *error);

#endif
