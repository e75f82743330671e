// SPDX-License-Identifier: MIT
// Whether a program changed between two groups of runs, and whether that is noise.
#ifndef UVS_COMPARE_H
#define UVS_COMPARE_H

#include "runs.h"

// X(NAME, "word").
#define UVS_CHANGE_MAP(X) \
    X(SAME, "same")       \
    X(WORSE, "worse")     \
    X(BETTER, "better")

enum uvs_change_verdict {
#define X(NAME, word) UVS_CHANGE_##NAME,
    UVS_CHANGE_MAP(X)
#undef X
};
extern const char *const uvs_change_words[];

// Why the verdict is believed.
// X(NAME, "word").
#define UVS_EVIDENCE_MAP(X)                                                                                \
    X(EXACT, "exact")         /* each side agrees with itself in all of its runs */                        \
    X(FLOOR, "floor")         /* the shortest of many calls, which noise lengthens but does not shorten */ \
    X(RANKS, "rank_test")     /* the rank test across runs, and an effect that matters */                  \
    X(TOLERANCE, "tolerance") /* too few runs to tell noise: more than the tolerance, and no more known */

enum uvs_evidence {
#define X(NAME, word) UVS_EVIDENCE_##NAME,
    UVS_EVIDENCE_MAP(X)
#undef X
};
extern const char *const uvs_evidence_words[];

struct uvs_compare_options {
    double tolerance; // relative: a smaller change is none; 0.1
    double p;         // a change that is likelier than this among equal programs is noise
};
#define UVS_COMPARE_DEFAULTS        \
    {                               \
        .tolerance = 0.1, .p = 0.01 \
    }
// A time's change matters from this share of the program's busy time on: what it costs together.
#define UVS_COMPARE_SHARE 0.01

// So many calls of a side have a shortest one that noise left alone.
enum { UVS_COMPARE_CALLS = 30 };

struct uvs_change {
    const struct uvs_gauge *gauge;
    const char *who;             // borrowed from the runs
    double old_value, new_value; // medians, of a floor the least; a count that a run does not have is 0
    size_t old_runs, new_runs;   // that have it
    double p, superiority;       // as in rank.h; p below 0: not tested
    enum uvs_evidence evidence;
    enum uvs_change_verdict verdict;
};

struct uvs_comparison {
    struct uvs_change *items; // worse ones first, then better ones, each by what they cost; then the others
    size_t count, worse, better;
    size_t gated; // of the worse ones, those whose gauge is gated
    bool tells_noise;
    bool has_loss; // events were lost: counts are compared with the tolerance only, and none of them is gated
};

// Both have at least one run. 0 or -UVS_E_ENVIRONMENT.
int uvs_compare(const struct uvs_runs *old_runs, const struct uvs_runs *new_runs,
                const struct uvs_compare_options *options, struct uvs_comparison *ret_comparison);
// Whether `check` fails for it: it is worse, of a gauge that is gated, and nothing that it needs was lost.
// Ranks alone do not fail a time: on a busy machine the runs of one side, one after the other, are slower
// together.
bool uvs_change_fails(const struct uvs_comparison *comparison, const struct uvs_change *change);
void uvs_comparison_clear(struct uvs_comparison *comparison);

#endif
