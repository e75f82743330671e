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

// Whether history that goes back to horizon_ns, in so many pieces, is more than is kept; *ret_horizon_ns: to
// where it is to be forgotten.
bool uvs__is_too_long(uint64_t horizon_ns, uint64_t now_ns, size_t pieces, uint64_t *ret_horizon_ns);
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
