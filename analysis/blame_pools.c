// SPDX-License-Identifier: MIT
// Waits in a pool's queue, divided among the requests that held the workers meanwhile.
//
// While all workers are busy each of them has its share of a waiting request's time. Slow I/O (DNS) that has
// reached its cap is held up by the slow I/O that runs, alone, and also while a worker is free. Requests are
// told when they finish, so an instant is settled only when no request of before can be told any more.
#include "blame.h"

#include "agenda.h"
#include "saturate.h"

#include <stdlib.h>
#include <string.h>

enum { NO_MEMORY = -UVS_E_ENVIRONMENT };

// Between two requests a worker is free for a moment, which is not the cap.
static const uint64_t capped_ns = 1000000;

struct holder {
    uint32_t who, count;
    bool slow;
};

struct pool_state {
    bool is_known;
    struct uvs__agenda agenda; // what is not settled yet
    struct uvs__workers workers;
    struct holder *holders;
    size_t holder_count, holder_capacity;
    int64_t running, slow_running, slow_waiting, victims_waiting[UVS__QUEUE_COUNT];
    bool is_watched; // slow I/O or a victim waits: only then does it matter what passes
    uint32_t *stuck; // requests that no worker took, in the order of submission
    size_t stuck_first, stuck_count, stuck_capacity;
    struct uvs__timeline timelines[UVS__QUEUE_COUNT], capped;
    struct uvs__track cap; // when slow I/O was at its cap and a worker was free
};

struct sweep {
    struct uvs__blame *blame;
    const struct uvs__spans *spans;
    const struct uvs__process *process; // NULL: none yet
    struct pool_state *pool;            // its
};

static bool is_slow(uint8_t kind)
{
    return kind == UVS_KIND_GETADDRINFO || kind == UVS_KIND_GETNAMEINFO;
}

// --- Holders ---

static inline int hold(struct pool_state *pool, uint32_t who, bool slow)
{
    pool->running++;
    if (slow)
        pool->slow_running++;
    for (size_t i = 0; i < pool->holder_count; i++)
        if (pool->holders[i].who == who) {
            pool->holders[i].count++;
            return 0;
        }
    struct holder *holders = uvs__grow(pool->holders, pool->holder_count, &pool->holder_capacity,
                                       sizeof(*holders));
    if (!holders)
        return NO_MEMORY;
    pool->holders = holders;
    holders[pool->holder_count++] = (struct holder){who, 1, slow};
    return 0;
}

static inline void release(struct pool_state *pool, uint32_t who, bool slow)
{
    for (size_t i = 0; i < pool->holder_count; i++) {
        struct holder *holder = &pool->holders[i];
        if (holder->who != who)
            continue;
        pool->running--;
        if (slow)
            pool->slow_running--;
        if (--holder->count == 0)
            *holder = pool->holders[--pool->holder_count];
        return;
    }
}

// --- Time that passes ---

// From when on it does.
static inline uint64_t settled(const struct pool_state *pool)
{
    return pool->workers.settled_ns;
}

// Each holder's share of [settled, until); what does not divide goes to the last of them.
static int share_out(const struct sweep *sweep, enum uvs__queue queue, bool slow_only, uint64_t until_ns)
{
    struct pool_state *pool = sweep->pool;
    uint64_t whole_ns = until_ns - settled(pool), left_ns = whole_ns;
    uint64_t left = (uint64_t)(slow_only ? pool->slow_running : pool->running);
    for (size_t i = 0; i < pool->holder_count; i++) {
        const struct holder *holder = &pool->holders[i];
        if (slow_only && !holder->slow)
            continue;
        struct uvs__culprit *culprit = uvs__culprit_of(
            sweep->blame, uvs__cause(UVS_BLAME_REQUEST, UVS__OF_WHO, holder->who));
        if (!culprit)
            return NO_MEMORY;
        uint64_t ns = holder->count >= left ? left_ns : left_ns / left * holder->count;
        left -= holder->count;
        left_ns -= ns;
        int rc = uvs__timeline_add(&pool->timelines[queue], &culprit->tracks[queue], settled(pool), until_ns,
                                   ns);
        if (rc)
            return rc;
    }
    return 0;
}

static int add_walls(const struct sweep *sweep, bool slow_only, uint64_t ns)
{
    const struct pool_state *pool = sweep->pool;
    for (size_t i = 0; i < pool->holder_count; i++) {
        if (slow_only && !pool->holders[i].slow)
            continue;
        struct uvs__culprit *culprit = uvs__culprit_of(
            sweep->blame, uvs__cause(UVS_BLAME_REQUEST, UVS__OF_WHO, pool->holders[i].who));
        if (!culprit)
            return NO_MEMORY;
        culprit->wall_ns += ns;
    }
    return 0;
}

