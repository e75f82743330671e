// SPDX-License-Identifier: MIT
// An analysis takes spans and fills its part of the report. A new one is a file and a row in the map below.
#ifndef UVS_ANALYSIS_H
#define UVS_ANALYSIS_H

#include "recording.h"
#include "report.h"
#include "span.h"
#include "symbols.h"

// What analyses share; report is what they fill at the end.
struct uvs__output {
    struct uvs_report *report;
    const struct uvs__spans *spans;
    const struct uvs_recording *recording; // NULL: the trace is not one
    struct uvs_symbols *symbols;
    struct uvs__map sites;
    size_t site_capacity;
    uint64_t look_back_ns; // how long before a window reading began; UVS_ABSENT: at the trace's begin
};

// Spans of one type, in order.
typedef int uvs__spans_function(void *state, const struct uvs__output *output,
                                const struct uvs__span *const *spans, size_t count);
// Spans of all types, in order; `counts` says whether one is in the window that the report is of.
typedef int uvs__ordered_function(void *state, const struct uvs__output *output,
                                  const struct uvs__span *spans, size_t count);

struct uvs__analysis {
    size_t state_size;                           // of its own state, which starts zeroed
    uvs__spans_function *spans[UVS__SPAN_COUNT]; // what it does with those of each type that count; or NULL
    uvs__ordered_function *in_order;             // with all, where it needs what came before; or NULL
    int (*finish)(void *state, struct uvs__output *output);
    void (*clear)(void *state); // or NULL
};

// Defines each_NAME, which does NAME with one span after the other.
#define UVS__EACH(name)                                                                \
    static int each_##name(void *state, const struct uvs__output *output,              \
                           const struct uvs__span *const *spans, size_t count)         \
    {                                                                                  \
        for (const struct uvs__span *const *end = spans + count; spans < end; spans++) \
            if (name(state, output, *spans))                                           \
                return -UVS_E_ENVIRONMENT;                                             \
        return 0;                                                                      \
    }

// Of those in order the last is the heaviest: it has a thread first.
#define UVS__ANALYSIS_MAP(X) \
    X(processes)             \
    X(loops)                 \
    X(open_handles) X(callbacks) X(sync_calls) X(pool) X(stacks) X(chains) X(blame) X(what_if) X(slices)

#define X(name) extern const struct uvs__analysis uvs__##name##_analysis;
UVS__ANALYSIS_MAP(X)
#undef X

// The site of whom a span names; NULL when its address is not known.
int uvs__site_of(struct uvs__output *output, uint32_t who, struct uvs_site **ret_site);
void uvs__site_destroy(struct uvs_site *site);
// By name, then by address: how rows with equal figures are ordered.
int uvs__compare_sites(const struct uvs_site *a, const struct uvs_site *b);

// As uvs_analyse. finish is called when all analyses have filled the report, while the spans' processes,
// loops and names are still there.
typedef int uvs__finish_function(void *data, struct uvs__output *output);
int uvs__analyse(const char *path, const struct uvs_analysis_options *options, uvs__finish_function *finish,
                 void *finish_data, struct uvs_report **ret_report, struct uvs_error *error);
// What a recording knows of its processes.
void uvs__spans_recorded(struct uvs__spans *spans, const struct uvs_recording *recording);

// Fills report->findings from the rest of it. 0 or -UVS_E_ENVIRONMENT.
int uvs__find(struct uvs__output *output);

#endif
