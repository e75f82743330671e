// SPDX-License-Identifier: MIT
// Each holder's pieces carry running sums, so a question costs two binary searches per holder that had
// anything since; holders are linked by their last piece, so others are not looked at.
#include "timeline.h"

#include "error.h"
#include "map.h"

#include <stdlib.h>
#include <string.h>

static void unlink_track(struct uvs__timeline *timeline, struct uvs__track *track)
{
    if (track->newer)
        track->newer->older = track->older;
    else if (timeline->newest == track)
        timeline->newest = track->older;
    if (track->older)
        track->older->newer = track->newer;
    track->newer = track->older = NULL;
}

static void make_newest(struct uvs__timeline *timeline, struct uvs__track *track)
{
    if (timeline->newest == track)
        return;
    unlink_track(timeline, track);
    track->older = timeline->newest;
    if (timeline->newest)
        timeline->newest->newer = track;
    timeline->newest = track;
}

// --- Forgetting ---

static size_t forget_of(struct uvs__track *track, uint64_t horizon_ns)
{
    size_t gone = 0;
    while (track->first < track->count && track->pieces[track->first].end_ns <= horizon_ns) {
        track->first++;
        gone++;
    }
    if (track->first > track->count / 2) {
        track->count -= track->first;
        memmove(track->pieces, track->pieces + track->first, track->count * sizeof(*track->pieces));
        track->first = 0;
    }
    return gone;
}

void uvs__timeline_forget(struct uvs__timeline *timeline, uint64_t horizon_ns)
{
    timeline->horizon_ns = horizon_ns;
    for (struct uvs__track *track = timeline->newest; track; track = track->older)
        timeline->pieces -= forget_of(track, horizon_ns);
}

void uvs__timeline_empty(struct uvs__timeline *timeline)
{
    for (struct uvs__track *track = timeline->newest, *older; track; track = older) {
        older = track->older;
        track->newer = track->older = NULL;
        track->first = track->count = 0;
    }
    timeline->newest = NULL;
    timeline->pieces = 0;
}

static void bound(struct uvs__timeline *timeline, uint64_t now_ns)
{
    while (uvs__is_too_long(timeline->horizon_ns, now_ns, timeline->pieces))
        uvs__timeline_forget(timeline, uvs__next_horizon(timeline->horizon_ns, now_ns));
}

// --- Adding and asking ---

int uvs__timeline_add(struct uvs__timeline *timeline, struct uvs__track *track, uint64_t begin_ns,
                      uint64_t end_ns, uint64_t ns)
{
    struct uvs__piece *pieces = uvs__grow(track->pieces, track->count, &track->capacity, sizeof(*pieces));
    if (!pieces)
        return -UVS_E_ENVIRONMENT;
    track->pieces = pieces;
    pieces[track->count++] = (struct uvs__piece){begin_ns, end_ns, track->sum_ns};
    track->sum_ns += ns;
    track->end_ns = end_ns;
    timeline->pieces++;
    make_newest(timeline, track);
    bound(timeline, end_ns);
    return 0;
}

static uint64_t sum_before(const struct uvs__track *track, size_t index)
{
    return index < track->count ? track->pieces[index].sum_ns : track->sum_ns;
}

static size_t first_ending_after(const struct uvs__track *track, uint64_t time_ns)
{
    size_t low = track->first, high = track->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (track->pieces[middle].end_ns <= time_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint64_t sum_at(const struct uvs__track *track, uint64_t time_ns)
{
    size_t index = first_ending_after(track, time_ns);
    uint64_t sum_ns = sum_before(track, index);
    if (index == track->count || track->pieces[index].begin_ns >= time_ns)
        return sum_ns;
    const struct uvs__piece *piece = &track->pieces[index];
    uint64_t had_ns = sum_before(track, index + 1) - sum_ns, passed_ns = time_ns - piece->begin_ns;
    if (had_ns == piece->end_ns - piece->begin_ns)
        return sum_ns + passed_ns;
    double part = (double)passed_ns / (double)(piece->end_ns - piece->begin_ns);
    return sum_ns + (uint64_t)(part * (double)had_ns);
}

uint64_t uvs__track_between(const struct uvs__track *track, uint64_t begin_ns, uint64_t end_ns)
{
    return begin_ns < end_ns ? sum_at(track, end_ns) - sum_at(track, begin_ns) : 0;
}

void uvs__track_clear(struct uvs__track *track)
{
    free(track->pieces);
    track->pieces = NULL;
    track->first = track->count = track->capacity = 0;
}