// A worker that seems to be free may run something whose submission was lost before, or its end later.
static int add_hand_over(const struct sweep *sweep, uint64_t until_ns)
{
    const uint64_t ns = until_ns - settled(sweep->pool);
    const enum uvs_blame_what what = sweep->spans->lost_count ? UVS_BLAME_UNKNOWN : UVS_BLAME_LIBUV;
    struct uvs__culprit *culprit = uvs__culprit_of(sweep->blame,
                                                   uvs__cause(what, UVS__OF_PROCESS, sweep->process->index));
    if (!culprit)
        return NO_MEMORY;
    culprit->wall_ns += ns;
    return 0;
}

static __attribute__((noinline)) int pass_until(const struct sweep *sweep, uint64_t until_ns)
{
    struct pool_state *pool = sweep->pool;
    uint32_t size = sweep->process->pool_size;
    if (until_ns <= settled(pool))
        return 0;
    bool full = size && pool->running >= size;
    bool capped = size && pool->slow_running >= (size + 1) / 2;
    bool all_wait = full && pool->victims_waiting[UVS__QUEUE_ALL] > 0;
    bool slow_wait = (full || capped) && pool->victims_waiting[UVS__QUEUE_SLOW] > 0;
    int rc = 0;
    if (all_wait)
        rc = share_out(sweep, UVS__QUEUE_ALL, false, until_ns);
    if (!rc && slow_wait)
        rc = share_out(sweep, UVS__QUEUE_SLOW, capped, until_ns);
    if (!rc && (all_wait || slow_wait))
        rc = add_walls(sweep, !all_wait && capped, until_ns - settled(pool));
    if (!rc && capped && !full && pool->slow_waiting > 0)
        rc = uvs__timeline_add(&pool->capped, &pool->cap, settled(pool), until_ns, until_ns - settled(pool));
    bool all_idle = !full && pool->victims_waiting[UVS__QUEUE_ALL] > 0;
    bool slow_idle = !full && !capped && pool->victims_waiting[UVS__QUEUE_SLOW] > 0;
    if (!rc && (all_idle || slow_idle))
        rc = add_hand_over(sweep, until_ns);
    return rc;
}

// --- Waits that are over ---

static int count_capped(const struct sweep *sweep, const struct uvs__change *begin)
{
    if (uvs__track_between(&sweep->pool->cap, begin->submit_ns, begin->time_ns) < capped_ns)
        return 0;
    uint64_t *count = uvs__rows_at(&sweep->blame->capped, begin->who, sizeof(*count));
    if (!count)
        return NO_MEMORY;
    ++*count;
    return 0;
}

// A worker that was free takes its time to wake up: that is libuv's, unless requests may have run of which
// nobody knows.
static enum uvs_blame_what rest_of(const struct sweep *sweep)
{
    const struct uvs__process *process = sweep->process;
    bool known = process->pool_size && process->handoff_missed == 0 && sweep->spans->lost_count == 0;
    return known ? UVS_BLAME_LIBUV : UVS_BLAME_UNKNOWN;
}

static int settle_victim(const struct sweep *sweep, const struct uvs__change *begin)
{
    struct uvs__blame *blame = sweep->blame;
    const struct uvs__timeline *timeline =
        &sweep->pool->timelines[begin->slow ? UVS__QUEUE_SLOW : UVS__QUEUE_ALL];
    uint64_t from_ns = uvs__max(begin->submit_ns, timeline->horizon_ns), sum_ns;
    blame->shares.count = 0;
    int rc = uvs__shares_between(&blame->shares, timeline, from_ns, begin->time_ns, &sum_ns);
    if (!rc)
        rc = uvs__share_add(&blame->shares,
                            uvs__cause(rest_of(sweep), UVS__OF_PROCESS, sweep->process->index),
                            uvs__minus(begin->time_ns - from_ns, sum_ns));
    if (!rc)
        rc = uvs__share_add(&blame->shares,
                            uvs__cause(UVS_BLAME_UNKNOWN, UVS__OF_PROCESS, sweep->process->index),
                            from_ns - begin->submit_ns);
    return rc ? rc : uvs__blame_tally(blame, sweep->spans, begin->who, begin->time_ns - begin->submit_ns);
}

// --- The sweep ---

// Only for a request that is slow or a victim, as few are.
static void count_waiting(struct pool_state *pool, const struct uvs__change *change, int difference)
{
    pool->slow_waiting += change->slow ? difference : 0;
    pool->victims_waiting[change->slow ? UVS__QUEUE_SLOW : UVS__QUEUE_ALL] += change->victim ? difference : 0;
    pool->is_watched = pool->slow_waiting > 0 || pool->victims_waiting[UVS__QUEUE_ALL] > 0 ||
                       pool->victims_waiting[UVS__QUEUE_SLOW] > 0;
}

