// SPDX-License-Identifier: MIT
// Ranks are doubled, so that those of ties are whole numbers.
#include "rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

struct value {
    double value;
    size_t doubled_rank;
    int is_second;
};

static int compare_values(const void *a, const void *b)
{
    const struct value *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double uvs_median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare_doubles);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

// Equal values share the mean of their ranks. Returns the sum of t^3 - t over groups of t equal ones.
static double rank_values(struct value *values, size_t count)
{
    double ties = 0;
    qsort(values, count, sizeof(*values), compare_values);
    for (size_t begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1; end < count && values[end].value <= values[begin].value; end++)
            ;
        for (size_t i = begin; i < end; i++)
            values[i].doubled_rank = begin + 1 + end;
        const double equal = (double)(end - begin);
        ties += equal * equal * equal - equal;
    }
    return ties;
}

// ways[taken][sum]: in how many ways so many of the ranks have that doubled sum.
static void count_ways(const struct value *values, size_t count, size_t taken, size_t sums, double *ways)
{
    ways[0] = 1;
    for (size_t i = 0; i < count; i++) {
        const size_t rank = values[i].doubled_rank;
        for (size_t k = i + 1 < taken ? i + 1 : taken; k > 0; k--)
            for (size_t sum = sums - 1; sum >= rank; sum--)
                ways[k * sums + sum] += ways[(k - 1) * sums + sum - rank];
    }
}

// The share of all ways whose sum is as far from the mean as `observed`, or farther.
static int exact_p(const struct value *values, size_t count, size_t taken, size_t observed, double *ret_p)
{
    const size_t sums = count * (count + 1) + 1;
    double *ways = calloc((taken + 1) * sums, sizeof(*ways)), all = 0, far = 0;
    if (!ways)
        return -UVS_E_ENVIRONMENT;
    count_ways(values, count, taken, sums, ways);
    const double mean = (double)taken * (double)(count + 1); // of doubled sums
    const double distance = fabs((double)observed - mean);
    for (size_t sum = 0; sum < sums; sum++) {
        const double here = ways[taken * sums + sum];
        all += here;
        far += fabs((double)sum - mean) >= distance ? here : 0;
    }
    free(ways);
    *ret_p = far / all;
    return 0;
}

// With correction for ties, and for continuity.
static double normal_p(double u, double first, double second, double ties)
{
    const double count = first + second;
    const double variance = first * second / 12 * (count + 1 - ties / (count * (count - 1)));
    const double distance = fabs(u - first * second / 2) - 0.5;
    if (variance <= 0 || distance <= 0)
        return 1;
    return erfc(distance / sqrt(variance) / sqrt(2));
}

int uvs_rank_test(const double *first, size_t first_count, const double *second, size_t second_count,
                  struct uvs_rank *ret_rank)
{
    const size_t count = first_count + second_count;
    struct value *values = malloc(count * sizeof(*values));
    if (!values)
        return -UVS_E_ENVIRONMENT;
    for (size_t i = 0; i < count; i++)
        values[i] = i < first_count ? (struct value){.value = first[i]}
                                    : (struct value){.value = second[i - first_count], .is_second = 1};
    const double ties = rank_values(values, count);
    size_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i].is_second ? values[i].doubled_rank : 0;
    const double n = (double)first_count, m = (double)second_count;
    const double u = (double)sum / 2 - m * (m + 1) / 2;
    struct uvs_rank rank = {.superiority = u / (n * m)};
    int result = 0;
    if (count <= UVS_RANK_EXACT)
        result = exact_p(values, count, second_count, sum, &rank.p);
    else
        rank.p = normal_p(u, n, m, ties);
    free(values);
    if (result == 0)
        *ret_rank = rank;
    return result;
}

double uvs_rank_least(size_t first_count, size_t second_count)
{
    double ways = 1;
    for (size_t i = 1; i <= second_count; i++)
        ways *= (double)(first_count + i) / (double)i;
    return 2 / ways;
}
