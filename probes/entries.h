// SPDX-License-Identifier: MIT
// Hooking a libuv by the entries of its functions, where it calls itself directly: in the executable, or
// linked with -Bsymbolic-functions. See patch.h.
#ifndef UVS_ENTRIES_H
#define UVS_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>

// All but the last from the constructor only, before any thread.

// A libuv that the executable exports, as copy 0. False: there is none, or it cannot be hooked.
bool uvs__hook_executable(void);

// Those that `record` has named (UVSCOPE_LIBUV): not exported, in the executable or in libraries. Whether
// there is one.
bool uvs__hook_named(void);

// The functions of copy 0, which are resolved. False: they are as they were.
bool uvs__patch_entries(void);

// Those of `record --plugin`, in objects that are not among the first ones of the process. Nobody else may
// run their code yet.
void uvs__hook_late(size_t first);

#endif
