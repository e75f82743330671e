// SPDX-License-Identifier: MIT
// Late callbacks: the time from when one could have run to when it ran, divided by what its thread did
// meanwhile.
//
// The pieces of a busy interval become known in the order of their ends, and whether they are all there when
// the interval closes. So they are kept until then, and so are its victims, whose windows end in it.
#include "blame.h"

#include "history.h"
#include "saturate.h"

#include <stdlib.h>
#include <string.h>

enum { NO_MEMORY = -UVS_E_ENVIRONMENT, MAX_WINDOWS = 65536 };

// libuv's timers and polls count in whole milliseconds.
static const uint64_t timer_grain_ns = 2000000;

struct sample {
    uint64_t since_ns, time_ns; // since: the one before it, or the begin of the interval
    const struct uvs__stack *stack;
};

struct victim {
    uint64_t due_ns, run_ns;
    uint32_t who;
    bool is_timer;
};

// What the blame knows of a loop.
struct loop_state {
    struct uvs__history history; // known busy intervals, as libuv's, and the parts in them; polls; outside
    uint64_t covered_ns;         // end of the last of these, but for the parts
    struct uvs__past *parts;     // of the busy interval under way: disjoint, in order
    size_t part_count, part_capacity;
    struct sample *samples; // of it too, in order
    size_t sample_count, sample_capacity;
    struct victim *victims;
    size_t victim_count, victim_capacity;
    struct uvs_interval *windows; // of victims: disjoint, in order
    size_t window_count, window_capacity;
    uint64_t windows_from_ns;
    struct uvs_interval slept; // the last poll phase, empty if it might not wait
    uint64_t busy_ns;          // the busy interval before it
    bool has_run;
};

// --- The parts of a busy interval ---

static inline int put_part(struct loop_state *loop, uint64_t begin_ns, uint64_t end_ns, uint64_t cause)
{
    if (begin_ns >= end_ns)
        return 0;
    if (__builtin_expect(loop->part_count == loop->part_capacity, 0)) {
        struct uvs__past *parts = uvs__grow_full(loop->parts, &loop->part_capacity, sizeof(*parts));
        if (!parts)
            return NO_MEMORY;
        loop->parts = parts;
    }
    loop->parts[loop->part_count++] = (struct uvs__past){begin_ns, end_ns, cause};
    return 0;
}

static int put_around_some(struct loop_state *loop, uint64_t begin_ns, uint64_t end_ns, uint64_t cause)
{
    size_t first = loop->part_count - 1;
    while (first > 0 && loop->parts[first - 1].begin_ns >= begin_ns)
        first--;
    if (first > 0)
        begin_ns = uvs__max(begin_ns, loop->parts[first - 1].end_ns);
    size_t count = loop->part_count - first;
    struct uvs__past *inner = malloc(count * sizeof(*inner));
    if (!inner)
        return NO_MEMORY;
    memcpy(inner, loop->parts + first, count * sizeof(*inner));
    loop->part_count = first;
    int rc = 0;
    for (size_t i = 0; i < count && !rc; i++) {
        rc = put_part(loop, begin_ns, inner[i].begin_ns, cause);
        begin_ns = inner[i].end_ns;
        rc = rc ? rc : put_part(loop, inner[i].begin_ns, inner[i].end_ns, inner[i].cause);
    }
    free(inner);
    return rc ? rc : put_part(loop, begin_ns, end_ns, cause);
}

// What ended within [begin_ns, end_ns) was nested in it; the rest is its own.
static inline int put_around(struct loop_state *loop, uint64_t begin_ns, uint64_t end_ns, uint64_t cause)
{
    const struct uvs__past *last = loop->part_count ? &loop->parts[loop->part_count - 1] : NULL;
    if (last && last->begin_ns >= begin_ns)
        return put_around_some(loop, begin_ns, end_ns, cause);
    return put_part(loop, last ? uvs__max(begin_ns, last->end_ns) : begin_ns, end_ns, cause);
}

// --- Samples ---

static int on_stall(struct uvs__blame *blame, const struct uvs__output *output, struct loop_state *loop,
                    const struct uvs__span *span)
{
    if (span->stall.frame_count == 0 || uvs__blame_threshold(output, span->counts) == UVS_ABSENT)
        return 0;
    struct sample *samples = uvs__grow(loop->samples, loop->sample_count, &loop->sample_capacity,
                                       sizeof(*samples));
    const struct uvs__stack *stack = samples ? uvs__stack_of(&blame->scripts.stacks, span) : NULL;
    if (samples)
        loop->samples = samples;
    if (!stack)
        return NO_MEMORY;
    samples[loop->sample_count++] = (struct sample){span->stall.since_ns, span->end_ns, stack};
    return 0;
}

