// SPDX-License-Identifier: MIT
// Hooking a libuv by the entries of its functions, where it calls itself directly: in the executable, or
// linked with -Bsymbolic-functions. See patch.h.
#ifndef UVS_ENTRIES_H
#define UVS_ENTRIES_H

#include <stdbool.h>

// A libuv inside the executable: exported, or named by `record` (UVSCOPE_LIBUV). From the constructor only,
// before any thread. False: there is none, or it cannot be hooked.
bool uvs__hook_executable(void);

// The functions behind the hooks, which are resolved. False: they are as they were.
bool uvs__patch_entries(void);

#endif
