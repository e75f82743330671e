// SPDX-License-Identifier: MIT
// Histograms against the sorted samples they stand for.
#include "analysis/hist.h"
#include "probes/uvs_abi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

enum { SAMPLES = 20000 };
static const double quantiles[] = {0.001, 0.01, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0};
enum { QUANTILE_COUNT = sizeof(quantiles) / sizeof(quantiles[0]) };

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 1;
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

// Values of every magnitude: each has a random number of bits.
static void fill(uint64_t *samples, size_t count, uint64_t seed)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = next_random(&seed);
        samples[i] = value >> (value % 60);
    }
}

static void assert_quantiles(const struct uvs_hist *hist, uint64_t *samples, size_t count)
{
    qsort(samples, count, sizeof(*samples), compare);
    for (size_t i = 0; i < QUANTILE_COUNT; i++) {
        size_t rank = (size_t)(quantiles[i] * (double)count + 0.999999);
        uint64_t exact = samples[(rank ? rank : 1) - 1];
        uint64_t found = uvs_hist_quantile(hist, quantiles[i]);
        uint64_t difference = found > exact ? found - exact : exact - found;
        assert_true(difference <= exact / 100);
    }
}

static void quantiles_are_within_one_percent(void **state)
{
    (void)state;
    static uint64_t samples[SAMPLES];
    struct uvs_hist hist = {0};
    fill(samples, SAMPLES, 42);
    uint64_t sum = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        assert_int_equal(uvs_hist_add(&hist, samples[i]), 0);
        sum = sum > UINT64_MAX - 1 - samples[i] ? UINT64_MAX - 1 : sum + samples[i];
    }
    assert_quantiles(&hist, samples, SAMPLES);
    assert_int_equal(hist.count, SAMPLES);
    assert_true(hist.sum == sum);
    assert_true(hist.min == samples[0]);
    assert_true(hist.max == samples[SAMPLES - 1]);
    uvs_hist_clear(&hist);
    assert_int_equal(hist.count, 0);
}

static void merging_is_adding(void **state)
{
    (void)state;
    static uint64_t samples[SAMPLES];
    struct uvs_hist both = {0}, halves[2] = {{0}, {0}};
    fill(samples, SAMPLES, 7);
    for (size_t i = 0; i < SAMPLES; i++) {
        assert_int_equal(uvs_hist_add(&both, samples[i]), 0);
        assert_int_equal(uvs_hist_add(&halves[i % 3 == 0], samples[i]), 0);
    }
    assert_int_equal(uvs_hist_merge(&halves[0], &halves[1]), 0);
    assert_int_equal(halves[0].count, both.count);
    assert_true(halves[0].sum == both.sum && halves[0].min == both.min && halves[0].max == both.max);
    for (size_t i = 0; i < QUANTILE_COUNT; i++)
        assert_true(uvs_hist_quantile(&halves[0], quantiles[i]) == uvs_hist_quantile(&both, quantiles[i]));
    uvs_hist_clear(&both);
    uvs_hist_clear(&halves[0]);
    uvs_hist_clear(&halves[1]);
}

static void empty_ones_merge_to_nothing(void **state)
{
    (void)state;
    struct uvs_hist empty = {0}, one = {0};
    assert_int_equal(uvs_hist_merge(&one, &empty), 0);
    assert_int_equal(one.count, 0);
    uvs_hist_add(&one, 5);
    assert_int_equal(uvs_hist_merge(&one, &empty), 0);
    assert_int_equal(one.count, 1);
    assert_int_equal(one.min, 5);
    uvs_hist_clear(&one);
}

// Every value has a bucket, at both ends of every power of two.
static void every_power_of_two_is_held(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++)
        for (int step = -1; step <= 1; step++) {
            uint64_t value = ((uint64_t)1 << bit) + (uint64_t)(int64_t)step;
            struct uvs_hist hist = {0};
            assert_int_equal(uvs_hist_add(&hist, value), 0);
            uint64_t kept = value == UINT64_MAX ? UINT64_MAX - 1 : value;
            assert_true(uvs_hist_quantile(&hist, 0.5) == kept);
            assert_true(hist.max == kept);
            uvs_hist_clear(&hist);
        }
}

