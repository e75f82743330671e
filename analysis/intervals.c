// SPDX-License-Identifier: MIT
// A loop's own time: busy intervals, poll phases, the callbacks and synchronous calls in them.
#include "span.h"

#include "saturate.h"

// Polls that follow one another within this are one phase.
static const uint64_t same_phase_ns = 1000000;
// A poll's event is emitted at the begin of the busy interval after it; how far apart they may be.
static const uint64_t next_within_ns = 20000000;
// The watchdog may report an interval that was closed meanwhile; clocks read one after the other differ by
// far less.
static const uint64_t stale_stall_ns = 1000000;

// The watchdog's, see gap_ns in probes/watchdog.c.
static const uint64_t most_between_samples_ns = 250000000;

enum { MAX_WORKERS = 1024 }; // of a pool of libuv's

// A poll that took less did not wait: what it returned was ready before it began.
static const uint64_t no_wait_ns = 50000;

static int push(struct uvs__parts *parts, uint32_t who, uint64_t ns)
{
    if (parts->count == parts->capacity) {
        struct uvs__part *grown = uvs__grow_full(parts->items, &parts->capacity, sizeof(*parts->items));
        if (!grown)
            return -UVS_E_ENVIRONMENT;
        parts->items = grown;
    }
    parts->items[parts->count++] = (struct uvs__part){who, ns};
    return 0;
}

// --- Busy intervals and polls ---

void uvs__loop_begin_interval(struct uvs__loop *loop)
{
    loop->busy.callbacks.count = loop->busy.sync_calls.count = 0;
    loop->busy.times = (struct uvs__busy_times){.gc.ns = loop->sees_gc ? 0 : UVS_ABSENT,
                                                .running.who = UVS__NOBODY};
    loop->busy.outermost = loop->busy.settled_ns = loop->busy.nested_ns = 0;
    loop->busy.broken = false;
    loop->nested_ns[0] = 0;
    for (; loop->deepest > 0; loop->deepest--)
        loop->nested_ns[loop->deepest] = 0;
    loop->stall.time_ns = 0;
}

static struct uvs__span *begin_loop_span(struct uvs__spans *spans, const struct uvs__loop *loop,
                                         enum uvs__span_type type, uint64_t begin_ns, uint64_t end_ns)
{
    struct uvs__span *span = uvs__begin_span(spans, type, loop->process, loop);
    span->begin_ns = begin_ns;
    span->end_ns = begin_ns == UVS_ABSENT ? end_ns : uvs__max(begin_ns, end_ns);
    return span;
}

static inline struct uvs__span *begin_busy(struct uvs__spans *spans, const struct uvs__loop *loop,
                                           uint64_t begin_ns, uint64_t end_ns)
{
    struct uvs__span *span = begin_loop_span(spans, loop, UVS__SPAN_BUSY, begin_ns, end_ns);
    uint64_t from_ns = begin_ns == UVS_ABSENT ? loop->boundary_ns : begin_ns;
    span->busy.complete = !loop->busy.broken && !uvs__lost_between(spans, from_ns, end_ns);
    span->busy.sparse = loop->process->lean_ns != 0;
    span->busy.open = false;
    span->busy.callbacks = &loop->busy.callbacks;
    span->busy.sync_calls = &loop->busy.sync_calls;
    span->busy.times = &loop->busy.times;
    return span;
}

// What came before a busy interval ends where that begins: a poll phase, or the time outside of uv_run.
static inline int close_idle(struct uvs__spans *spans, struct uvs__loop *loop, uint64_t busy_begin_ns)
{
    if (loop->poll.open) {
        // A busy interval that begins long after the poll's event is not the next one: the session was
        // stopped meanwhile, or events were lost. That time is unknown.
        // Lean recording leaves short ones out.
        bool is_next = busy_begin_ns != UVS_ABSENT && busy_begin_ns < loop->poll.end_ns + next_within_ns &&
                       !uvs__lost_between(spans, loop->poll.end_ns, busy_begin_ns) && !loop->process->lean_ns;
        uint64_t end_ns = is_next ? busy_begin_ns : loop->poll.end_ns;
        struct uvs__span *span = begin_loop_span(spans, loop, UVS__SPAN_POLL, loop->poll.begin_ns, end_ns);
        span->poll.spinning = loop->poll.spinning;
        span->poll.continued = loop->poll.continued;
        loop->poll.open = false;
        return uvs__emit(spans, span);
    }
    if (!loop->left || busy_begin_ns == UVS_ABSENT || loop->process->lean_ns)
        return 0;
    loop->left = false;
    // The loop may have run meanwhile.
    if (uvs__lost_between(spans, loop->boundary_ns, busy_begin_ns))
        return 0;
    return uvs__emit(spans,
                     begin_loop_span(spans, loop, UVS__SPAN_OUTSIDE, loop->boundary_ns, busy_begin_ns));
}

