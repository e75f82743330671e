// SPDX-License-Identifier: MIT
// The thread pool's requests in flight, from their submission to their callback.
#include "span.h"

#include "saturate.h"

// uv_queue_work may be called without an after-work callback, and no event tells. Beyond so many finished
// requests the oldest are taken for such ones.
static const size_t max_undelivered = 65536;
// Workers take requests in the order of submission: one that is unfinished when so many later ones are done
// has been running for long, if its end was not lost.
static const uint64_t max_overtaken = 65536;

// --- Which there are ---

// Nothing of it is known but the operation.
static inline struct uvs__request *add(struct uvs__process *process, struct uvs__request **place, uint64_t op,
                                       uint8_t kind)
{
    struct uvs__request *request = uvs__pending_add(&process->requests, place, op);
    if (!request)
        return NULL;
    request->submit_ns = UVS_ABSENT;
    request->worked_before = 0;
    request->who = UVS__NOBODY;
    request->kind = kind;
    request->started = request->cancelled = request->held = request->in_kernel = false;
    request->finished = request->measured = false;
    return request;
}

static inline void leave(struct uvs__process *process, const struct uvs__request *request)
{
    uvs__list_leave(&request->link);
    process->undelivered_count -= request->finished || request->cancelled;
}

static inline void await_delivery(struct uvs__process *process, struct uvs__request *request)
{
    uvs__list_append(&process->undelivered, &request->link);
    process->undelivered_count++;
}

static void forget(struct uvs__process *process, struct uvs__request *request)
{
    uvs__pending_take(&process->requests, request->op);
    leave(process, request);
    uvs__pending_give(&process->requests, request);
}

// --- Spans ---

static struct uvs__span *begin_pool_span(struct uvs__spans *spans, const struct uvs__process *process,
                                         const struct uvs__request *request, enum uvs__span_type type)
{
    struct uvs__span *span = uvs__begin_span(spans, type, process, NULL);
    span->who = request->who;
    span->op = request->op;
    return span;
}

// Whether it is stuck in the pool if it has not come back.
static bool fate_known(const struct uvs__spans *spans, const struct uvs__process *process,
                       const struct uvs__request *request)
{
    return !request->in_kernel && !process->missed[request->kind] &&
           !uvs__lost_between(spans, request->submit_ns, UINT64_MAX);
}

static UVS__SELDOM int hold_oldest(struct uvs__spans *spans, struct uvs__process *process)
{
    struct uvs__request *request = uvs__oldest(&process->unfinished);
    uvs__list_leave(&request->link);
    uvs__list_append(&process->held, &request->link);
    request->held = fate_known(spans, process, request);
    if (!request->held)
        return 0;
    struct uvs__span *span = begin_pool_span(spans, process, request, UVS__SPAN_HELD);
    span->begin_ns = span->end_ns = request->submit_ns;
    return uvs__emit(spans, span);
}

static inline int emit_work(struct uvs__spans *spans, struct uvs__process *process,
                            const struct uvs__request *request)
{
    const struct uvs__request *oldest = uvs__oldest(&process->unfinished);
    process->worked++;
    if (oldest && process->worked - oldest->worked_before > max_overtaken) {
        const int rc = hold_oldest(spans, process);
        if (rc)
            return rc;
        oldest = uvs__oldest(&process->unfinished);
    }
    struct uvs__span *span = begin_pool_span(spans, process, request, UVS__SPAN_WORK);
    span->end_ns = request->finish_ns;
    span->begin_ns = request->finish_ns - request->service_ns;
    span->work.held = request->held;
    span->work.tid = request->tid;
    span->work.queue_ns = request->queue_ns;
    span->work.asked_ns = request->submit_ns;
    span->work.horizon_ns = oldest ? oldest->submit_ns : request->finish_ns;
    return uvs__emit(spans, span);
}

// The submission was lost. What a request of libuv's own runs in the end is also what was asked for; the
// function that uv_queue_work was given is not known.
static UVS__SELDOM int name_late(struct uvs__spans *spans, struct uvs__process *process,
                                 struct uvs__request *request, uint64_t callback)
{
    int rc = uvs__who_of(spans, process, NULL, UVS__REQUEST, request->kind,
                         request->kind == UVS_KIND_WORK ? 0 : callback, &request->who);
    if (rc || !request->measured)
        return rc;
    return emit_work(spans, process, request);
}

// Since this version libuv gives some requests to io_uring.
static const uint32_t first_with_io_uring = 1u << 16 | 45u << 8;