// A sample stands for what ran at its time, as far as that ran since: garbage collections may have divided it
// into many parts.
static uint64_t time_of_cause(const struct uvs__past *parts, size_t at, uint64_t since_ns, uint64_t time_ns)
{
    const uint64_t cause = parts[at].cause;
    uint64_t ns = uvs__sampled_ns(uvs__max(since_ns, parts[at].begin_ns), time_ns);
    for (; at > 0 && parts[at - 1].end_ns > since_ns; at--) {
        const struct uvs__past *part = &parts[at - 1];
        if (part->cause == cause)
            ns = uvs__add(ns, uvs__minus(part->end_ns, uvs__max(since_ns, part->begin_ns)));
    }
    return ns;
}

// What was part of nothing is libuv's.
static int count_samples(struct uvs__blame *blame, const struct loop_state *loop)
{
    int rc = 0;
    uint64_t seen_ns = 0; // no time is counted twice, nor a part looked at for two samples
    for (size_t i = 0, at = 0; i < loop->sample_count && !rc; i++) {
        const struct sample *sample = &loop->samples[i];
        const uint64_t since_ns = uvs__max(sample->since_ns, seen_ns);
        seen_ns = uvs__max(seen_ns, sample->time_ns);
        while (at < loop->part_count && loop->parts[at].end_ns < sample->time_ns)
            at++;
        if (at < loop->part_count && loop->parts[at].begin_ns < sample->time_ns)
            rc = uvs__scripts_count(&blame->scripts, loop->parts[at].cause, sample->stack,
                                    time_of_cause(loop->parts, at, since_ns, sample->time_ns));
    }
    return rc;
}

// --- The timeline ---

static inline int cover(struct loop_state *loop, enum uvs_blame_what what, uint64_t begin_ns, uint64_t end_ns,
                        uint32_t index)
{
    begin_ns = uvs__max(begin_ns, loop->covered_ns);
    if (begin_ns >= end_ns)
        return 0;
    loop->covered_ns = end_ns;
    return uvs__history_add(&loop->history, begin_ns, end_ns, uvs__cause(what, UVS__OF_LOOP, index));
}

static inline int cover_span(struct loop_state *loop, enum uvs_blame_what what, const struct uvs__span *span)
{
    return cover(loop, what, span->begin_ns, span->end_ns, span->loop->index);
}

// What of a part lies in [covered, end_ns).
static inline struct uvs__past piece_of(const struct loop_state *loop, const struct uvs__past *part,
                                        uint64_t end_ns)
{
    return (struct uvs__past){uvs__max(part->begin_ns, loop->covered_ns),
                              end_ns < part->end_ns ? end_ns : part->end_ns, part->cause};
}

static inline int place(struct loop_state *loop, struct uvs__past piece)
{
    return piece.begin_ns < piece.end_ns
               ? uvs__history_add(&loop->history, piece.begin_ns, piece.end_ns, piece.cause)
               : 0;
}

// How long an interval was busy without callbacks is not known where its begin is not, nor where short ones
// are left out: then only they count.
static __attribute__((noinline)) int place_parts_alone(struct loop_state *loop, const struct uvs__span *busy)
{
    int rc = 0;
    for (size_t i = 0; i < loop->part_count && !rc; i++) {
        const struct uvs__past *part = &loop->parts[i];
        rc = place(loop, piece_of(loop, part, busy->end_ns));
        if (!rc)
            rc = cover(loop, UVS_BLAME_LIBUV, part->begin_ns, part->end_ns, busy->loop->index);
    }
    return rc;
}

// Leaves of the parts what lies in [begin_ns, end_ns), which is not empty: those from *ret_first on. Returns
// how many they are.
static inline size_t cut_parts(const struct loop_state *loop, uint64_t begin_ns, uint64_t end_ns,
                               size_t *ret_first)
{
    struct uvs__past *parts = loop->parts;
    size_t first = 0, end = loop->part_count;
    while (first < end && parts[first].end_ns <= begin_ns)
        first++;
    while (first < end && parts[end - 1].begin_ns >= end_ns)
        end--;
    *ret_first = first;
    if (first == end)
        return 0;
    if (parts[first].begin_ns < begin_ns)
        parts[first].begin_ns = begin_ns;
    if (parts[end - 1].end_ns > end_ns)
        parts[end - 1].end_ns = end_ns;
    return end - first;
}