// Where it is not known whether the recording is lean they are one too: fewer are a lower bound.
static bool same_phase(const struct uvs__loop *loop, const struct uvs_ev_poll *poll, uint64_t busy_begin_ns,
                       uint64_t busy_end_ns)
{
    return poll->calls > 0 && loop->poll.open && !loop->process->is_lean && poll->callbacks == 0 &&
           loop->busy.outermost == 0 && loop->busy.callbacks.count == 0 && busy_begin_ns != UVS_ABSENT &&
           busy_end_ns - busy_begin_ns < same_phase_ns;
}

static inline int close_busy(struct uvs__spans *spans, struct uvs__loop *loop, const struct uvs_ev_poll *poll,
                             uint64_t begin_ns, uint64_t end_ns)
{
    int rc = close_idle(spans, loop, begin_ns);
    if (rc)
        return rc;
    struct uvs__span *span = begin_busy(spans, loop, begin_ns, end_ns);
    // The event of a callback around the last one is missing unless that was an outermost one.
    span->busy.complete &= poll->callbacks == loop->busy.outermost && loop->deepest == 0;
    return uvs__emit_borrower(spans, span);
}

// Descriptors that a poll which did not wait found ready became so at any time since the poll before it.
static uint64_t unseen(const struct uvs__loop *loop, const struct uvs_event *event, uint64_t begin_ns,
                       bool continued)
{
    if (loop->process->lean_ns) // when the poll before was is not told
        return UVS_ABSENT;
    // A look that may not wait takes long where others have the processor.
    const bool is_look = event->poll.timeout_ms == 0 && event->poll.calls == 1;
    if (!is_look && event->poll.wait_ns >= no_wait_ns)
        return 0;
    if (continued)
        return loop->unseen_ns == UVS_ABSENT ? UVS_ABSENT
                                             : uvs__add(loop->unseen_ns, event->time_ns - loop->poll.end_ns);
    return begin_ns == UVS_ABSENT ? UVS_ABSENT : event->time_ns - begin_ns;
}

int uvs__loop_poll(struct uvs__spans *spans, struct uvs__loop *loop, const struct uvs_event *event)
{
    const struct uvs_ev_poll *poll = &event->poll;
    uint64_t wait_ns = poll->wait_ns == UVS_ABSENT ? 0 : poll->wait_ns;
    uint64_t end_ns = uvs__max(uvs__minus(event->time_ns, wait_ns), loop->boundary_ns);
    uint64_t begin_ns = UVS_ABSENT;
    if (poll->busy_ns != UVS_ABSENT)
        begin_ns = uvs__max(uvs__minus(end_ns, poll->busy_ns), loop->boundary_ns);
    bool continued = same_phase(loop, poll, begin_ns, end_ns);
    loop->unseen_ns = unseen(loop, event, begin_ns, continued);
    int rc = continued ? close_idle(spans, loop, end_ns) : close_busy(spans, loop, poll, begin_ns, end_ns);
    loop->poll.open = poll->calls > 0;
    loop->poll.begin_ns = loop->boundary_ns = end_ns;
    loop->poll.end_ns = event->time_ns;
    loop->poll.spinning = poll->timeout_ms == 0;
    loop->poll.continued = continued;
    loop->left = poll->calls == 0;
    uvs__loop_begin_interval(loop);
    return rc;
}

// --- Callbacks ---

// A callback's event comes after those of the callbacks nested in it: what is deeper by one was in this one.
// It is for those that are nested, or have others in them.
static uint64_t take_nested(struct uvs__loop *loop, unsigned depth, uint64_t duration_ns)
{
    uint64_t nested_ns = 0;
    for (; loop->deepest > depth; loop->deepest--) {
        nested_ns = loop->nested_ns[loop->deepest];
        loop->busy.broken |= loop->deepest > depth + 1 && nested_ns;
        loop->nested_ns[loop->deepest] = 0;
    }
    if (nested_ns > duration_ns) {
        loop->busy.broken = true;
        nested_ns = duration_ns;
    }
    loop->nested_ns[depth] = uvs__add(loop->nested_ns[depth], duration_ns);
    loop->deepest = depth;
    return nested_ns;
}