// Submitted and done, and nothing was lost meanwhile, but no worker has been seen.
static bool by_kernel(const struct uvs__spans *spans, const struct uvs__process *process,
                      const struct uvs__request *request, uint64_t time_ns)
{
    return !request->finished && !request->cancelled && request->kind >= UVS_KIND_FS &&
           request->submit_ns != UVS_ABSENT && process->libuv >= first_with_io_uring &&
           !process->missed[request->kind] && !uvs__lost_between(spans, request->submit_ns, time_ns);
}

static inline int emit_delivery(struct uvs__spans *spans, const struct uvs__process *process,
                                const struct uvs__request *request, uint64_t time_ns, uint64_t return_ns)
{
    struct uvs__span *span = begin_pool_span(spans, process, request, UVS__SPAN_DELIVERY);
    span->begin_ns = span->end_ns = time_ns;
    span->delivery.return_ns = return_ns;
    span->delivery.asked_ns = request->submit_ns;
    span->delivery.cancelled = request->cancelled;
    span->delivery.worked = request->measured;
    span->delivery.by_kernel = by_kernel(spans, process, request, time_ns);
    span->delivery.held = request->held && !request->measured;
    return uvs__emit(spans, span);
}

static UVS__SELDOM int emit_unfinished(struct uvs__spans *spans, const struct uvs__process *process,
                                       const struct uvs__request *request, bool stuck, bool started)
{
    struct uvs__span *span = begin_pool_span(spans, process, request, UVS__SPAN_UNFINISHED);
    span->begin_ns = request->submit_ns;
    span->end_ns = uvs__process_end(spans, process);
    span->unfinished.stuck = stuck;
    span->unfinished.started = started;
    span->unfinished.held = request->held;
    span->unfinished.by_kernel = request->in_kernel;
    return uvs__emit(spans, span);
}

// --- Events ---

int uvs__request_scheduled(struct uvs__spans *spans, struct uvs__process *process,
                           const struct uvs_event *event)
{
    const struct uvs_ev_schedule *schedule = &event->schedule;
    struct uvs__request **place = uvs__pending_place(&process->requests, schedule->op), *request = *place;
    uint32_t who;
    int rc = uvs__who_of(spans, process, NULL, UVS__REQUEST, schedule->kind, schedule->callback, &who);
    if (rc)
        return rc;
    if (request && !request->finished && !request->cancelled) {
        process->last_ns = uvs__max(process->last_ns, event->time_ns); // a run of events is taken
        rc = emit_unfinished(spans, process, request, false, false);
        if (rc)
            return rc;
    }
    if (request && request->who != UVS__NOBODY) {
        forget(process, request);
        request = NULL;
    }
    if (!request) {
        request = add(process, place, schedule->op, schedule->kind);
        if (!request)
            return -UVS_E_ENVIRONMENT;
        uvs__list_append(&process->unfinished, &request->link);
    }
    request->submit_ns = event->time_ns;
    request->in_kernel = schedule->kind >= UVS_KIND_FS && schedule->timeout_ms == UVS_BY_KERNEL;
    request->worked_before = process->worked;
    request->who = who;
    return request->measured ? emit_work(spans, process, request) : 0;
}

bool uvs__request_is_known(const struct uvs__process *process, uint64_t op)
{
    return uvs__pending_get(&process->requests, op);
}

uint32_t uvs__request_who(const struct uvs__process *process, uint64_t op)
{
    const struct uvs__request *request = uvs__pending_get(&process->requests, op);
    return request ? request->who : UVS__NOBODY;
}

void uvs__request_begun(struct uvs__process *process, uint64_t op)
{
    struct uvs__request *request = uvs__pending_get(&process->requests, op);
    process->sees_begins = true;
    if (request)
        request->started = true;
}

static UVS__SELDOM int forget_oldest(struct uvs__spans *spans, struct uvs__process *process)
{
    struct uvs__request *oldest = uvs__oldest(&process->undelivered);
    const int rc = oldest->who == UVS__NOBODY ? name_late(spans, process, oldest, 0) : 0;
    forget(process, oldest);
    return rc;
}

int uvs__request_worked(struct uvs__spans *spans, struct uvs__process *process, const struct uvs_event *event)
{
    const struct uvs_ev_work *work = &event->work;
    struct uvs__request **place = uvs__pending_place(&process->requests, work->op), *request = *place;
    if (request && request->finished)
        return 0;
    if (request)
        leave(process, request);
    else if (!(request = add(process, place, work->op, work->kind)))
        return -UVS_E_ENVIRONMENT;
    await_delivery(process, request);
    request->finished = true;
    request->tid = work->tid;
    request->measured = work->queue_ns != UVS_ABSENT && work->service_ns != UVS_ABSENT;
    request->finish_ns = event->time_ns;
    uint64_t begin_ns = uvs__minus(event->time_ns, work->service_ns);
    request->service_ns = event->time_ns - begin_ns;
    request->queue_ns = begin_ns - uvs__minus(begin_ns, work->queue_ns);
    if (process->lean_ns) // its submission was told with it
        request->submit_ns = begin_ns - request->queue_ns;
    int rc = 0;
    if (request->measured && request->who != UVS__NOBODY)
        rc = emit_work(spans, process, request);
    return rc || process->undelivered_count <= max_undelivered ? rc : forget_oldest(spans, process);
}

