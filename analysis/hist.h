// SPDX-License-Identifier: MIT
// A log-linear histogram of nanoseconds: every quantile within 1 % of the true one, count, sum, min and max
// exact. 128 buckets per power of two; chunks are allocated as values fall into them, so an empty one costs a
// few words.
#ifndef UVS_HIST_H
#define UVS_HIST_H

#include <stdint.h>

struct uvs_hist {
    uint64_t count, sum, min, max; // min and max are meaningless while count is 0
    uint32_t *chunks[58];          // by power of two; see hist.c
};

// Zero-initialise to create. Values saturate at UINT64_MAX - 1. Returns 0, or -UVS_E_ENVIRONMENT without
// memory.
int uvs_hist_add(struct uvs_hist *hist, uint64_t ns);
int uvs_hist_merge(struct uvs_hist *into, const struct uvs_hist *from);
// The value at rank ceil(q * count), 0 < q <= 1, clamped to [min, max]. count must not be 0.
uint64_t uvs_hist_quantile(const struct uvs_hist *hist, double q);
// How many are at most `ns`, as exactly as the buckets: a bucket counts when its middle does.
uint64_t uvs_hist_count_to(const struct uvs_hist *hist, uint64_t ns);
void uvs_hist_clear(struct uvs_hist *hist);

#endif
