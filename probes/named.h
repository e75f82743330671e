// SPDX-License-Identifier: MIT
// Copies of libuv that are not exported: `record` finds their functions in the symbol tables of the
// executable and of its libraries, and names them to the runtime in a file.
#ifndef UVS_NAMED_H
#define UVS_NAMED_H

#include <stdbool.h>
#include <stddef.h>

struct uvs__copy;

// Hooks a copy whose functions are set; sizes: theirs, in the order of uvs__libuv_hooks.
typedef bool uvs__hook_copy_t(struct uvs__copy *copy, const size_t *sizes);

// Calls `hook` for each copy of libuv that the file UVSCOPE_LIBUV has and that is loaded and not hooked; not
// in the first objects of the process. Returns how many were hooked. The executable's is copy 0 where no
// other one is; those of libraries never are.
size_t uvs__each_named(size_t first, uvs__hook_copy_t *hook);

#endif