static void forget_running(struct uvs__loop *loop, const struct uvs_ev_callback *callback)
{
    if (callback->depth == 0 || callback->op == loop->stall.op)
        loop->stall.op = 0;
}

static int add_to_interval(struct uvs__loop *loop, const struct uvs_event *event, uint32_t who,
                           uint64_t duration_ns)
{
    const unsigned depth = event->callback.depth;
    uint64_t self_ns = duration_ns;
    if (depth > 0 || loop->deepest > 0)
        self_ns -= take_nested(loop, depth, duration_ns);
    if (depth == 0) {
        struct uvs__busy_times *times = &loop->busy.times;
        times->outermost_ns = uvs__add(times->outermost_ns, duration_ns);
        times->longest_ns = uvs__max(times->longest_ns, duration_ns);
        loop->busy.settled_ns = event->time_ns;
        loop->busy.nested_ns = 0;
    } else {
        loop->busy.nested_ns = uvs__add(loop->busy.nested_ns, self_ns);
    }
    return push(&loop->busy.callbacks, who, self_ns);
}

// Of a descriptor: up to when the poll before this one was. The poll that found it ready may be lost, or not
// told.
static uint64_t delay_most(const struct uvs__spans *spans, const struct uvs__loop *loop,
                           const struct uvs__span *span, uint64_t delay_ns)
{
    if (delay_ns == UVS_ABSENT || span->begin_ns == UVS_ABSENT || loop->unseen_ns == UVS_ABSENT ||
        loop->process->lean_ns || uvs__lost_between(spans, loop->poll.end_ns, span->begin_ns))
        return UVS_ABSENT;
    return uvs__add(delay_ns, loop->unseen_ns);
}

static void set_delay(const struct uvs__spans *spans, const struct uvs__loop *loop, struct uvs__span *span,
                      const struct uvs_ev_callback *callback, enum uvs_kind_class class, uint64_t latency_ns)
{
    const bool is_request = class == UVS_CLASS_REQUEST || class == UVS_CLASS_POOL;
    span->callback.delay_ns = span->callback.latency_ns = span->callback.delay_most_ns = UVS_ABSENT;
    span->callback.cancelled = is_request && callback->result == UVS__CANCELLED;
    if (span->callback.cancelled)
        return;
    uint64_t delay_ns = callback->delay_ns;
    if (delay_ns > span->begin_ns && delay_ns != UVS_ABSENT)
        delay_ns = span->begin_ns;
    switch (class) {
    case UVS_CLASS_READY:
        span->callback.delay_most_ns = delay_most(spans, loop, span, delay_ns);
        span->callback.delay_ns = delay_ns;
        break;
    case UVS_CLASS_DUE:
        span->callback.delay_ns = delay_ns;
        break;
    case UVS_CLASS_POOL:
        span->callback.delay_ns = delay_ns;
        span->callback.latency_ns = latency_ns;
        break;
    case UVS_CLASS_REQUEST:
        span->callback.latency_ns = delay_ns;
        break;
    default:
        break;
    }
}

int uvs__loop_callback(struct uvs__spans *spans, struct uvs__loop *loop, const struct uvs_event *event,
                       enum uvs_kind_class class, uint64_t latency_ns)
{
    const struct uvs_ev_callback *callback = &event->callback;
    uint32_t who;
    int rc = uvs__who_of(spans, loop->process, loop, UVS__CALLBACK, callback->kind, callback->callback, &who);
    if (rc)
        return rc;
    struct uvs__span *span = begin_loop_span(spans, loop, UVS__SPAN_CALLBACK, UVS_ABSENT, event->time_ns);
    span->who = who;
    span->op = callback->op;
    span->callback.result = callback->result;
    forget_running(loop, callback);
    loop->busy.outermost += callback->depth == 0;
    if (callback->duration_ns == UVS_ABSENT) {
        // Tracing began within it: nobody knows what of it was nested.
        loop->busy.broken = true;
    } else {
        span->begin_ns = uvs__minus(event->time_ns, callback->duration_ns);
        rc = add_to_interval(loop, event, span->who, event->time_ns - span->begin_ns);
    }
    set_delay(spans, loop, span, callback, class, latency_ns);
    return rc ? rc : uvs__emit(spans, span);
}