static void sums_saturate(void **state)
{
    (void)state;
    struct uvs_hist hist = {0};
    uvs_hist_add(&hist, UINT64_MAX);
    uvs_hist_add(&hist, UINT64_MAX);
    assert_true(hist.sum == UINT64_MAX - 1);
    assert_true(hist.max == UINT64_MAX - 1);
    assert_int_equal(hist.count, 2);
    uvs_hist_clear(&hist);
}

// Rank ceil(q * count), however q * count rounds: 0.999 of 1000 is the 999th, small values are exact.
static void ranks_are_exact(void **state)
{
    (void)state;
    struct uvs_hist hist = {0};
    for (uint64_t i = 1; i <= 100; i++)
        for (int times = 0; times < 10; times++)
            uvs_hist_add(&hist, i);
    assert_int_equal(uvs_hist_quantile(&hist, 0.5), 50);
    assert_int_equal(uvs_hist_quantile(&hist, 0.501), 51);
    assert_int_equal(uvs_hist_quantile(&hist, 0.99), 99);
    assert_int_equal(uvs_hist_quantile(&hist, 0.999), 100);
    assert_int_equal(uvs_hist_quantile(&hist, 0.07), 7);
    assert_int_equal(uvs_hist_quantile(&hist, 1.0), 100);
    uvs_hist_clear(&hist);
}

static void counts_reach_up_to_a_bound(void **state)
{
    (void)state;
    struct uvs_hist hist = {0};
    assert_int_equal(uvs_hist_count_to(&hist, 1000), 0);
    for (uint64_t i = 1; i <= 100; i++)
        uvs_hist_add(&hist, i);
    uvs_hist_add(&hist, 1000000);
    assert_int_equal(uvs_hist_count_to(&hist, 0), 0);
    assert_int_equal(uvs_hist_count_to(&hist, 40), 40);
    assert_int_equal(uvs_hist_count_to(&hist, 100), 100);
    assert_int_equal(uvs_hist_count_to(&hist, 999999), 100);
    assert_int_equal(uvs_hist_count_to(&hist, 1000000), 101);
    uvs_hist_clear(&hist);
}

// What another process counted in buckets is what would have been added here.
static void buckets_are_added(void **state)
{
    (void)state;
    enum { VALUES = 200 };
    static uint64_t samples[VALUES], buckets[VALUES];
    struct uvs_hist one = {0}, other = {0};
    uint64_t sum = 0, min = UINT64_MAX, max = 0;
    fill(samples, VALUES, 3);
    for (size_t i = 0; i < VALUES; i++) {
        samples[i] >>= 8;
        uvs_hist_add(&one, samples[i]);
        buckets[i] = (uint64_t)uvs_bucket_of(samples[i]) << 32 | 1;
        sum += samples[i];
        min = samples[i] < min ? samples[i] : min;
        max = samples[i] > max ? samples[i] : max;
    }
    assert_int_equal(uvs_hist_add_buckets(&other, buckets, VALUES / 2, sum, min, max), 0);
    assert_int_equal(uvs_hist_add_buckets(&other, buckets + VALUES / 2, VALUES / 2, 0, min, max), 0);
    assert_int_equal(other.count, one.count);
    assert_int_equal(other.sum, one.sum);
    assert_int_equal(other.min, one.min);
    assert_int_equal(other.max, one.max);
    for (size_t i = 0; i < QUANTILE_COUNT; i++)
        assert_int_equal(uvs_hist_quantile(&other, quantiles[i]), uvs_hist_quantile(&one, quantiles[i]));
    const uint64_t nonsense = UINT64_MAX;
    assert_int_equal(uvs_hist_add_buckets(&other, &nonsense, 1, 1, 1, 1), 0);
    assert_int_equal(other.count, one.count);
    uvs_hist_clear(&one);
    uvs_hist_clear(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_within_one_percent),
        cmocka_unit_test(merging_is_adding),
        cmocka_unit_test(empty_ones_merge_to_nothing),
        cmocka_unit_test(every_power_of_two_is_held),
        cmocka_unit_test(sums_saturate),
        cmocka_unit_test(ranks_are_exact),
        cmocka_unit_test(counts_reach_up_to_a_bound),
        cmocka_unit_test(buckets_are_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
