// SPDX-License-Identifier: MIT
// What a thread did in the last minute, piece by piece. It is only written down as long as nobody waits; when
// somebody has waited, what is asked about is laid out on a timeline.
#ifndef UVS_HISTORY_H
#define UVS_HISTORY_H

#include "timeline.h"

struct uvs__past {
    uint64_t begin_ns, end_ns, cause;
};

// Zero-initialise to create. Pieces are counted from the first one ever: [begin, end) are remembered, of
// which [laid_begin, laid_end) are on the timeline.
struct uvs__history {
    struct uvs__past *ring;
    size_t capacity; // 0 or a power of two
    uint64_t begin, end;
    uint64_t horizon_ns; // what was before is forgotten
    // Up to this number, and up to an end at this time, pieces are just added.
    uint64_t full_at, late_ns;
    struct uvs__timeline timeline;
    uint64_t laid_begin, laid_end;
};

// The track of a cause: the caller's, and it stays where it is. NULL without memory.
typedef struct uvs__track *uvs__track_function(void *data, uint64_t cause);

int uvs__history_add_slowly(struct uvs__history *history, const struct uvs__past *pieces, size_t count);

// Ends must not go back in time. 0 or -UVS_E_ENVIRONMENT.
static inline int uvs__history_add(struct uvs__history *history, uint64_t begin_ns, uint64_t end_ns,
                                   uint64_t cause)
{
    if (history->end >= history->full_at || end_ns > history->late_ns)
        return uvs__history_add_slowly(history, &(struct uvs__past){begin_ns, end_ns, cause}, 1);
    history->ring[history->end++ & (history->capacity - 1)] = (struct uvs__past){begin_ns, end_ns, cause};
    return 0;
}

// The same with each of some pieces, of which there must be one.
static inline int uvs__history_add_all(struct uvs__history *history, const struct uvs__past *pieces,
                                       size_t count)
{
    const struct uvs__past *end = pieces + count;
    if (history->end + count > history->full_at || end[-1].end_ns > history->late_ns)
        return uvs__history_add_slowly(history, pieces, count);
    uint64_t at = history->end;
    do
        history->ring[at++ & (history->capacity - 1)] = *pieces++;
    while (pieces < end);
    history->end = at;
    return 0;
}

// Puts all that ended after begin_ns, and is remembered, onto the timeline.
int uvs__history_lay_out(struct uvs__history *history, uint64_t begin_ns, uvs__track_function *track_of,
                         void *data);
// The tracks are the caller's to clear.
void uvs__history_clear(struct uvs__history *history);

#endif
