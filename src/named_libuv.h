// SPDX-License-Identifier: MIT
// A libuv inside an executable that does not export it: found in the symbol table, and named to the runtime.
#ifndef UVS_NAMED_LIBUV_H
#define UVS_NAMED_LIBUV_H

#include <limits.h>

enum uvs_named_libuv {
    UVS_NAMED_NONE,        // none, or it is exported: the runtime finds it
    UVS_NAMED_WRITTEN,     // ret_path is the file for UVSCOPE_LIBUV
    UVS_NAMED_NO_BUILD_ID, // there is one, but nothing to know the executable by
    UVS_NAMED_FAILED,      // the file could not be written
};

// Writes the file UVS_NAMED_FILE about `binary` into `directory`, if there is something to write.
enum uvs_named_libuv uvs__name_libuv(const char *binary, const char *directory, char ret_path[PATH_MAX]);

#endif