// The parts are not to be asked about afterwards.
static inline int place_parts(struct loop_state *loop, const struct uvs__span *busy)
{
    if (busy->begin_ns == UVS_ABSENT || busy->busy.sparse)
        return place_parts_alone(loop, busy);
    loop->covered_ns = uvs__max(loop->covered_ns, busy->begin_ns);
    if (loop->covered_ns >= busy->end_ns)
        return 0;
    size_t first;
    const size_t count = cut_parts(loop, loop->covered_ns, busy->end_ns, &first);
    int rc = count ? uvs__history_add_all(&loop->history, &loop->parts[first], count) : 0;
    return rc ? rc : cover_span(loop, UVS_BLAME_LIBUV, busy);
}

// Divides [begin_ns, end_ns): what of a known busy interval was no callback and no call is libuv's, what is
// on no track is not known.
static int divide(struct uvs__blame *blame, const struct loop_state *loop, uint64_t begin_ns, uint64_t end_ns,
                  uint32_t index)
{
    struct uvs__shares *shares = &blame->shares;
    const uint64_t libuv = uvs__cause(UVS_BLAME_LIBUV, UVS__OF_LOOP, index);
    uint64_t sum_ns, idle_ns = 0, from_ns = uvs__max(begin_ns, loop->history.horizon_ns);
    struct uvs__share *known = NULL;
    shares->count = 0;
    int rc = uvs__shares_between(shares, &loop->history.timeline, from_ns, end_ns, &sum_ns);
    for (size_t i = 0; i < shares->count; i++) {
        uint64_t what = shares->items[i].cause >> 40;
        if (what == UVS_BLAME_POLL || what == UVS_BLAME_OUTSIDE)
            idle_ns += shares->items[i].ns;
        if (shares->items[i].cause == libuv)
            known = &shares->items[i];
    }
    uint64_t busy_ns = known ? known->ns : 0;
    if (known)
        known->ns -= sum_ns - busy_ns - idle_ns;
    return rc ? rc
              : uvs__share_add(shares, uvs__cause(UVS_BLAME_UNKNOWN, UVS__OF_LOOP, index),
                               end_ns - begin_ns - busy_ns - idle_ns);
}

// --- Victims ---

static int add_walls(struct uvs__blame *blame, const struct loop_state *loop, uint64_t begin_ns,
                     uint64_t end_ns, uint32_t index)
{
    if (begin_ns >= end_ns)
        return 0;
    int rc = divide(blame, loop, begin_ns, end_ns, index);
    for (size_t i = 0; i < blame->shares.count && !rc; i++) {
        struct uvs__culprit *culprit = uvs__culprit_of(blame, blame->shares.items[i].cause);
        if (!culprit)
            return NO_MEMORY;
        culprit->wall_ns += blame->shares.items[i].ns;
    }
    return rc;
}

static int keep_window(struct loop_state *loop, struct uvs_interval window)
{
    if (loop->window_count == MAX_WINDOWS) {
        loop->window_count /= 2;
        memmove(loop->windows, loop->windows + MAX_WINDOWS - loop->window_count,
                loop->window_count * sizeof(*loop->windows));
        loop->windows_from_ns = loop->windows[0].begin_ns;
    }
    struct uvs_interval *windows = uvs__grow(loop->windows, loop->window_count, &loop->window_capacity,
                                             sizeof(*windows));
    if (!windows)
        return NO_MEMORY;
    loop->windows = windows;
    windows[loop->window_count++] = window;
    return 0;
}

// Adds to the walls what of the victim's window no other victim's window held. Windows come in the order of
// their ends.
static int widen(struct uvs__blame *blame, struct loop_state *loop, const struct victim *victim,
                 uint32_t index)
{
    struct uvs_interval window = {uvs__max(victim->due_ns, loop->windows_from_ns), victim->run_ns};
    uint64_t end_ns = window.end_ns;
    int rc = 0;
    while (loop->window_count && loop->windows[loop->window_count - 1].end_ns >= window.begin_ns && !rc) {
        struct uvs_interval last = loop->windows[--loop->window_count];
        rc = add_walls(blame, loop, uvs__max(last.end_ns, window.begin_ns), end_ns, index);
        window.end_ns = uvs__max(window.end_ns, last.end_ns);
        end_ns = last.begin_ns;
        if (last.begin_ns < window.begin_ns)
            window.begin_ns = last.begin_ns;
    }
    if (!rc && window.begin_ns < end_ns)
        rc = add_walls(blame, loop, window.begin_ns, end_ns, index);
    return rc ? rc : keep_window(loop, window);
}

