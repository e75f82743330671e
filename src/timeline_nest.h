// SPDX-License-Identifier: MIT
// Slices of one row of a timeline, made to lie beside or inside each other. A begin is a measured duration
// before the moment at which the end was written down, and a thread may lose its processor in between: what
// is inside a callback can then seem to begin before it, and viewers drop the one or the other.
#ifndef UVS_TIMELINE_NEST_H
#define UVS_TIMELINE_NEST_H

#include <stddef.h>
#include <stdint.h>

struct uvs__slice {
    uint64_t begin_ns, end_ns;
};

// Zero-initialise to create; count = 0 to forget the slices.
struct uvs__nest {
    struct uvs__slice *slices; // those that are in no other one yet
    size_t count, capacity;
};

// A slice, in the order of the ends. Its begin is moved to just before what it would have cut. 0, or
// -UVS_E_ENVIRONMENT without memory.
int uvs__nest_add(struct uvs__nest *nest, uint64_t *begin_ns, uint64_t end_ns);
void uvs__nest_clear(struct uvs__nest *nest);

#endif
