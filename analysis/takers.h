// SPDX-License-Identifier: MIT
// Gives spans to the analyses, some at a time: those of one type together, so that what is done with each is
// a short loop, or all in order to one that needs that.
#ifndef UVS_TAKERS_H
#define UVS_TAKERS_H

#include "analysis.h"

enum { UVS__ANALYSES = 16, UVS__RUN_SPANS = 512, UVS__ORDERED_SPANS = 128 };

// Zero-initialise to create.
struct uvs__takers {
    struct uvs__typed_taker {
        uvs__spans_function *take;
        void *state;
    } typed[UVS__SPAN_COUNT][UVS__ANALYSES];
    size_t typed_count[UVS__SPAN_COUNT];
    struct uvs__ordered_taker {
        uvs__ordered_function *take;
        void *state;
    } ordered[UVS__ANALYSES];
    size_t ordered_count;
    // Of the run that is sorted: those that count, by type.
    const struct uvs__span *spans[UVS__SPAN_COUNT][UVS__RUN_SPANS], **ends[UVS__SPAN_COUNT];
};

void uvs__takers_add(struct uvs__takers *takers, const struct uvs__analysis *analysis, void *state);
// 0, or what an analysis said that was not. No analysis is in two of them, and they may be called at the same
// time.
int uvs__takers_take_typed(struct uvs__takers *takers, const struct uvs__output *output,
                           const struct uvs__span *spans, size_t count);
// The analysis in order of that number.
int uvs__takers_take_ordered(const struct uvs__takers *takers, size_t number,
                             const struct uvs__output *output, const struct uvs__span *spans, size_t count);

#endif