// libuv counts a timer's rest from the time that it took before its callbacks ran: a poll after long ones may
// sleep as much too long as they took, and wake up a little later.
static int note_stale(struct uvs__blame *blame, const struct loop_state *loop, const struct victim *victim)
{
    const struct uvs_interval *slept = &loop->slept;
    if (!victim->is_timer || victim->due_ns >= slept->end_ns)
        return 0;
    // It may have been due when the poll began: by the time that libuv took it was not.
    uint64_t too_long_ns = slept->end_ns - uvs__max(victim->due_ns, slept->begin_ns);
    if (too_long_ns < blame->threshold_ns || too_long_ns > loop->busy_ns + loop->busy_ns / 4 + timer_grain_ns)
        return 0;
    struct uvs__victim *row = uvs__rows_at(&blame->victims, victim->who, sizeof(*row));
    if (!row)
        return NO_MEMORY;
    row->stale++;
    row->stale_ns = uvs__add(row->stale_ns, too_long_ns);
    return 0;
}

static int settle(struct uvs__blame *blame, const struct uvs__spans *spans, struct loop_state *loop,
                  const struct victim *victim, uint32_t index)
{
    int rc = divide(blame, loop, victim->due_ns, victim->run_ns, index);
    if (!rc)
        rc = uvs__blame_tally(blame, spans, victim->who, victim->run_ns - victim->due_ns);
    if (!rc)
        rc = note_stale(blame, loop, victim);
    return rc ? rc : widen(blame, loop, victim, index);
}

static int by_run(const void *left, const void *right)
{
    const struct victim *a = left, *b = right;
    return a->run_ns == b->run_ns ? 0 : a->run_ns < b->run_ns ? -1 : 1;
}

static uint64_t first_due(const struct loop_state *loop)
{
    uint64_t first_ns = loop->victims[0].due_ns;
    for (size_t i = 1; i < loop->victim_count; i++)
        if (loop->victims[i].due_ns < first_ns)
            first_ns = loop->victims[i].due_ns;
    return first_ns;
}

static struct uvs__track *track_of(void *data, uint64_t cause)
{
    struct uvs__culprit *culprit = uvs__culprit_of(data, cause);
    return culprit ? &culprit->tracks[UVS__QUEUE_ALL] : NULL;
}

// counts: whether the busy interval does that they waited for.
static int settle_victims(struct uvs__blame *blame, const struct uvs__output *output, bool counts,
                          struct loop_state *loop, uint32_t index)
{
    blame->threshold_ns = uvs__blame_threshold(output, counts);
    qsort(loop->victims, loop->victim_count, sizeof(*loop->victims), by_run);
    int rc = uvs__history_lay_out(&loop->history, first_due(loop), track_of, blame);
    for (size_t i = 0; i < loop->victim_count && !rc; i++)
        rc = settle(blame, output->spans, loop, &loop->victims[i], index);
    loop->victim_count = 0;
    return rc;
}

// --- Spans ---

static int add_victim(struct loop_state *loop, const struct uvs__span *span, bool is_timer)
{
    struct victim *victims = uvs__grow(loop->victims, loop->victim_count, &loop->victim_capacity,
                                       sizeof(*victims));
    if (!victims)
        return NO_MEMORY;
    loop->victims = victims;
    victims[loop->victim_count++] = (struct victim){uvs__minus(span->begin_ns, span->callback.delay_ns),
                                                    span->begin_ns, span->who, is_timer};
    return 0;
}

static inline int on_callback(const struct uvs__output *output, struct loop_state *loop,
                              const struct uvs__span *span)
{
    const uint64_t delay_ns = span->callback.delay_ns;
    if (span->begin_ns == UVS_ABSENT)
        return 0;
    if (__builtin_expect(delay_ns >= output->report->blame_threshold_ns, 0) && delay_ns != UVS_ABSENT &&
        span->counts && add_victim(loop, span, output->spans->whos[span->who]->kind == UVS_KIND_TIMER))
        return NO_MEMORY;
    return put_around(loop, span->begin_ns, span->end_ns,
                      uvs__cause(UVS_BLAME_CALLBACK, UVS__OF_WHO, span->who));
}

// What a program asks of a loop before it runs it waits for the program: Node.js runs the main script then.
// Only `record` traces from before that.
static __attribute__((noinline)) int run_first(struct loop_state *loop, const struct uvs__spans *spans,
                                               const struct uvs__span *span)
{
    loop->has_run = true;
    if (!spans->recording || span->begin_ns == UVS_ABSENT || span->process->lean_ns ||
        span->process->untraced_ns || uvs__lost_between(spans, spans->begin_ns, span->begin_ns))
        return 0;
    return cover(loop, UVS_BLAME_OUTSIDE, spans->begin_ns, span->begin_ns, span->loop->index);
}