static int keep_stuck(struct pool_state *pool, uint32_t who)
{
    uint32_t *stuck = uvs__grow(pool->stuck, pool->stuck_count, &pool->stuck_capacity, sizeof(*stuck));
    if (!stuck)
        return NO_MEMORY;
    pool->stuck = stuck;
    stuck[pool->stuck_count++] = who;
    return 0;
}

// Likewise.
static __attribute__((noinline)) int end_wait(const struct sweep *sweep, const struct uvs__change *begin)
{
    int rc = 0;
    count_waiting(sweep->pool, begin, -1);
    if (begin->slow && begin->counts)
        rc = count_capped(sweep, begin);
    if (begin->victim && !rc)
        rc = settle_victim(sweep, begin);
    return rc;
}

static inline int apply(const struct sweep *sweep, struct pool_state *pool, enum uvs__change_type type,
                        const struct uvs__change *change)
{
    if (change->counts)
        uvs__workers_change(&pool->workers, type);
    switch (type) {
    case UVS__BEGIN:
        if ((change->slow || change->victim) && end_wait(sweep, change))
            return NO_MEMORY;
        return hold(pool, change->who, change->slow);
    case UVS__HOLD:
        return hold(pool, change->who, change->slow);
    case UVS__END:
        release(pool, change->who, change->slow);
        return 0;
    case UVS__SUBMIT:
        if (change->slow || change->victim)
            count_waiting(pool, change, 1);
        return 0;
    default:
        return keep_stuck(pool, change->who);
    }
}

// All of a type that are at time_ns. *next_ns: when the next one is, before and afterwards.
static inline int apply_all(const struct sweep *sweep, struct pool_state *pool, enum uvs__change_type type,
                            uint64_t time_ns, uint64_t *next_ns)
{
    int rc = 0;
    while (*next_ns == time_ns && !rc) {
        rc = apply(sweep, pool, type, uvs__agenda_take(&pool->agenda, type));
        *next_ns = uvs__agenda_next(&pool->agenda, type);
    }
    return rc;
}

static int take_stuck(const struct sweep *sweep)
{
    struct pool_state *pool = sweep->pool;
    int rc = 0;
    while (pool->stuck_first < pool->stuck_count && pool->running < sweep->process->pool_size && !rc) {
        uint32_t who = pool->stuck[pool->stuck_first++];
        rc = hold(pool, who, is_slow(sweep->spans->whos[who]->kind));
    }
    return rc;
}

static __attribute__((noinline)) int settle_with_stuck(const struct sweep *sweep, uint64_t until_ns)
{
    struct pool_state *pool = sweep->pool;
    const uint32_t size = sweep->process->pool_size;
    int rc = 0;
    for (uint64_t time_ns; !rc && (time_ns = uvs__agenda_first(&pool->agenda)) < until_ns;) {
        if (pool->is_watched)
            rc = pass_until(sweep, time_ns);
        uvs__workers_pass(&pool->workers, size, time_ns);
        for (enum uvs__change_type type = 0; type < UVS__CHANGES && !rc; type++) {
            uint64_t next_ns = uvs__agenda_next(&pool->agenda, type);
            rc = apply_all(sweep, pool, type, time_ns, &next_ns);
        }
        uvs__workers_settle(&pool->workers, size, time_ns);
        rc = rc ? rc : take_stuck(sweep);
    }
    return rc;
}

// One instant after the other.
static int settle(const struct sweep *sweep, uint64_t until_ns)
{
    struct pool_state *pool = sweep->pool;
    const uint32_t size = sweep->process->pool_size;
    if (__builtin_expect(pool->agenda.has_stuck, 0))
        return settle_with_stuck(sweep, until_ns);
    uint64_t begin_ns = uvs__agenda_next(&pool->agenda, UVS__BEGIN);
    uint64_t end_ns = uvs__agenda_next(&pool->agenda, UVS__END);
    uint64_t submit_ns = uvs__agenda_next(&pool->agenda, UVS__SUBMIT);
    for (uint64_t time_ns; (time_ns = uvs__min(begin_ns, uvs__min(end_ns, submit_ns))) < until_ns;) {
        if (pool->is_watched && pass_until(sweep, time_ns))
            return NO_MEMORY;
        uvs__workers_pass(&pool->workers, size, time_ns);
        if (apply_all(sweep, pool, UVS__BEGIN, time_ns, &begin_ns))
            return NO_MEMORY;
        apply_all(sweep, pool, UVS__END, time_ns, &end_ns);
        apply_all(sweep, pool, UVS__SUBMIT, time_ns, &submit_ns);
        uvs__workers_settle(&pool->workers, size, time_ns);
    }
    return 0;
}

