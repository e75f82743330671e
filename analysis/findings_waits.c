// SPDX-License-Identifier: MIT
// Findings about timers that wait for themselves, sends that nobody needs, and pools that are too small.
#include "findings.h"

#include "duration.h"
#include "saturate.h"

#include <inttypes.h>
#include <stdio.h>

enum { TEXT_SIZE = UVS__TEXT_SIZE };

static const uint64_t stale_sum_ns = 10000000, wait_sum_ns = 10000000, starved_sum_ns = 10000000;
static const uint64_t gc_sum_ns = 50000000;
static const uint64_t few_overruns = 2, many_sends = 1000, sends_a_callback = 20;

static bool is_of(const struct uvs_callback_row *row, const struct uvs_loop_row *loop, uint8_t kind)
{
    return row->kind == kind && row->pid == loop->pid && row->loop == loop->loop;
}

static const char *often(uint64_t times, char buffer[TEXT_SIZE])
{
    if (times == 1)
        return "once";
    snprintf(buffer, TEXT_SIZE, "%" PRIu64 " times", times);
    return buffer;
}

// --- Loops ---

int uvs__find_stale_time(struct uvs__hunt *hunt, const struct uvs_loop_row *loop)
{
    const struct uvs_report *report = hunt->report;
    const struct uvs_victim_row *most = NULL;
    uint64_t sum_ns = 0, times = 0;
    for (size_t i = 0; i < report->victim_count; i++) {
        const struct uvs_victim_row *row = &report->victims[i];
        if (!row->stale || row->who.pid != loop->pid || row->who.loop != (int)loop->loop)
            continue;
        sum_ns = uvs__add(sum_ns, row->stale_ns);
        times += row->stale;
        most = !most || row->stale_ns > most->stale_ns ? row : most;
    }
    if (!most || sum_ns < stale_sum_ns)
        return 0;
    char name[TEXT_SIZE], sum[TEXT_SIZE], how_often[TEXT_SIZE];
    return uvs__found(hunt, sum_ns, loop->pid, (int)loop->loop,
                      "%s slept beyond a timer %s, %s too long in all, most of it for %s: "
                      "libuv took the time before a long callback, not after it",
                      uvs_loop_text(report, loop, name), often(times, how_often),
                      uvs_format_ns(sum, sizeof(sum), sum_ns), uvs__label(most->who.site));
}

int uvs__find_overruns(struct uvs__hunt *hunt, const struct uvs_loop_row *loop)
{
    const struct uvs_report *report = hunt->report;
    int rc = 0;
    for (size_t i = 0; i < report->callback_count && !rc; i++) {
        const struct uvs_callback_row *row = &report->callbacks[i];
        char name[TEXT_SIZE], most[TEXT_SIZE];
        if (!is_of(row, loop, UVS_KIND_TIMER) || row->overruns < few_overruns || row->overruns == UVS_ABSENT)
            continue;
        rc = uvs__found(hunt, row->duration.sum, loop->pid, (int)loop->loop,
                        "repeating timer %s of %s was due again before it had returned, %" PRIu64
                        " of %" PRIu64 " times: it takes longer than its interval, up to %s",
                        uvs__label(row->site), uvs_loop_text(report, loop, name), row->overruns,
                        row->duration.count, uvs_format_ns(most, sizeof(most), row->duration.max));
    }
    return rc;
}

int uvs__find_async_storms(struct uvs__hunt *hunt, const struct uvs_loop_row *loop)
{
    const struct uvs_report *report = hunt->report;
    int rc = 0;
    for (size_t i = 0; i < report->callback_count && !rc; i++) {
        const struct uvs_callback_row *row = &report->callbacks[i];
        char name[TEXT_SIZE];
        if (!is_of(row, loop, UVS_KIND_ASYNC) || row->sends < many_sends ||
            row->sends / sends_a_callback < row->duration.count)
            continue;
        rc = uvs__found(hunt, UVS_ABSENT, loop->pid, (int)loop->loop,
                        "async %s of %s was sent %" PRIu64 " times for %" PRIu64 " callback%s",
                        uvs__label(row->site), uvs_loop_text(report, loop, name), row->sends,
                        row->duration.count, uvs__plural(row->duration.count));
    }
    return rc;
}