void uvs__request_cancelled(struct uvs__process *process, uint64_t op)
{
    struct uvs__request *request = uvs__pending_get(&process->requests, op);
    if (!request || request->finished)
        return;
    leave(process, request);
    await_delivery(process, request);
    request->cancelled = true;
}

static inline int deliver(struct uvs__spans *spans, struct uvs__process *process,
                          struct uvs__request *request, const struct uvs_event *event,
                          uint64_t *ret_latency_ns)
{
    const struct uvs_ev_callback *callback = &event->callback;
    request->cancelled = callback->result == UVS__CANCELLED;
    int rc = request->who == UVS__NOBODY ? name_late(spans, process, request, callback->callback) : 0;
    uint64_t return_ns = request->cancelled ? UVS_ABSENT : callback->delay_ns;
    if (return_ns != UVS_ABSENT && return_ns > event->time_ns)
        return_ns = event->time_ns;
    if (!rc)
        rc = emit_delivery(spans, process, request, event->time_ns, return_ns);
    if (request->measured && return_ns != UVS_ABSENT)
        *ret_latency_ns = uvs__add(request->queue_ns + request->service_ns, return_ns);
    else if (by_kernel(spans, process, request, event->time_ns))
        *ret_latency_ns = uvs__minus(uvs__minus(event->time_ns, callback->duration_ns), request->submit_ns);
    return rc;
}

// Neither its submission nor its end was seen.
static UVS__SELDOM int deliver_unseen(struct uvs__spans *spans, struct uvs__process *process,
                                      const struct uvs_event *event, uint64_t *ret_latency_ns)
{
    struct uvs__request unseen = {.op = event->callback.op, .who = UVS__NOBODY, .kind = event->callback.kind};
    if (process->lean_ns) // it comes in totals
        return 0;
    return deliver(spans, process, &unseen, event, ret_latency_ns);
}

int uvs__request_delivered(struct uvs__spans *spans, struct uvs__process *process,
                           const struct uvs_event *event, uint64_t *ret_latency_ns)
{
    struct uvs__request *request = uvs__pending_take(&process->requests, event->callback.op);
    if (!request)
        return deliver_unseen(spans, process, event, ret_latency_ns);
    leave(process, request);
    const int rc = deliver(spans, process, request, event, ret_latency_ns);
    uvs__pending_give(&process->requests, request);
    return rc;
}

// --- The end ---

static int finish_list(struct uvs__spans *spans, struct uvs__process *process, const struct uvs__link *list,
                       uint32_t *taken)
{
    int rc = 0;
    for (struct uvs__link *link = list->newer; link != list && !rc; link = link->newer) {
        const struct uvs__request *r = uvs__request_at(list, link);
        bool stuck = fate_known(spans, process, r);
        // The queue is first in, first out: without begin events, the oldest ones are those that run.
        bool started = process->sees_begins ? r->started : *taken < process->pool_size;
        *taken += stuck;
        rc = emit_unfinished(spans, process, r, stuck, started);
    }
    return rc;
}

static int finish_unfinished(struct uvs__spans *spans, struct uvs__process *process)
{
    uint32_t taken = 0;
    int rc = finish_list(spans, process, &process->held, &taken);
    return rc ? rc : finish_list(spans, process, &process->unfinished, &taken);
}

int uvs__requests_finish(struct uvs__spans *spans, struct uvs__process *process)
{
    const struct uvs__link *list = &process->undelivered;
    int rc = finish_unfinished(spans, process);
    for (struct uvs__link *link = list->newer; link != list && !rc; link = link->newer) {
        struct uvs__request *r = uvs__request_at(list, link);
        rc = r->who == UVS__NOBODY ? name_late(spans, process, r, 0) : 0;
        if (!rc && (r->cancelled || !r->measured))
            rc = emit_delivery(spans, process, r, spans->end_ns, UVS_ABSENT);
    }
    return rc;
}

int uvs__requests_create(struct uvs__process *process)
{
    uvs__list_create(&process->held);
    uvs__list_create(&process->unfinished);
    uvs__list_create(&process->undelivered);
    return uvs__pending_create(&process->requests);
}

void uvs__requests_clear(struct uvs__process *process)
{
    uvs__pending_clear(&process->requests);
}
