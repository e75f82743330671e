// SPDX-License-Identifier: MIT
// A libuv in the executable that is not exported: `record` finds its functions in the executable's symbol
// table and names them to the runtime in a file.
#ifndef UVS_NAMED_H
#define UVS_NAMED_H

#include <stdbool.h>
#include <stddef.h>

// Sets the real functions of the hooks that the file UVSCOPE_LIBUV has, and their sizes in the order of
// uvs__libuv_hooks. False: there is no such file, or it is about another executable than this one.
bool uvs__find_named(size_t *ret_sizes);

#endif
