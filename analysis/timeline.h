// SPDX-License-Identifier: MIT
// Who had a thread, or a pool, and when: the last minute of it, so that somebody who waited can ask who
// filled the time.
#ifndef UVS_TIMELINE_H
#define UVS_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// [begin_ns, end_ns) of one holder. sum_ns: all that it had before.
struct uvs__piece {
    uint64_t begin_ns, end_ns, sum_ns;
};

// One holder's pieces in the order of time. Zero-initialise but for the name; the memory is the caller's and
// must stay where it is while the timeline lives.
struct uvs__track {
    struct uvs__track *newer, *older; // by when their last pieces ended
    struct uvs__piece *pieces;
    size_t first, count, capacity; // pieces before `first` are forgotten
    uint64_t sum_ns, end_ns;
    uint64_t name; // the caller's
};

// Zero-initialise to create.
struct uvs__timeline {
    struct uvs__track *newest;
    size_t pieces;
    uint64_t horizon_ns; // what was before is forgotten
};

// Nothing is remembered for longer; a very busy thread forgets earlier, to bound the memory.
#define UVS__HISTORY_NS 60000000000ull
enum { UVS__MAX_PIECES = 1 << 19 };

// Whether history that goes back to horizon_ns, in so many pieces, is more than is kept: at most twice the
// time, so that a piece is passed over once in its life on average.
static inline bool uvs__is_too_long(uint64_t horizon_ns, uint64_t now_ns, size_t pieces)
{
    return now_ns - horizon_ns > 2 * UVS__HISTORY_NS || (pieces >= UVS__MAX_PIECES && horizon_ns < now_ns);
}

// To where it is to be forgotten then.
static inline uint64_t uvs__next_horizon(uint64_t horizon_ns, uint64_t now_ns)
{
    uint64_t length_ns = now_ns - horizon_ns;
    return now_ns - (length_ns > 2 * UVS__HISTORY_NS ? UVS__HISTORY_NS : length_ns / 2);
}

// Forgets what ended before.
void uvs__timeline_forget(struct uvs__timeline *timeline, uint64_t horizon_ns);
// Takes all tracks off it, and empties them.
void uvs__timeline_empty(struct uvs__timeline *timeline);

// Holder `track` had `ns` of [begin_ns, end_ns). Its pieces must not overlap, and their ends must not go back
// in time on the whole timeline. 0 or -UVS_E_ENVIRONMENT.
int uvs__timeline_add(struct uvs__timeline *timeline, struct uvs__track *track, uint64_t begin_ns,
                      uint64_t end_ns, uint64_t ns);
// How much of [begin_ns, end_ns) a holder had. Of a piece that is cut, the part in proportion, rounded down.
uint64_t uvs__track_between(const struct uvs__track *track, uint64_t begin_ns, uint64_t end_ns);
void uvs__track_clear(struct uvs__track *track);

#endif
