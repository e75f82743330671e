// SPDX-License-Identifier: MIT
// Who waits long waits seldom: most pieces are overwritten without ever having been asked about.
#include "history.h"

#include "error.h"
#include "saturate.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

static struct uvs__past *piece_at(const struct uvs__history *history, uint64_t number)
{
    return &history->ring[number & (history->capacity - 1)];
}

// What now belongs into the new half was in the old one, at the same place.
static int grow(struct uvs__history *history)
{
    const size_t capacity = history->capacity ? 2 * history->capacity : FIRST_CAPACITY;
    struct uvs__past *ring = reallocarray(history->ring, capacity, sizeof(*ring));
    if (!ring)
        return -UVS_E_ENVIRONMENT;
    for (uint64_t i = history->begin, next; i < history->end; i = next) {
        next = (i | (history->capacity - 1)) + 1; // where the old ring starts over
        next = next < history->end ? next : history->end;
        if (i & history->capacity)
            memcpy(&ring[i & (capacity - 1)], &ring[i & (history->capacity - 1)], (next - i) * sizeof(*ring));
    }
    history->ring = ring;
    history->capacity = capacity;
    return 0;
}

static void take_down(struct uvs__history *history)
{
    uvs__timeline_empty(&history->timeline);
    history->laid_begin = history->laid_end = 0;
}

static uint64_t first_ending_after(const struct uvs__history *history, uint64_t time_ns)
{
    uint64_t low = history->begin, high = history->end;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (piece_at(history, middle)->end_ns <= time_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void forget(struct uvs__history *history, uint64_t horizon_ns)
{
    history->horizon_ns = horizon_ns;
    history->begin = first_ending_after(history, horizon_ns);
    if (history->laid_end <= history->begin)
        take_down(history);
    else if (history->laid_begin < history->begin) {
        uvs__timeline_forget(&history->timeline, horizon_ns);
        history->laid_begin = history->begin;
    }
}

int uvs__history_add_slowly(struct uvs__history *history, const struct uvs__past *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (history->end - history->begin == history->capacity && grow(history))
            return -UVS_E_ENVIRONMENT;
        *piece_at(history, history->end++) = pieces[i];
        while (uvs__is_too_long(history->horizon_ns, pieces[i].end_ns, history->end - history->begin))
            forget(history, uvs__next_horizon(history->horizon_ns, pieces[i].end_ns));
    }
    const size_t most = UVS__MAX_PIECES - 1;
    history->full_at = history->begin + (history->capacity < most ? history->capacity : most);
    history->late_ns = uvs__add(history->horizon_ns, 2 * UVS__HISTORY_NS);
    return 0;
}

// What lies between the timeline and what is wanted is laid out too, unless that is more than is there
// already: so that no piece is laid out again and again.
static uint64_t begin_at(const struct uvs__history *history, uint64_t wanted)
{
    bool is_near = wanted < history->laid_end ||
                   wanted - history->laid_end < history->laid_end - history->laid_begin;
    return wanted >= history->laid_begin && is_near ? history->laid_end : wanted;
}

int uvs__history_lay_out(struct uvs__history *history, uint64_t begin_ns, uvs__track_function *track_of,
                         void *data)
{
    uint64_t at = begin_at(history, first_ending_after(history, begin_ns));
    if (at != history->laid_end || history->laid_end == 0) {
        take_down(history);
        history->laid_begin = at;
    }
    history->timeline.horizon_ns = history->horizon_ns;
    for (; at < history->end; at++) {
        const struct uvs__past *piece = piece_at(history, at);
        struct uvs__track *track = track_of(data, piece->cause);
        if (!track || uvs__timeline_add(&history->timeline, track, piece->begin_ns, piece->end_ns,
                                        piece->end_ns - piece->begin_ns))
            return -UVS_E_ENVIRONMENT;
    }
    history->laid_end = at;
    return 0;
}

void uvs__history_clear(struct uvs__history *history)
{
    free(history->ring);
    *history = (struct uvs__history){0};
}