static inline int on_busy(struct uvs__blame *blame, const struct uvs__output *output, struct loop_state *loop,
                          const struct uvs__span *span)
{
    int rc = loop->has_run ? 0 : run_first(loop, output->spans, span);
    if (span->busy.complete && loop->sample_count && !rc)
        rc = count_samples(blame, loop);
    if (span->busy.complete && !rc)
        rc = place_parts(loop, span);
    loop->part_count = loop->sample_count = 0;
    if (!rc && loop->victim_count)
        rc = settle_victims(blame, output, span->counts, loop, span->loop->index);
    loop->busy_ns = span->begin_ns == UVS_ABSENT ? 0 : span->end_ns - span->begin_ns;
    return rc;
}

static inline int on_poll(struct loop_state *loop, const struct uvs__span *span)
{
    if (!span->poll.continued || span->poll.spinning)
        loop->slept.begin_ns = span->poll.spinning ? span->end_ns : span->begin_ns;
    loop->slept.end_ns = span->end_ns;
    return cover_span(loop, UVS_BLAME_POLL, span);
}

static __attribute__((noinline)) int take_seldom(struct uvs__blame *blame, const struct uvs__output *output,
                                                 struct loop_state *loop, const struct uvs__span *span)
{
    switch (span->type) {
    case UVS__SPAN_SYNC_CALL:
        return put_around(loop, span->begin_ns, span->end_ns,
                          uvs__cause(UVS_BLAME_SYNC_CALL, UVS__OF_WHO, span->who));
    case UVS__SPAN_GC:
        return put_around(loop, span->begin_ns, span->end_ns,
                          uvs__cause(UVS_BLAME_GC, UVS__OF_LOOP, span->loop->index));
    case UVS__SPAN_STALL:
        return on_stall(blame, output, loop, span);
    default:
        return cover_span(loop, UVS_BLAME_OUTSIDE, span);
    }
}

static inline int take(struct uvs__blame *blame, const struct uvs__output *output, struct loop_state *loop,
                       const struct uvs__span *span)
{
    if (span->type == UVS__SPAN_CALLBACK)
        return on_callback(output, loop, span);
    if (span->type == UVS__SPAN_BUSY)
        return on_busy(blame, output, loop, span);
    return span->type == UVS__SPAN_POLL ? on_poll(loop, span) : take_seldom(blame, output, loop, span);
}

int uvs__blame_loops_take(struct uvs__blame *blame, const struct uvs__output *output,
                          const struct uvs__span *spans, size_t count)
{
    static const bool is_taken[UVS__SPAN_COUNT] = {
        [UVS__SPAN_CALLBACK] = true,  [UVS__SPAN_BUSY] = true, [UVS__SPAN_POLL] = true,
        [UVS__SPAN_SYNC_CALL] = true, [UVS__SPAN_GC] = true,   [UVS__SPAN_STALL] = true,
        [UVS__SPAN_OUTSIDE] = true};
    const struct uvs__loop *loop = NULL; // of the span before
    struct loop_state *state = NULL;     // its
    for (const struct uvs__span *span = spans, *end = spans + count; span < end; span++) {
        if (!is_taken[span->type] || !span->loop)
            continue;
        if (span->loop != loop) {
            loop = span->loop;
            state = uvs__rows_at(&blame->loops, loop->index, sizeof(*state));
        }
        if (!state || take(blame, output, state, span))
            return NO_MEMORY;
    }
    return 0;
}

int uvs__blame_loops_finish(struct uvs__blame *blame, const struct uvs__output *output)
{
    int rc = 0;
    for (const struct uvs__loop *loop = output->spans->loops; loop && !rc; loop = loop->next) {
        struct loop_state *state = loop->index < blame->loops.count ? blame->loops.items[loop->index] : NULL;
        rc = state && state->victim_count ? settle_victims(blame, output, true, state, loop->index) : 0;
    }
    return rc;
}

void uvs__blame_loops_clear(struct uvs__blame *blame)
{
    for (size_t i = 0; i < blame->loops.count; i++) {
        struct loop_state *loop = blame->loops.items[i];
        if (!loop)
            continue;
        uvs__history_clear(&loop->history);
        free(loop->parts);
        free(loop->samples);
        free(loop->victims);
        free(loop->windows);
    }
    uvs__rows_clear(&blame->loops);
}
