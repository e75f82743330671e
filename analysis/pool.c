// SPDX-License-Identifier: MIT
// The thread pool: the triple of each kind of request, how busy the workers were, and what never finished.
// How many waited at once is the blame's to find (blame_pools.c), which passes through every instant.
#include "analysis.h"

#include "saturate.h"

#include <stdlib.h>

enum { NO_MEMORY = -UVS_E_ENVIRONMENT };

struct pool_state {
    bool used;
    uint64_t busy_ns, first_submit_ns, last_finish_ns;
    uint64_t never_started, never_finished, oldest_ns;
};

struct state {
    struct uvs__rows pools;             // struct pool_state by the process's index
    struct uvs__rows requests;          // struct uvs_pool_request_row by who
    const struct uvs__process *process; // of the span before
    struct pool_state *pool;            // its
};

static const char io_uring[] = "io_uring";

// --- Spans ---

static __attribute__((noinline)) struct pool_state *turn_to(struct state *state,
                                                            const struct uvs__process *process)
{
    struct pool_state *pool = uvs__rows_at(&state->pools, process->index, sizeof(*pool));
    if (pool && !pool->used)
        *pool = (struct pool_state){.used = true, .first_submit_ns = UVS_ABSENT};
    state->process = process;
    state->pool = pool;
    return pool;
}

// NULL without memory.
static inline struct pool_state *pool_of(struct state *state, const struct uvs__span *span)
{
    return span->process == state->process ? state->pool : turn_to(state, span->process);
}

static inline struct uvs_pool_request_row *request_of(void *data, const struct uvs__span *span)
{
    return uvs__rows_at(&((struct state *)data)->requests, span->who, sizeof(struct uvs_pool_request_row));
}

static int on_work(void *data, const struct uvs__output *output __attribute__((unused)),
                   const struct uvs__span *span)
{
    struct pool_state *pool = pool_of(data, span);
    struct uvs_pool_request_row *request = request_of(data, span);
    if (!pool || !request)
        return NO_MEMORY;
    uint64_t service_ns = span->end_ns - span->begin_ns, queue_ns = span->work.queue_ns;
    uint64_t submit_ns = span->begin_ns - queue_ns;
    request->count++;
    request->engine = "pool";
    pool->busy_ns = uvs__add(pool->busy_ns, service_ns);
    pool->last_finish_ns = uvs__max(pool->last_finish_ns, span->end_ns);
    if (submit_ns < pool->first_submit_ns)
        pool->first_submit_ns = submit_ns;
    int rc = uvs_hist_add(&request->queue, queue_ns);
    return rc ? rc : uvs_hist_add(&request->service, service_ns);
}

static int on_delivery(void *data, const struct uvs__output *output __attribute__((unused)),
                       const struct uvs__span *span)
{
    struct uvs_pool_request_row *request = request_of(data, span);
    struct pool_state *pool = pool_of(data, span);
    if (!request || !pool)
        return NO_MEMORY;
    // One whose work was lost, or is not recorded, was one of the pool all the same.
    if (!span->delivery.worked && !span->delivery.cancelled && !span->delivery.by_kernel &&
        span->delivery.asked_ns < pool->first_submit_ns)
        pool->first_submit_ns = span->delivery.asked_ns;
    request->count += !span->delivery.worked;
    request->cancelled += span->delivery.cancelled;
    if (span->delivery.by_kernel && !request->engine)
        request->engine = io_uring;
    if (span->delivery.return_ns == UVS_ABSENT)
        return 0;
    return uvs_hist_add(&request->return_, span->delivery.return_ns);
}

