// SPDX-License-Identifier: MIT
// Times of a damaged trace may be anything: sums stay below UVS_ABSENT and differences above 0.
#ifndef UVS_SATURATE_H
#define UVS_SATURATE_H

#include <stdint.h>

static inline uint64_t uvs__add(uint64_t a, uint64_t b)
{
    return b > UINT64_MAX - 1 - a ? UINT64_MAX - 1 : a + b;
}

static inline uint64_t uvs__minus(uint64_t a, uint64_t b)
{
    return b < a ? a - b : 0;
}

static inline uint64_t uvs__min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t uvs__max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

#endif