// The kind that took most of it is named.
int uvs__find_gc_pressure(struct uvs__hunt *hunt, const struct uvs_loop_row *loop)
{
    const struct uvs_gc_row *most = NULL;
    uint64_t sum_ns = 0, worst_ns = 0, count = 0;
    for (size_t i = 0; i < loop->gc_count; i++) {
        const struct uvs_gc_row *row = &loop->gc[i];
        sum_ns = uvs__add(sum_ns, row->duration.sum);
        worst_ns = uvs__max(worst_ns, row->duration.max);
        count += row->duration.count;
        most = !most || row->duration.sum > most->duration.sum ? row : most;
    }
    if (sum_ns < gc_sum_ns || sum_ns < loop->busy_ns / 10)
        return 0;
    char name[TEXT_SIZE], sum[TEXT_SIZE], worst[TEXT_SIZE];
    const char *kind = uvs_gc_name(most->kind);
    return uvs__found(hunt, sum_ns, loop->pid, (int)loop->loop,
                      "garbage collection held %s for %s, %.0f %% of its busy time, in %" PRIu64
                      " collection%s; the longest took %s, and most of the time went to %s",
                      uvs_loop_text(hunt->report, loop, name), uvs_format_ns(sum, sizeof(sum), sum_ns),
                      loop->busy_ns ? 100 * (double)sum_ns / (double)loop->busy_ns : 100, count,
                      uvs__plural(count), uvs_format_ns(worst, sizeof(worst), worst_ns),
                      kind ? kind : "a kind that has no name here");
}

// --- Pools ---

static const struct uvs_what_if *with_threads(const struct uvs_pool_row *pool, uint32_t threads)
{
    return threads && threads <= pool->what_if_count ? &pool->what_if[threads - 1] : NULL;
}

// The least number of threads with which a tenth of the wait is left, or the most that were tried.
static const struct uvs_what_if *enough(const struct uvs_pool_row *pool, uint64_t wait_ns)
{
    for (size_t i = pool->size; i < pool->what_if_count; i++)
        if (pool->what_if[i].sum_ns <= wait_ns / 10)
            return &pool->what_if[i];
    return &pool->what_if[pool->what_if_count - 1];
}

// Of the workers' time, what the program's own functions and random took: most likely computing.
static unsigned computing_percent(const struct uvs_pool_row *pool)
{
    double computing = 0, all = 0;
    for (size_t i = 0; i < pool->request_count; i++) {
        const struct uvs_pool_request_row *row = &pool->requests[i];
        all += (double)row->service.sum;
        if (row->kind == UVS_KIND_WORK || row->kind == UVS_KIND_RANDOM)
            computing += (double)row->service.sum;
    }
    return all > 0 ? (unsigned)(100 * computing / all) : 0;
}

int uvs__find_small_pool(struct uvs__hunt *hunt, const struct uvs_pool_row *pool)
{
    const struct uvs_what_if *now = with_threads(pool, pool->size);
    const struct uvs_what_if *more = now && now->sum_ns >= wait_sum_ns ? enough(pool, now->sum_ns) : NULL;
    if (!more || more->threads <= pool->size || more->sum_ns > now->sum_ns / 2)
        return 0;
    char before[TEXT_SIZE], after[TEXT_SIZE], caveat[2 * TEXT_SIZE] = "";
    unsigned computing = computing_percent(pool);
    uvs_format_ns(before, sizeof(before), now->sum_ns);
    uvs_format_ns(after, sizeof(after), more->sum_ns);
    if (computing >= 50)
        snprintf(caveat, sizeof(caveat),
                 "; but %u %% of the workers' time was uv_queue_work or random, and computing gets no faster "
                 "with more threads than cores",
                 computing);
    return uvs__found(
        hunt, now->sum_ns - more->sum_ns, pool->pid, -1,
        "with a pool of %u instead of %u, requests would have waited for a worker for %s in all "
        "instead of %s%s",
        more->threads, pool->size, after, before, caveat);
}

static bool looks_up_names(const struct uvs_blame_part *part)
{
    return part->who.what == UVS_BLAME_REQUEST &&
           (part->who.kind == UVS_KIND_GETADDRINFO || part->who.kind == UVS_KIND_GETNAMEINFO);
}

int uvs__find_starved_fs(struct uvs__hunt *hunt, const struct uvs_pool_row *pool)
{
    const struct uvs_report *report = hunt->report;
    uint64_t sum_ns = 0, count = 0;
    for (size_t i = 0; i < report->victim_count; i++) {
        const struct uvs_victim_row *row = &report->victims[i];
        bool is_file = row->who.what == UVS_BLAME_REQUEST && row->who.kind > UVS_KIND_FS;
        if (!is_file || row->who.pid != pool->pid)
            continue;
        uint64_t before_ns = sum_ns;
        for (size_t j = 0; j < row->by_count; j++)
            sum_ns = uvs__add(sum_ns, looks_up_names(&row->by[j]) ? row->by[j].ns : 0);
        count += sum_ns > before_ns ? row->suffered.count : 0;
    }
    if (sum_ns < starved_sum_ns)
        return 0;
    char sum[TEXT_SIZE];
    return uvs__found(hunt, sum_ns, pool->pid, -1,
                      "%" PRIu64 " file system request%s waited %s for workers that looked up names", count,
                      uvs__plural(count), uvs_format_ns(sum, sizeof(sum), sum_ns));
}
