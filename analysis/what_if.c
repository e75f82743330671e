// SPDX-License-Identifier: MIT
// How long the pool's requests would have waited with another number of threads.
#include "analysis.h"

#include "replay.h"
#include "saturate.h"

#include <stdlib.h>

// Of a longer trace only so many requests are replayed, to bound memory and time.
enum { NO_MEMORY = -UVS_E_ENVIRONMENT, MAX_JOBS = 131072, MAX_THREADS = 64, MAX_STEPS = 64 };

struct jobs {
    struct uvs__job *items;
    size_t count, capacity;
    bool is_unordered;        // not all are in the order of their submission
    struct uvs_hist recorded; // what they did wait for
};

struct state {
    struct uvs__rows processes;         // struct jobs by the process's index
    const struct uvs__process *process; // of the span before
    struct jobs *jobs;                  // its
};

// Those that were submitted at once were queued in the order in which they were taken.
static inline int by_submission(const void *left, const void *right)
{
    const struct uvs__job *a = left, *b = right;
    if (a->submit_ns != b->submit_ns)
        return a->submit_ns < b->submit_ns ? -1 : 1;
    return (a->taken_ns > b->taken_ns) - (a->taken_ns < b->taken_ns);
}

// Where the next one is to be told; NULL: no more are, as nothing is of lean recordings.
static inline int take_jobs(struct state *state, const struct uvs__span *span, struct jobs **ret_jobs)
{
    *ret_jobs = NULL;
    if (span->process->lean_ns)
        return 0;
    if (span->process != state->process) {
        state->process = span->process;
        state->jobs = uvs__rows_at(&state->processes, span->process->index, sizeof(*state->jobs));
    }
    struct jobs *jobs = state->jobs;
    if (!jobs)
        return NO_MEMORY;
    if (jobs->count == MAX_JOBS)
        return 0;
    struct uvs__job *items = uvs__grow(jobs->items, jobs->count, &jobs->capacity, sizeof(*items));
    if (!items)
        return NO_MEMORY;
    jobs->items = items;
    *ret_jobs = jobs;
    return 0;
}

// They are told in the order of their ends: mostly its place is a few steps from the end.
static inline void add_job(struct jobs *jobs, struct uvs__job job)
{
    size_t at = jobs->count++, steps = 0;
    for (; at > 0 && by_submission(&jobs->items[at - 1], &job) > 0 && steps < MAX_STEPS; steps++, at--)
        jobs->items[at] = jobs->items[at - 1];
    jobs->items[at] = job;
    jobs->is_unordered |= steps == MAX_STEPS;
}

static struct uvs__job job_of(const struct uvs__output *output, const struct uvs__span *span)
{
    const uint8_t kind = output->spans->whos[span->who]->kind;
    return (struct uvs__job){.submit_ns = span->begin_ns,
                             .service_ns = uvs__minus(span->end_ns, span->begin_ns),
                             .slow = kind == UVS_KIND_GETADDRINFO || kind == UVS_KIND_GETNAMEINFO,
                             .taken_ns = span->begin_ns};
}

// A worker may tell late what it did, and then all of it seems late; who came first is what the loops'
// threads told.
static int on_work(void *data, const struct uvs__output *output, const struct uvs__span *span)
{
    const uint64_t queue_ns = span->work.queue_ns;
    struct jobs *jobs;
    int rc = take_jobs(data, span, &jobs);
    if (rc || !jobs)
        return rc;
    struct uvs__job job = job_of(output, span);
    job.submit_ns = span->work.asked_ns == UVS_ABSENT ? span->begin_ns - queue_ns : span->work.asked_ns;
    add_job(jobs, job);
    return uvs_hist_add(&jobs->recorded, queue_ns);
}

static int on_unfinished(void *data, const struct uvs__output *output, const struct uvs__span *span)
{
    struct jobs *jobs = NULL;
    int rc = span->unfinished.stuck && span->unfinished.started ? take_jobs(data, span, &jobs) : 0;
    if (rc || !jobs)
        return rc;
    struct uvs__job job = job_of(output, span);
    job.is_stuck = true;
    add_job(jobs, job);
    return 0;
}

static struct uvs_what_if summary(uint32_t threads, const struct uvs_hist *waits)
{
    if (waits->count == 0)
        return (struct uvs_what_if){.threads = threads};
    return (struct uvs_what_if){threads, waits->sum, uvs_hist_quantile(waits, 0.99), waits->max};
}

static int replay(const struct jobs *jobs, struct uvs_pool_row *row)
{
    int rc = 0;
    row->what_if = calloc(MAX_THREADS, sizeof(*row->what_if));
    row->replayed = jobs->count;
    row->recorded = summary(row->size, &jobs->recorded);
    if (!row->what_if)
        return NO_MEMORY;
    for (uint32_t threads = 1; threads <= MAX_THREADS && !rc; threads++) {
        struct uvs_hist waits = {0};
        rc = uvs__replay(jobs->items, jobs->count, threads, &waits);
        bool is_last = waits.sum == 0;
        if (!rc)
            row->what_if[row->what_if_count++] = summary(threads, &waits);
        uvs_hist_clear(&waits);
        if (is_last)
            break;
    }
    return rc;
}

// It needs every request: where some may be missing nothing is foretold.
static int finish(void *data, struct uvs__output *output)
{
    struct state *state = data;
    struct uvs_report *report = output->report;
    int rc = 0;
    if (report->trace.loss.events || report->trace.loss.packets || report->trace.loss.uncounted)
        return 0;
    for (size_t i = 0; i < report->pool_count && !rc; i++) {
        struct uvs_pool_row *row = &report->pools[i];
        struct jobs *jobs = row->process < state->processes.count ? state->processes.items[row->process]
                                                                  : NULL;
        if (!jobs || !jobs->count || row->missed)
            continue;
        if (jobs->is_unordered)
            qsort(jobs->items, jobs->count, sizeof(*jobs->items), by_submission);
        rc = replay(jobs, row);
    }
    return rc;
}

static void clear(void *data)
{
    struct state *state = data;
    for (size_t i = 0; i < state->processes.count; i++) {
        struct jobs *jobs = state->processes.items[i];
        if (!jobs)
            continue;
        free(jobs->items);
        uvs_hist_clear(&jobs->recorded);
    }
    uvs__rows_clear(&state->processes);
}

UVS__EACH(on_work)
UVS__EACH(on_unfinished)

const struct uvs__analysis uvs__what_if_analysis = {
    .state_size = sizeof(struct state),
    .spans = {[UVS__SPAN_WORK] = each_on_work, [UVS__SPAN_UNFINISHED] = each_on_unfinished},
    .finish = finish,
    .clear = clear};