int uvs__loop_sync_call(struct uvs__spans *spans, struct uvs__process *process, struct uvs__loop *loop,
                        const struct uvs_event *event)
{
    const struct uvs_ev_sync_call *call = &event->sync_call;
    uint32_t who;
    int rc = uvs__who_of(spans, process, loop, UVS__SYNC_CALL, call->kind, call->caller, &who);
    if (rc || call->duration_ns == UVS_ABSENT)
        return rc;
    struct uvs__span *span = uvs__begin_span(spans, UVS__SPAN_SYNC_CALL, process, loop);
    span->who = who;
    span->end_ns = event->time_ns;
    span->begin_ns = uvs__minus(event->time_ns, call->duration_ns);
    if (loop) {
        uint64_t inside_ns = uvs__minus(event->time_ns, uvs__max(span->begin_ns, loop->boundary_ns));
        loop->busy.times.sync_ns = uvs__add(loop->busy.times.sync_ns, inside_ns);
        rc = push(&loop->busy.sync_calls, span->who, inside_ns);
    }
    return rc ? rc : uvs__emit(spans, span);
}

// --- Garbage ---

static void add_collection(struct uvs__loop *loop, const struct uvs_event *event, uint64_t begin_ns)
{
    struct uvs__collected *gc = &loop->busy.times.gc;
    uint64_t inside_ns = uvs__minus(event->time_ns, uvs__max(begin_ns, loop->boundary_ns));
    gc->ns = uvs__add(gc->ns, inside_ns);
    if (inside_ns <= gc->longest_ns)
        return;
    gc->longest_ns = inside_ns;
    gc->longest_kind = event->gc.kind;
}

int uvs__loop_gc(struct uvs__spans *spans, struct uvs__process *process, struct uvs__loop *loop,
                 const struct uvs_event *event)
{
    if (loop && !loop->sees_gc) {
        loop->sees_gc = true;
        loop->busy.times.gc.ns = 0;
    }
    if (event->gc.kind == UVS_GC_NONE || event->gc.duration_ns == UVS_ABSENT)
        return 0;
    struct uvs__span *span = uvs__begin_span(spans, UVS__SPAN_GC, process, loop);
    span->begin_ns = uvs__minus(event->time_ns, event->gc.duration_ns);
    span->end_ns = event->time_ns;
    span->gc.kind = event->gc.kind;
    if (loop)
        add_collection(loop, event, span->begin_ns);
    return uvs__emit(spans, span);
}

// --- The end ---

// The call that it waited in was told right before.
static int take_call(struct uvs__process *process, uint32_t tid)
{
    const int call = process->waiting.tid == tid && tid ? process->waiting.call : -1;
    process->waiting.tid = 0;
    return call;
}

static int emit_stall(struct uvs__spans *spans, struct uvs__process *process, const struct uvs_event *event,
                      struct uvs__span *span)
{
    uint32_t frames[UINT8_MAX];
    const struct uvs_ev_stall *stall = &event->stall;
    int rc = 0;
    for (size_t i = 0; i < stall->frames_count && !rc; i++)
        rc = uvs__who_of(spans, process, NULL, UVS__FRAME, i ? UVS__FRAME_RETURN : UVS__FRAME_PLACE,
                         stall->frames[i], &frames[i]);
    span->stall.call = take_call(process, stall->tid);
    span->stall.cpu_ns = stall->cpu_ns;
    span->stall.frames = frames;
    span->stall.frame_count = stall->frames_count;
    return rc ? rc : uvs__emit_borrower(spans, span);
}

// A sample stands for the time since the one before it in the same interval. Where others were lost between
// them it stands for as much as the watchdog would have waited.
static uint64_t sampled_since(const struct uvs__spans *spans, uint64_t begin_ns, uint64_t before_ns,
                              uint64_t time_ns)
{
    const uint64_t since_ns = uvs__max(begin_ns, before_ns);
    if (!uvs__lost_between(spans, since_ns, time_ns))
        return since_ns;
    const uint64_t gap_ns = uvs__min(uvs__minus(time_ns, begin_ns) / 4, most_between_samples_ns);
    return uvs__max(since_ns, uvs__minus(time_ns, gap_ns));
}

static struct uvs__sampled_worker *sampled_worker(struct uvs__process *process, uint32_t tid)
{
    for (size_t i = 0; i < process->sampled_count; i++)
        if (process->sampled[i].tid == tid)
            return &process->sampled[i];
    const size_t at = process->sampled_next;
    struct uvs__sampled_worker *grown = uvs__grow(process->sampled, at, &process->sampled_capacity,
                                                  sizeof(*process->sampled));
    if (!grown)
        return NULL;
    process->sampled = grown;
    process->sampled_count += at == process->sampled_count;
    process->sampled_next = (at + 1) % MAX_WORKERS;
    grown[at] = (struct uvs__sampled_worker){.tid = tid};
    return &grown[at];
}