static int on_unfinished(void *data, const struct uvs__output *output __attribute__((unused)),
                         const struct uvs__span *span)
{
    struct pool_state *pool = pool_of(data, span);
    struct uvs_pool_request_row *request = request_of(data, span);
    if (!pool || !request)
        return NO_MEMORY;
    request->count++;
    if (span->unfinished.by_kernel) {
        request->engine = io_uring;
        return 0;
    }
    if (span->begin_ns < pool->first_submit_ns)
        pool->first_submit_ns = span->begin_ns;
    pool->last_finish_ns = uvs__max(pool->last_finish_ns, span->end_ns);
    if (!span->unfinished.stuck)
        return 0;
    *(span->unfinished.started ? &pool->never_finished : &pool->never_started) += 1;
    pool->oldest_ns = uvs__max(pool->oldest_ns, uvs__minus(span->end_ns, span->begin_ns));
    return 0;
}

static int add_totals(struct pool_state *pool, struct uvs_pool_request_row *request,
                      const struct uvs_ev_totals *totals)
{
    switch (totals->measure) {
    case UVS_MEASURE_QUEUE:
        return uvs__hist_add_totals(&request->queue, totals);
    case UVS_MEASURE_SERVICE:
        request->count = uvs__add(request->count, totals->count);
        request->engine = "pool";
        pool->busy_ns = uvs__add(pool->busy_ns, totals->sum_ns);
        return uvs__hist_add_totals(&request->service, totals);
    case UVS_MEASURE_RETURN:
        return uvs__hist_add_totals(&request->return_, totals);
    case UVS_MEASURE_WITHDRAWN:
        request->count = uvs__add(request->count, totals->count);
        request->cancelled = uvs__add(request->cancelled, totals->count);
        return 0;
    default:
        return 0;
    }
}

static bool is_of_request(const struct uvs__output *output, const struct uvs__span *span)
{
    return span->who != UVS__NOBODY && output->spans->whos[span->who]->role == UVS__REQUEST;
}

static int on_totals(void *data, const struct uvs__output *output, const struct uvs__span *span)
{
    if (!is_of_request(output, span))
        return 0;
    struct pool_state *pool = pool_of(data, span);
    struct uvs_pool_request_row *request = request_of(data, span);
    return pool && request ? add_totals(pool, request, span->totals) : NO_MEMORY;
}

// --- Rows ---

static int compare_requests(const void *left, const void *right)
{
    const struct uvs_pool_request_row *a = left, *b = right;
    uint64_t a_ns = uvs__add(a->queue.sum, a->service.sum), b_ns = uvs__add(b->queue.sum, b->service.sum);
    if (a_ns != b_ns)
        return a_ns < b_ns ? 1 : -1;
    int order = uvs__compare_sites(a->site, b->site);
    return order ? order : a->kind - b->kind;
}

static int fill_requests(struct state *state, struct uvs__output *output, const struct uvs__process *process,
                         struct uvs_pool_row *row)
{
    size_t capacity = 0;
    for (size_t i = 0; i < state->requests.count; i++) {
        struct uvs_pool_request_row *request = state->requests.items[i];
        const struct uvs__who *who = request ? output->spans->whos[i]
                                             : NULL; // beyond the last who all rows are NULL
        if (!who || who->process != process)
            continue;
        struct uvs_pool_request_row *rows = uvs__grow(row->requests, row->request_count, &capacity,
                                                      sizeof(*rows));
        if (!rows)
            return NO_MEMORY;
        row->requests = rows;
        struct uvs_pool_request_row *out = &rows[row->request_count++];
        *out = *request;
        free(request);
        state->requests.items[i] = NULL;
        out->who = (uint32_t)i;
        out->kind = who->kind;
        out->engine = out->engine ? out->engine : "unknown";
        out->slow_io_capped = UVS_ABSENT;
        out->triple_known = !process->missed[who->kind] && out->engine != io_uring;
        int rc = uvs__site_of(output, (uint32_t)i, &out->site);
        if (rc)
            return rc;
    }
    if (row->request_count)
        qsort(row->requests, row->request_count, sizeof(*row->requests), compare_requests);
    return 0;
}

