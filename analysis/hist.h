// SPDX-License-Identifier: MIT
// A log-linear histogram of nanoseconds: every quantile within 1 % of the true one, count, sum, min and max
// exact. 128 buckets per power of two; chunks are allocated as values fall into them, so an empty one costs a
// few words.
#ifndef UVS_HIST_H
#define UVS_HIST_H

#include <stddef.h>
#include <stdint.h>
#include "saturate.h"

// Of a value only the first 8 significant bits count. Chunk k holds the values from which k bits are taken
// away: 128 to 255 with those that are left, but chunk 0 all of 0 to 255.
enum { UVS__HIST_BITS = 7, UVS__HIST_BUCKETS = 1 << UVS__HIST_BITS, UVS__HIST_CHUNKS = 57 };

struct uvs_hist {
    uint64_t count, sum, min, max;      // min and max are meaningless while count is 0
    uint32_t *chunks[UVS__HIST_CHUNKS]; // each points at its bucket 128
};

// How many of a value's low bits do not matter.
static inline unsigned uvs__hist_shift(uint64_t ns)
{
    // 63 ^ is 63 -, which is one instruction more.
    return (unsigned)(63 ^ __builtin_clzll(ns | UVS__HIST_BUCKETS)) - UVS__HIST_BITS;
}

// What is not just one more of a bucket that is there.
int uvs__hist_add_slowly(struct uvs_hist *hist, uint64_t ns);

// Zero-initialise to create. Values saturate at UINT64_MAX - 1. Returns 0, or -UVS_E_ENVIRONMENT without
// memory.
static inline int uvs_hist_add(struct uvs_hist *hist, uint64_t ns)
{
    const unsigned shift = uvs__hist_shift(ns);
    uint32_t *chunk = hist->chunks[shift];
    // Two numbers of 63 bits have a sum that is not too large.
    if (__builtin_expect(!chunk || (int64_t)(ns | hist->sum) < 0, 0))
        return uvs__hist_add_slowly(hist, ns);
    uint32_t *bucket = &chunk[(int64_t)(ns >> shift) - UVS__HIST_BUCKETS];
    const uint32_t number = *bucket + 1;
    if (__builtin_expect(number == 0, 0))
        return uvs__hist_add_slowly(hist, ns);
    *bucket = number;
    // Branches that are hardly ever taken cost less here than values that are always written back.
    if (__builtin_expect(ns < hist->min, 0))
        hist->min = ns;
    if (__builtin_expect(ns > hist->max, 0))
        hist->max = ns;
    hist->count++;
    hist->sum += ns;
    return 0;
}

// buckets: as in the event `totals` (uvs_abi.h). min and max are not used without any.
int uvs_hist_add_buckets(struct uvs_hist *hist, const uint64_t *buckets, size_t bucket_count, uint64_t sum,
                         uint64_t min, uint64_t max);
int uvs_hist_merge(struct uvs_hist *into, const struct uvs_hist *from);
// The value at rank ceil(q * count), 0 < q <= 1, clamped to [min, max]. count must not be 0.
uint64_t uvs_hist_quantile(const struct uvs_hist *hist, double q);
// How many are at most `ns`, as exactly as the buckets: a bucket counts when its middle does.
uint64_t uvs_hist_count_to(const struct uvs_hist *hist, uint64_t ns);
void uvs_hist_clear(struct uvs_hist *hist);

#endif