int uvs__work_stall(struct uvs__spans *spans, struct uvs__process *process, const struct uvs_event *event)
{
    const struct uvs_ev_stall *stall = &event->stall;
    if (stall->busy_ns == UVS_ABSENT)
        return 0;
    struct uvs__sampled_worker *worker = sampled_worker(process, stall->tid);
    if (!worker)
        return -UVS_E_ENVIRONMENT;
    struct uvs__span *span = uvs__begin_span(spans, UVS__SPAN_STALL, process, NULL);
    span->begin_ns = uvs__minus(event->time_ns, stall->busy_ns);
    span->end_ns = event->time_ns;
    span->stall.since_ns = sampled_since(spans, span->begin_ns, worker->time_ns, event->time_ns);
    worker->time_ns = uvs__max(worker->time_ns, event->time_ns);
    span->who = uvs__request_who(process, stall->op);
    span->op = stall->op;
    return emit_stall(spans, process, event, span);
}

int uvs__loop_stall(struct uvs__spans *spans, struct uvs__loop *loop, const struct uvs_event *event)
{
    const struct uvs_ev_stall *stall = &event->stall;
    if (stall->busy_ns == UVS_ABSENT)
        return 0;
    uint64_t begin_ns = uvs__minus(event->time_ns, stall->busy_ns);
    if (loop->boundary_ns > begin_ns && loop->boundary_ns - begin_ns > stale_stall_ns)
        return 0;
    begin_ns = uvs__max(begin_ns, loop->boundary_ns);
    const uint64_t since_ns = sampled_since(spans, begin_ns, loop->stall.time_ns, event->time_ns);
    loop->stall.time_ns = uvs__max(loop->stall.time_ns, event->time_ns);
    loop->stall.begin_ns = begin_ns;
    loop->stall.op = stall->op;
    loop->stall.kind = stall->kind;
    loop->stall.callback = stall->callback;
    struct uvs__span *span = begin_loop_span(spans, loop, UVS__SPAN_STALL, begin_ns, event->time_ns);
    span->stall.since_ns = since_ns;
    return emit_stall(spans, loop->process, event, span);
}

// The callback that the watchdog saw runs since the one before it ended, at the latest.
static int set_running(struct uvs__spans *spans, struct uvs__loop *loop, const struct uvs__span *span)
{
    struct uvs__busy_times *times = &loop->busy.times;
    if (loop->stall.op == 0)
        return 0;
    uint64_t whole_ns = uvs__minus(span->end_ns, uvs__max(span->begin_ns, loop->busy.settled_ns));
    times->running.ns = uvs__minus(whole_ns, loop->busy.nested_ns);
    times->outermost_ns = uvs__add(times->outermost_ns, whole_ns);
    times->longest_ns = uvs__max(times->longest_ns, whole_ns);
    return uvs__who_of(spans, loop->process, loop, UVS__CALLBACK, loop->stall.kind, loop->stall.callback,
                       &times->running.who);
}

static int emit_open(struct uvs__spans *spans, struct uvs__loop *loop)
{
    uint64_t begin_ns = loop->stall.begin_ns;
    uint64_t end_ns = uvs__max(uvs__process_end(spans, loop->process), loop->stall.time_ns);
    // Its end may be what was lost.
    if (uvs__lost_between(spans, loop->stall.time_ns, end_ns))
        end_ns = loop->stall.time_ns;
    int rc = close_idle(spans, loop, begin_ns);
    if (rc)
        return rc;
    struct uvs__span *span = begin_busy(spans, loop, begin_ns, end_ns);
    span->busy.open = true;
    rc = set_running(spans, loop, span);
    return rc ? rc : uvs__emit_borrower(spans, span);
}

// Without a word of the watchdog the loop may just wait in poll: what it ran is known, how long it was busy
// is not.
int uvs__loop_finish(struct uvs__spans *spans, struct uvs__loop *loop, bool ended)
{
    int rc;
    if (!ended && loop->stall.time_ns) {
        rc = emit_open(spans, loop);
    } else {
        rc = close_idle(spans, loop, UVS_ABSENT);
        if (!rc && loop->busy.callbacks.count)
            rc = uvs__emit_borrower(spans, begin_busy(spans, loop, UVS_ABSENT, spans->end_ns));
    }
    uvs__loop_begin_interval(loop);
    loop->ended = true;
    uvs__forget_recents(spans);
    return rc;
}