// From the first submission to the last end, and as long as there may have been others: what is divided by it
// is then a lower bound. UVS_ABSENT: nobody knows how long that was.
static uint64_t life_of(const struct pool_state *pool, const struct uvs__spans *spans,
                        const struct uvs__process *process)
{
    uint64_t begin_ns = pool->first_submit_ns, end_ns = pool->last_finish_ns;
    if (spans->lost_count > 0) {
        const uint64_t first_ns = uvs__max(spans->lost[0].begin_ns, spans->begin_ns);
        begin_ns = begin_ns < first_ns ? begin_ns : first_ns;
        end_ns = uvs__max(uvs__process_end(spans, process), spans->lost[spans->lost_count - 1].end_ns);
    }
    return end_ns == UVS_ABSENT ? UVS_ABSENT : uvs__minus(end_ns, begin_ns);
}

static void fill_pool(struct pool_state *pool, const struct uvs__spans *spans,
                      const struct uvs__process *process, struct uvs_pool_row *row)
{
    *row = (struct uvs_pool_row){.process = process->index,
                                 .missed = process->handoff_missed > 0,
                                 .pid = process->pid,
                                 .copy = process->copy,
                                 .size = process->pool_size,
                                 .busy_ns = pool->busy_ns,
                                 .life_ns = life_of(pool, spans, process),
                                 .utilization = -1,
                                 .never_started = pool->never_started,
                                 .never_finished = pool->never_finished,
                                 .oldest_ns = UVS_ABSENT};
    if (process->lean_ns) {
        // Who waited while who worked is not told.
        row->saturated_ns = row->max_queue_depth = row->never_started = row->never_finished = UVS_ABSENT;
        return;
    }
    if (row->size && row->life_ns && row->life_ns != UVS_ABSENT)
        row->utilization = (double)row->busy_ns / ((double)row->size * (double)row->life_ns);
    if (row->never_started || row->never_finished)
        row->oldest_ns = pool->oldest_ns;
}

static int compare_pools(const void *left, const void *right)
{
    const struct uvs_pool_row *a = left, *b = right;
    return a->pid != b->pid ? (a->pid > b->pid) - (a->pid < b->pid) : (int)a->copy - (int)b->copy;
}

static int finish(void *data, struct uvs__output *output)
{
    struct state *state = data;
    struct uvs_report *report = output->report;
    size_t capacity = 0;
    for (const struct uvs__process *p = output->spans->processes; p; p = p->next) {
        struct pool_state *pool = p->index < state->pools.count ? state->pools.items[p->index] : NULL;
        if (!pool || p->foreign)
            continue;
        struct uvs_pool_row *rows = uvs__grow(report->pools, report->pool_count, &capacity, sizeof(*rows));
        if (!rows)
            return NO_MEMORY;
        report->pools = rows;
        fill_pool(pool, output->spans, p, &rows[report->pool_count]);
        int rc = fill_requests(state, output, p, &rows[report->pool_count++]);
        if (rc)
            return rc;
    }
    if (report->pool_count)
        qsort(report->pools, report->pool_count, sizeof(*report->pools), compare_pools);
    return 0;
}

static void clear(void *data)
{
    struct state *state = data;
    for (size_t i = 0; i < state->requests.count; i++) {
        struct uvs_pool_request_row *request = state->requests.items[i];
        for (size_t h = 0; request && h < 3; h++)
            uvs_hist_clear((struct uvs_hist *[]){&request->queue, &request->service, &request->return_}[h]);
    }
    uvs__rows_clear(&state->pools);
    uvs__rows_clear(&state->requests);
}

UVS__EACH(on_totals)
UVS__EACH(on_work)
UVS__EACH(on_delivery)
UVS__EACH(on_unfinished)

const struct uvs__analysis uvs__pool_analysis = {.state_size = sizeof(struct state),
                                                 .spans = {[UVS__SPAN_TOTALS] = each_on_totals,
                                                           [UVS__SPAN_WORK] = each_on_work,
                                                           [UVS__SPAN_DELIVERY] = each_on_delivery,
                                                           [UVS__SPAN_UNFINISHED] = each_on_unfinished},
                                                 .finish = finish,
                                                 .clear = clear};
