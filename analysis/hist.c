// SPDX-License-Identifier: MIT
// The log-linear histogram.
#include "hist.h"

#include "error.h"
#include "../probes/uvs_abi.h"

#include <stdlib.h>

enum { BUCKETS = UVS__HIST_BUCKETS, CHUNKS = UVS__HIST_CHUNKS };

// The number of a chunk's first bucket, counted as its pointer does; BUCKETS is behind the last.
static int first_of(unsigned chunk)
{
    return chunk == 0 ? -BUCKETS : 0;
}

static uint64_t bucket_middle(unsigned chunk, int bucket)
{
    return ((uint64_t)(bucket + BUCKETS) << chunk) + ((1ull << chunk) >> 1);
}

// NULL without memory.
static uint32_t *chunk_at(struct uvs_hist *hist, unsigned chunk)
{
    if (!hist->chunks[chunk]) {
        uint32_t *buckets = calloc((size_t)(BUCKETS - first_of(chunk)), sizeof(*buckets));
        hist->chunks[chunk] = buckets ? buckets - first_of(chunk) : NULL;
    }
    return hist->chunks[chunk];
}

static void add_summary(struct uvs_hist *hist, uint64_t count, uint64_t sum, uint64_t min, uint64_t max)
{
    if (hist->count == 0 || min < hist->min)
        hist->min = min;
    if (hist->count == 0 || max > hist->max)
        hist->max = max;
    hist->count += count;
    hist->sum = uvs__add(hist->sum, sum);
}

static void add_to(uint32_t *bucket, uint32_t number)
{
    *bucket = number > UINT32_MAX - *bucket ? UINT32_MAX : *bucket + number;
}

int uvs__hist_add_slowly(struct uvs_hist *hist, uint64_t ns)
{
    ns -= ns == UINT64_MAX;
    const unsigned shift = uvs__hist_shift(ns);
    uint32_t *chunk = chunk_at(hist, shift);
    if (!chunk)
        return -UVS_E_ENVIRONMENT;
    add_to(&chunk[(int)(ns >> shift) - BUCKETS], 1);
    add_summary(hist, 1, ns, ns, ns);
    return 0;
}

int uvs_hist_add_buckets(struct uvs_hist *hist, const uint64_t *buckets, size_t bucket_count, uint64_t sum,
                         uint64_t min, uint64_t max)
{
    uint64_t count = 0;
    for (size_t i = 0; i < bucket_count; i++) {
        const uint64_t index = buckets[i] >> 32;
        if (index / BUCKETS > CHUNKS || !(uint32_t)buckets[i]) // not one of ours
            continue;
        const unsigned chunk_number = index < BUCKETS ? 0 : (unsigned)(index / BUCKETS) - 1;
        uint32_t *chunk = chunk_at(hist, chunk_number);
        if (!chunk)
            return -UVS_E_ENVIRONMENT;
        add_to(&chunk[(int)index - (int)(chunk_number + 1) * BUCKETS], (uint32_t)buckets[i]);
        count += (uint32_t)buckets[i];
    }
    if (count)
        add_summary(hist, count, sum, min, max < min ? min : max);
    return 0;
}

int uvs_hist_merge(struct uvs_hist *into, const struct uvs_hist *from)
{
    if (from->count == 0)
        return 0;
    for (unsigned chunk = 0; chunk < CHUNKS; chunk++)
        if (from->chunks[chunk] && !chunk_at(into, chunk))
            return -UVS_E_ENVIRONMENT;
    for (unsigned chunk = 0; chunk < CHUNKS; chunk++) {
        const uint32_t *source = from->chunks[chunk];
        for (int i = first_of(chunk); source && i < BUCKETS; i++)
            add_to(&into->chunks[chunk][i], source[i]);
    }
    add_summary(into, from->count, from->sum, from->min, from->max);
    return 0;
}

static uint64_t clamp(const struct uvs_hist *hist, uint64_t ns)
{
    if (ns < hist->min)
        return hist->min;
    return ns > hist->max ? hist->max : ns;
}

uint64_t uvs_hist_quantile(const struct uvs_hist *hist, double q)
{
    // 0.999 * 1000 must be rank 999 however the product rounds.
    double exact = q * (double)hist->count - 1e-6;
    uint64_t rank = exact <= 0 ? 0 : (uint64_t)exact;
    if ((double)rank < exact)
        rank++;
    uint64_t seen = 0;
    for (unsigned chunk = 0; chunk < CHUNKS; chunk++)
        for (int i = first_of(chunk); hist->chunks[chunk] && i < BUCKETS; i++) {
            seen += hist->chunks[chunk][i];
            if (seen && seen >= rank)
                return clamp(hist, bucket_middle(chunk, i));
        }
    return hist->max;
}

uint64_t uvs_hist_count_to(const struct uvs_hist *hist, uint64_t ns)
{
    uint64_t count = 0;
    if (hist->count && ns >= hist->max)
        return hist->count;
    for (unsigned chunk = 0; chunk < CHUNKS; chunk++)
        for (int i = first_of(chunk); hist->chunks[chunk] && i < BUCKETS; i++)
            if (clamp(hist, bucket_middle(chunk, i)) <= ns)
                count += hist->chunks[chunk][i];
    return count;
}

void uvs_hist_clear(struct uvs_hist *hist)
{
    for (unsigned chunk = 0; chunk < CHUNKS; chunk++)
        if (hist->chunks[chunk])
            free(hist->chunks[chunk] + first_of(chunk));
    *hist = (struct uvs_hist){0};
}
