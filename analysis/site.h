// SPDX-License-Identifier: MIT
// Who: an address of a process, resolved to function, file and line as far as it can be.
#ifndef UVS_SITE_H
#define UVS_SITE_H

#include <stdint.h>

// Owned by the report that holds it. Unresolved parts are NULL / 0; label is always there.
struct uvs_site {
    uint64_t address;
    const char *function; // demangled
    const char *module;   // path of the object
    const char *file;     // as in the debug info
    int line;             // 0 = unknown
    const char *label; // "superSlowFunction (sync.c:12)", else "function", else "module+0x1234", else "0x…"
    struct uvs_site *inliner; // of a frame: the function that this one was inlined into; NULL none
};

#endif
