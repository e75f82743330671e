// SPDX-License-Identifier: MIT
// How much of a trace is read for a report of a part of it: from somewhat before the window up to when all
// that counts is over.
#ifndef UVS_EXTENT_H
#define UVS_EXTENT_H

#include "reader.h"
#include "span.h"

// Looks back: mostly a moment is enough to know who everybody is and what they are at. Beyond a minute
// nothing is remembered (timeline.h).
#define UVS__LOOK_NEAR_NS 2000000000ull
#define UVS__LOOK_FAR_NS  62000000000ull

// What is wanted, since the trace's begin, as in the options; until UVS_ABSENT: to its end. look_back_ns
// UVS_ABSENT: all is read. touching: not only what counts, but all that touches the window (window.h).
struct uvs__extent_wish {
    uint64_t from_ns, until_ns, look_back_ns;
    bool touching;
};

struct uvs__extent {
    bool has_begun;             // the trace's first event was seen: what follows is known
    uint64_t from_ns, until_ns; // of the window, in the events' own times; until UVS_ABSENT: open
    bool touching;
    uint64_t read_ns;  // what ended before is not read; 0: all is
    uint64_t sure_ns;  // what is told from here on must not reach back beyond read_ns; UVS_ABSENT: it may
    bool is_too_short; // it did
    // What holds up the end, in the order in which it is looked at.
    enum {
        UVS__EXTENT_OPEN,
        UVS__EXTENT_LOOPS,
        UVS__EXTENT_REQUESTS,
        UVS__EXTENT_HOLDERS,
        UVS__EXTENT_RETURNS,
        UVS__EXTENT_OVER
    } stage;
    const struct uvs__loop *loop;
    const struct uvs__process *process;
    uint64_t barrier_ns; // requests that were submitted before are waited for
    uint64_t op;         // the request that is; 0: none is known
};

// true: the event begins the trace, and is before all that is read. The reader is told to pass over the rest
// of that, and the builder when the trace began; it is not given the event.
bool uvs__extent_passes_over(struct uvs__extent *extent, const struct uvs__extent_wish *wish,
                             struct uvs__spans *spans, struct uvs_reader *reader,
                             const struct uvs_event *event);
// Before the builder is given the event.
void uvs__extent_look(struct uvs__extent *extent, const struct uvs__spans *spans,
                      const struct uvs_event *event);
// At a span that counts.
void uvs__extent_counts(struct uvs__extent *extent, const struct uvs__span *span,
                        uint64_t blame_threshold_ns);
// Whether nothing that is told from now on can count, or change what does.
bool uvs__extent_is_over(struct uvs__extent *extent, const struct uvs__spans *spans, uint64_t now_ns);

#endif
