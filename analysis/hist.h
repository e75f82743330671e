// SPDX-License-Identifier: MIT
// A log-linear histogram of nanoseconds: every quantile within 1 % of the true one, count, sum, min and max
// exact. 128 buckets per power of two; chunks are allocated as values fall into them, so an empty one costs a
// few words.
#ifndef UVS_HIST_H
#define UVS_HIST_H

#include <stddef.h>
#include <stdint.h>
#include "saturate.h"

// Chunk 0 holds 0..127 exactly, chunk k the values with k + 7 significant bits.
enum { UVS__HIST_BITS = 7, UVS__HIST_BUCKETS = 1 << UVS__HIST_BITS, UVS__HIST_CHUNKS = 58 };

struct uvs_hist {
    uint64_t count, sum, min, max; // min and max are meaningless while count is 0
    uint32_t *chunks[UVS__HIST_CHUNKS];
};

static inline unsigned uvs__hist_chunk(uint64_t ns)
{
    return (unsigned)(64 - __builtin_clzll(ns | (UVS__HIST_BUCKETS - 1))) - UVS__HIST_BITS;
}

static inline unsigned uvs__hist_bucket(uint64_t ns, unsigned chunk)
{
    return (unsigned)(ns >> (chunk - (chunk > 0))) & (UVS__HIST_BUCKETS - 1);
}

// The first value of a chunk.
int uvs__hist_open(struct uvs_hist *hist, uint64_t ns);

// Zero-initialise to create. Values saturate at UINT64_MAX - 1. Returns 0, or -UVS_E_ENVIRONMENT without
// memory.
static inline int uvs_hist_add(struct uvs_hist *hist, uint64_t ns)
{
    ns -= ns == UINT64_MAX;
    const unsigned chunk = uvs__hist_chunk(ns);
    if (!hist->chunks[chunk])
        return uvs__hist_open(hist, ns);
    uint32_t *bucket = &hist->chunks[chunk][uvs__hist_bucket(ns, chunk)];
    // Branches that are hardly ever taken cost less here than values that are always written back.
    if (__builtin_expect(++*bucket == 0, 0))
        *bucket = UINT32_MAX;
    if (__builtin_expect(ns < hist->min, 0))
        hist->min = ns;
    if (__builtin_expect(ns > hist->max, 0))
        hist->max = ns;
    hist->count++;
    if (__builtin_expect(__builtin_add_overflow(hist->sum, ns, &hist->sum) || hist->sum == UINT64_MAX, 0))
        hist->sum = UINT64_MAX - 1;
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