// --- Spans ---

static inline int on_work(const struct sweep *sweep, const struct uvs__span *span, struct uvs__change change)
{
    struct uvs__agenda *agenda = &sweep->pool->agenda;
    change.time_ns = span->end_ns;
    int rc = uvs__agenda_add(agenda, UVS__END, change);
    if (span->work.held || rc)
        return rc;
    change.time_ns = change.submit_ns = span->begin_ns - span->work.queue_ns;
    change.victim = span->work.queue_ns >= sweep->blame->threshold_ns;
    rc = uvs__agenda_add(agenda, UVS__SUBMIT, change);
    change.time_ns = span->begin_ns;
    return rc ? rc : uvs__agenda_add(agenda, UVS__BEGIN, change);
}

static int on_other(const struct sweep *sweep, const struct uvs__span *span, struct uvs__change change)
{
    struct uvs__agenda *agenda = &sweep->pool->agenda;
    change.time_ns = span->begin_ns;
    if (span->type == UVS__SPAN_DELIVERY)
        return uvs__agenda_add(agenda, UVS__END, change);
    if (span->type == UVS__SPAN_HELD)
        return uvs__agenda_add(agenda, UVS__HOLD, change);
    if (!span->unfinished.stuck || span->unfinished.held)
        return 0;
    return uvs__agenda_add(agenda, UVS__SUBMIT_STUCK, change);
}

// false without memory.
static bool turn_to(struct sweep *sweep, const struct uvs__process *process)
{
    struct pool_state *pool = uvs__rows_at(&sweep->blame->pools, process->index, sizeof(*pool));
    if (!pool)
        return false;
    if (!pool->is_known)
        uvs__agenda_create(&pool->agenda);
    pool->is_known = true;
    sweep->process = process;
    sweep->pool = pool;
    return true;
}

static inline int take(const struct sweep *sweep, const struct uvs__span *span)
{
    if (span->who == UVS__NOBODY)
        return 0;
    const struct uvs__change change = {.who = span->who,
                                       .slow = is_slow(sweep->spans->whos[span->who]->kind),
                                       .counts = sweep->blame->threshold_ns != UVS_ABSENT};
    if (span->type != UVS__SPAN_WORK)
        return on_other(sweep, span, change);
    int rc = on_work(sweep, span, change);
    return rc ? rc : settle(sweep, span->work.horizon_ns);
}

int uvs__blame_pools_take(struct uvs__blame *blame, const struct uvs__output *output,
                          const struct uvs__span *spans, size_t count)
{
    struct sweep sweep = {.blame = blame, .spans = output->spans};
    for (const struct uvs__span *span = spans, *end = spans + count; span < end; span++) {
        if (span->type < UVS__SPAN_HELD || (span->type == UVS__SPAN_DELIVERY && !span->delivery.held))
            continue;
        if (span->process->lean_ns) // there, who held the workers is not told
            continue;
        if (span->process != sweep.process && !turn_to(&sweep, span->process))
            return NO_MEMORY;
        blame->threshold_ns = uvs__blame_threshold(output, span->counts);
        if (take(&sweep, span))
            return NO_MEMORY;
    }
    return 0;
}

int uvs__blame_pools_finish(struct uvs__blame *blame, const struct uvs__spans *spans)
{
    int rc = 0;
    for (const struct uvs__process *p = spans->processes; p && !rc; p = p->next) {
        struct pool_state *pool = p->index < blame->pools.count ? blame->pools.items[p->index] : NULL;
        if (!pool)
            continue;
        rc = settle(&(struct sweep){blame, spans, p, pool}, UINT64_MAX);
        uvs__workers_pass(&pool->workers, p->pool_size, uvs__process_end(spans, p));
    }
    return rc;
}

const struct uvs__workers *uvs__blame_workers(const struct uvs__blame *blame, uint32_t process)
{
    static const struct uvs__workers none;
    const struct pool_state *pool = process < blame->pools.count ? blame->pools.items[process] : NULL;
    return pool ? &pool->workers : &none;
}

void uvs__blame_pools_clear(struct uvs__blame *blame)
{
    for (size_t i = 0; i < blame->pools.count; i++) {
        struct pool_state *pool = blame->pools.items[i];
        if (!pool)
            continue;
        uvs__track_clear(&pool->cap);
        uvs__agenda_clear(&pool->agenda);
        free(pool->holders);
        free(pool->stuck);
    }
    uvs__rows_clear(&blame->pools);
}
