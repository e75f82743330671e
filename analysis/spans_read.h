// SPDX-License-Identifier: MIT
// The spans of a trace one by one, for those who write them elsewhere. The trace is read twice: the first
// time for its report and its names, so that the second can be streamed.
#ifndef UVS_SPANS_READ_H
#define UVS_SPANS_READ_H

#include "report.h"

#define UVS_SPAN_NONE UINT32_MAX

// X(NAME, "name").
#define UVS_SPAN_MAP(X)       \
    X(CALLBACK, "callback")   \
    X(BUSY, "busy")           \
    X(POLL, "poll")           \
    X(OUTSIDE, "outside")     \
    X(SYNC_CALL, "sync_call") \
    X(GC, "gc")               \
    X(STALL, "stall")         \
    X(WORK, "work")           \
    X(UNFINISHED, "unfinished")

enum uvs_span_type {
#define X(NAME, name) UVS_SPAN_##NAME,
    UVS_SPAN_MAP(X)
#undef X
        UVS_SPAN_COUNT
};
extern const char *const uvs_span_names[UVS_SPAN_COUNT];

// A stall is a moment at which the watchdog found a loop busy for long: begin and end are the same, the site
// is the innermost function. Times are CLOCK_MONOTONIC; UVS_ABSENT is unknown. What has no meaning for the
// type is absent, too.
struct uvs_span {
    enum uvs_span_type type;
    uint64_t begin_ns, end_ns;
    uint32_t process, loop; // in the tables; loop UVS_SPAN_NONE: on none, as are works
    int kind;               // -1 none
    uint32_t site;          // in the report's sites, or UVS_SPAN_NONE
    uint64_t op;            // 0 unknown, or none
    // Of callbacks: when and by which callback's op the operation was asked for. A handle's callback that
    // runs again was asked for once.
    uint64_t scheduled_ns, parent; // parent 0: by none, or unknown
    uint64_t delay_ns, latency_ns; // of callbacks
    uint64_t queue_ns;             // of works
    uint64_t work_ns;              // of callbacks: when a worker began; UVS_ABSENT none, or unknown
    uint32_t tid;                  // of works, and of callbacks with a work_ns: the worker
    int32_t result;                // of callbacks
    uint64_t sampled_ns;           // of stalls: the time since the one before, which its stack stands for
    uint8_t collection;            // of garbage collections: enum uvs_gc
    bool cancelled;                // of callbacks
    bool complete, open;           // of busy intervals: nothing was lost in it; it was not over
    bool started, stuck;           // of unfinished requests
};

struct uvs_span_process {
    uint32_t pid, pool_size; // pool_size 0 unknown
    char *exe, *argv;        // argv joined by spaces; NULL unknown
    uint32_t libuv;          // major << 16 | minor << 8 | patch; 0 unknown
};

struct uvs_span_loop {
    uint32_t process, slot, tid; // tid 0 unknown
    char *name;                  // of the thread; NULL unknown
    bool is_default;
};

// A pid that was taken again is two processes. Lives as long as the source.
struct uvs_span_tables {
    const struct uvs_report *report;
    struct uvs_span_process *processes;
    size_t process_count;
    struct uvs_span_loop *loops;
    size_t loop_count;
    uint64_t from_ns, to_ns; // the window that is visited
};

struct uvs_span_options {
    struct uvs_analysis_options analysis;
    // Spans that touch the window, given since the begin of the trace; to_ns 0: up to its end. around_worst:
    // the longest block and what is near it.
    uint64_t from_ns, to_ns;
    bool around_worst;
};

struct uvs_span_source;

// 0, or as uvs_analyse. The options are copied, the path is borrowed.
int uvs_span_source_create(const char *path, const struct uvs_span_options *options,
                           struct uvs_span_source **ret_source, struct uvs_error *error);
const struct uvs_span_tables *uvs_span_source_tables(const struct uvs_span_source *source);
void uvs_span_source_destroy(struct uvs_span_source *source);

// Calls visit for each span, in the order in which they are settled; what it returns, if not 0, ends it and
// is returned, and it sets the error. A trace that breaks off ends there: its report says so.
int uvs_span_source_visit(const struct uvs_span_source *source,
                          int (*visit)(void *data, const struct uvs_span *span, struct uvs_error *error),
                          void *data, struct uvs_error *error);

#endif
