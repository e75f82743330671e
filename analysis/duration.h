// SPDX-License-Identifier: MIT
// Nanoseconds for a person.
#ifndef UVS_DURATION_H
#define UVS_DURATION_H

#include <stddef.h>
#include <stdint.h>

// Writes "10.0 s", "213 ms", "4.21 µs" or "250 ns": three significant digits, UTF-8, at most 16 bytes below
// 10^10 s; "-" for UVS_ABSENT. Returns buffer.
char *uvs_format_ns(char *buffer, size_t size, uint64_t ns);

#endif
