// SPDX-License-Identifier: MIT
// Whether two groups of runs differ, without an assumption about how their figures are distributed.
//
// The rank test of Mann and Whitney ("On a test of whether one of two random variables is stochastically
// larger than the other", Annals of Mathematical Statistics 18, 1947), and the effect size of Vargha and
// Delaney ("A critique and improvement of the CL common language effect size statistics", Journal of
// Educational and Behavioral Statistics 25, 2000).
#ifndef UVS_RANK_H
#define UVS_RANK_H

#include <stddef.h>

// Beyond this many runs in all, the test's distribution is the normal one; up to it, all ways to divide the
// ranks are counted, ties included.
enum { UVS_RANK_EXACT = 50 };

struct uvs_rank {
    double p;           // chance that groups of the same kind differ so far or farther, in either direction
    double superiority; // chance that a run of the second is greater than one of the first; ties count half
};

// Both counts are above 0.  0, or -UVS_E_ENVIRONMENT without memory.
int uvs_rank_test(const double *first, size_t first_count, const double *second, size_t second_count,
                  struct uvs_rank *ret_rank);

// The least p that groups of these sizes can have: 1 / (ways to divide them) for each direction.
double uvs_rank_least(size_t first_count, size_t second_count);

// Reorders values. The middle one, or the mean of the two in the middle; count is above 0.
double uvs_median(double *values, size_t count);

#endif
