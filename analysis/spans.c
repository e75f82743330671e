// SPDX-License-Identifier: MIT
// The span builder's front: whose event it is, and which file turns it into spans.
#include "span.h"

#include "saturate.h"

#include <stdlib.h>
#include <string.h>

enum { NO_MEMORY = -UVS_E_ENVIRONMENT, NS_PER_MS = 1000000 };

// --- Loss ---

bool uvs__lost_something_between(const struct uvs__spans *spans, uint64_t begin_ns, uint64_t end_ns)
{
    size_t i = spans->lost_count;
    while (i > 0 && spans->lost[i - 1].begin_ns > end_ns)
        i--;
    return i > 0 && spans->lost[i - 1].end_ns >= begin_ns;
}

static void merge_lost(struct uvs__spans *spans, struct uvs_interval range)
{
    size_t at = spans->lost_count;
    while (at > 0 && spans->lost[at - 1].end_ns >= range.begin_ns)
        at--;
    size_t after = at;
    for (; after < spans->lost_count && spans->lost[after].begin_ns <= range.end_ns; after++) {
        if (spans->lost[after].begin_ns < range.begin_ns)
            range.begin_ns = spans->lost[after].begin_ns;
        if (spans->lost[after].end_ns > range.end_ns)
            range.end_ns = spans->lost[after].end_ns;
    }
    memmove(&spans->lost[at + 1], &spans->lost[after], (spans->lost_count - after) * sizeof(*spans->lost));
    spans->lost[at] = range;
    spans->lost_count = spans->lost_count - (after - at) + 1;
}

// A loss of unknown size is at least one event.
// An unknown number more makes the sum unknown.
static uint64_t add_lost(uint64_t sum, uint64_t lost)
{
    return sum == UVS_ABSENT || lost == UVS_ABSENT ? UVS_ABSENT : uvs__add(sum, lost);
}

// LTTng's counter of a stream sometimes falls for a packet, and returns to what it was: that is no loss, and
// no second one.
static void count_lost_events(struct uvs__spans *spans, uint64_t events)
{
    const bool fell = events != UVS_ABSENT && events > INT64_MAX;
    if (spans->lost_now == UVS_ABSENT)
        return;
    spans->lost_now = fell ? uvs__minus(spans->lost_now, 0 - events) : add_lost(spans->lost_now, events);
    spans->lost_events = uvs__max(spans->lost_events, spans->lost_now);
}

static UVS__SELDOM int on_lost(struct uvs__spans *spans, const struct uvs_ev_lost *lost)
{
    uvs__spans_quiet(spans);
    struct uvs_interval *grown = uvs__grow(spans->lost, spans->lost_count, &spans->lost_capacity,
                                           sizeof(*spans->lost));
    if (!grown)
        return NO_MEMORY;
    spans->lost = grown;
    struct uvs_interval range = {lost->begin_ns == UVS_ABSENT ? 0 : lost->begin_ns, lost->end_ns};
    if (range.end_ns < range.begin_ns)
        range.end_ns = range.begin_ns;
    merge_lost(spans, range);
    if (lost->events == 0 && lost->packets == 0)
        spans->uncounted_ns = uvs__max(spans->uncounted_ns, range.end_ns);
    count_lost_events(spans, lost->events);
    spans->lost_packets = add_lost(spans->lost_packets, lost->packets);
    return 0;
}

// --- Identity ---

bool uvs__is_ours(const struct uvs__spans *spans, uint32_t pid)
{
    return !spans->recording || spans->has_no_others || (pid == spans->main_pid && pid);
}

bool uvs__says_ours(const struct uvs__spans *spans, const struct uvs_event *event)
{
    return !spans->recording || strcmp(spans->recording, event->process_info.recording) == 0;
}

static struct uvs__process *add_process(struct uvs__spans *spans, uint32_t pid, uint32_t copy)
{
    struct uvs__process *process = calloc(1, sizeof(*process));
    if (!process)
        return NULL;
    *process = (struct uvs__process){.pid = pid,
                                     .copy = copy,
                                     .pid_ns = UVS_ABSENT,
                                     .start_ns = UVS_ABSENT,
                                     .hooks = -1,
                                     .lean_ns = UVS_ABSENT,
                                     .foreign = !uvs__is_ours(spans, pid)};
    if (uvs__requests_create(process) || uvs__map_put(&spans->process_by_pid, pid, copy, process)) {
        uvs__requests_clear(process);
        free(process);
        return NULL;
    }
    process->index = spans->last_process ? spans->last_process->index + 1 : 0;
    *(spans->last_process ? &spans->last_process->next : &spans->processes) = process;
    spans->last_process = process;
    uvs__forget_recents(spans);
    return process;
}

// NULL without memory.
static struct uvs__process *process_of(struct uvs__spans *spans, uint32_t key)
{
    const uint32_t pid = uvs_key_pid(key), copy = uvs_slot_copy(uvs_key_slot(key));
    struct uvs__process *process = uvs__map_get(&spans->process_by_pid, pid, copy);
    return process ? process : add_process(spans, pid, copy);
}

static struct uvs__loop *add_loop(struct uvs__spans *spans, struct uvs__process *process, uint32_t key)
{
    struct uvs__loop *loop = calloc(1, sizeof(*loop));
    if (!loop)
        return NULL;
    loop->process = process;
    loop->key = key;
    loop->slot = uvs_key_slot(key);
    uvs__loop_begin_interval(loop);
    if (uvs__map_put(&spans->loop_by_key, key, 0, loop)) {
        free(loop);
        return NULL;
    }
    loop->index = spans->last_loop ? spans->last_loop->index + 1 : 0;
    *(spans->last_loop ? &spans->last_loop->next : &spans->loops) = loop;
    spans->last_loop = loop;
    return loop;
}

static struct uvs__loop *known_loop(const struct uvs__spans *spans, const struct uvs__process *process,
                                    uint32_t key)
{
    struct uvs__loop *loop = uvs__map_get(&spans->loop_by_key, key, 0);
    return loop && !loop->ended && loop->process == process ? loop : NULL;
}

// NULL without memory.
static struct uvs__loop *loop_of(struct uvs__spans *spans, struct uvs__process *process, uint32_t key)
{
    struct uvs__loop *loop = known_loop(spans, process, key);
    loop = loop ? loop : add_loop(spans, process, key);
    if (loop)
        *uvs__recent_of(spans, key) = (struct uvs__recent){key, process, loop};
    return loop;
}

static int grow_whos(struct uvs__spans *spans)
{
    uvs__spans_quiet(spans);
    struct uvs__who **grown = uvs__grow_full(spans->whos, &spans->who_capacity, sizeof(*spans->whos));
    if (!grown)
        return NO_MEMORY;
    spans->whos = grown;
    return 0;
}

UVS__SELDOM int uvs__find_who(struct uvs__spans *spans, struct uvs__process *process, struct uvs__loop *loop,
                              enum uvs__role role, uint8_t kind, uint64_t address, uint32_t *ret_index)
{
    const void *owner = loop ? (void *)loop : process;
    uint64_t key = (uint64_t)(uintptr_t)owner << 10 ^ (uint64_t)role << 8 ^ kind;
    struct uvs__who *who = uvs__map_get(&spans->who_by_key, key, address);
    if (!who) {
        if (spans->who_count == spans->who_capacity && grow_whos(spans))
            return NO_MEMORY;
        who = malloc(sizeof(*who));
        if (!who)
            return NO_MEMORY;
        *who = (struct uvs__who){process, loop, role, kind, address, (uint32_t)spans->who_count};
        if (uvs__map_put(&spans->who_by_key, key, address, who)) {
            free(who);
            return NO_MEMORY;
        }
        spans->whos[spans->who_count++] = who;
    }
    const uint32_t tag = uvs__who_tag(role, kind);
    *uvs__recent_who(spans, tag, address) = (struct uvs__recent_who){address, owner, tag, who->index};
    *ret_index = who->index;
    return 0;
}

uint64_t uvs__process_end(const struct uvs__spans *spans, const struct uvs__process *process)
{
    if (process->pid == spans->main_pid && !process->succeeded && spans->main_end_ns != UVS_ABSENT &&
        spans->main_end_ns > process->last_ns)
        return spans->main_end_ns;
    return process->last_ns;
}

// --- Facts about processes and loops ---

static int end_loops(struct uvs__spans *spans, const struct uvs__process *process)
{
    int rc = 0;
    for (struct uvs__loop *loop = spans->loops; loop && !rc; loop = loop->next)
        if (loop->process == process && !loop->ended)
            rc = uvs__loop_finish(spans, loop, false);
    return rc;
}

static bool known(uint64_t fact)
{
    return fact != UVS_ABSENT && fact != 0;
}

// A pid that is taken again names another process; two at one time can only be told by their namespaces.
static int succeed(struct uvs__spans *spans, const struct uvs_ev_process_info *info,
                   struct uvs__process **process)
{
    struct uvs__process *old = *process;
    if (known(old->pid_ns) && known(info->pid_ns) && old->pid_ns != info->pid_ns) {
        old->collision = true;
        return 0;
    }
    if (!known(old->start_ns) || !known(info->start_ns) || info->start_ns <= old->start_ns)
        return 0;
    old->succeeded = true;
    int rc = end_loops(spans, old);
    *process = rc ? NULL : add_process(spans, old->pid, old->copy);
    return *process ? 0 : NO_MEMORY;
}

static UVS__SELDOM int on_process_info(struct uvs__spans *spans, struct uvs__process *process,
                                       const struct uvs_event *event, struct uvs_error *error)
{
    const struct uvs_ev_process_info *info = &event->process_info;
    if (info->schema > UVS_SCHEMA)
        return uvs_error_set(error, UVS_E_TRACE,
                             "trace was recorded by a newer uvscope (schema %u, this one reads %u); upgrade",
                             info->schema, (unsigned)UVS_SCHEMA);
    int rc = succeed(spans, info, &process);
    if (rc)
        return rc;
    uvs__forget_recents(spans);
    if (process->pool_size != info->pool_size) { // known for certain only once the pool has started
        uvs__spans_quiet(spans);
        process->pool_size = info->pool_size;
    }
    uvs__process_lean(spans, process, info->lean_ns == UVS_ABSENT ? 0 : info->lean_ns);
    if (process->exe)
        return 0;
    process->pid_ns = info->pid_ns;
    process->start_ns = info->start_ns;
    process->libuv = info->libuv;
    process->hooks = info->hooks;
    process->foreign = !uvs__says_ours(spans, event);
    process->argv = strdup(info->argv);
    process->unhooked = strdup(info->unhooked);
    process->exe = strdup(info->exe);
    return process->argv && process->unhooked && process->exe ? 0 : NO_MEMORY;
}

static int on_loop_info(struct uvs__spans *spans, struct uvs__process *process, const struct uvs_event *event)
{
    const struct uvs_ev_loop_info *info = &event->loop_info;
    struct uvs__loop *loop = loop_of(spans, process, event->loop);
    if (loop && loop->tid && info->tid && loop->tid != info->tid) {
        int rc = uvs__loop_finish(spans, loop, true);
        if (rc)
            return rc;
        loop = add_loop(spans, process, event->loop);
    }
    if (!loop)
        return NO_MEMORY;
    loop->tid = info->tid;
    if (!loop->seen_ns)
        loop->seen_ns = event->time_ns;
    loop->is_default = info->is_default;
    loop->try_writes = uvs__max(loop->try_writes, info->try_writes);
    if (!loop->name && *info->name && !(loop->name = strdup(info->name)))
        return NO_MEMORY;
    return 0;
}

static void on_dropped(struct uvs__spans *spans, struct uvs__process *process, const struct uvs_event *event)
{
    const struct uvs_ev_dropped *dropped = &event->dropped;
    uvs__spans_quiet(spans);
    if (dropped->reason == UVS_DROPPED_HANDOFF_MISSED) {
        process->handoff_missed++;
        process->missed[dropped->count & UINT8_MAX] = true;
    } else if (dropped->reason == UVS_DROPPED_LOOPS_FULL) {
        process->loops_dropped += dropped->count ? dropped->count : 1;
    } else if (dropped->reason == UVS_DROPPED_TRACED_LATE) {
        // Its events may come before it says so. What is lost is before all that is there: no interval has a
        // gap.
        const uint64_t since_ns = uvs__minus(event->time_ns, (uint64_t)dropped->count * NS_PER_MS);
        process->untraced_ns = uvs__max(process->untraced_ns, uvs__minus(process->first_ns, since_ns));
        if (process->untraced_ns)
            count_lost_events(spans, UVS_ABSENT);
    }
}

// --- Events ---

static int on_totals(struct uvs__spans *spans, struct uvs__process *process, const struct uvs_event *event)
{
    if (uvs_key_slot(event->loop) == UVS_SLOT_NONE)
        return 0;
    struct uvs__loop *loop = loop_of(spans, process, event->loop);
    return loop ? uvs__loop_totals(spans, loop, event) : NO_MEMORY;
}

static void on_lean(struct uvs__spans *spans, struct uvs__process *process, const struct uvs_event *event)
{
    struct uvs__loop *loop = known_loop(spans, process, event->loop);
    if (loop)
        uvs__loop_lean(spans, loop, event);
    else
        uvs__process_lean(spans, process, event->lean.threshold_ns);
}

static int on_handles_open(struct uvs__spans *spans, struct uvs__process *process, struct uvs__loop *loop,
                           const struct uvs_event *event)
{
    const uint64_t callback = event->handles_open.callback;
    uint32_t who = UVS__NOBODY;
    if (!loop)
        return 0;
    int rc = callback ? uvs__who_of(spans, process, NULL, UVS__FRAME, UVS__FRAME_PLACE, callback, &who) : 0;
    if (rc)
        return rc;
    struct uvs__span *span = uvs__begin_span(spans, UVS__SPAN_OPEN_HANDLES, process, loop);
    span->begin_ns = span->end_ns = event->time_ns;
    span->who = who;
    span->open_handles = &event->handles_open;
    return uvs__emit_borrower(spans, span);
}

// Only what a loop's own thread says brings a loop to life: a worker or the watchdog may be late.
static int on_other(struct uvs__spans *spans, struct uvs__process *process, const struct uvs_event *event)
{
    struct uvs__loop *loop = known_loop(spans, process, event->loop);
    switch (event->type) {
    case UVS_EV_loop_info:
        return on_loop_info(spans, process, event);
    case UVS_EV_totals:
        return on_totals(spans, process, event);
    case UVS_EV_gc:
        return uvs__loop_gc(spans, process, loop, event);
    case UVS_EV_stall:
        if (uvs_key_slot(event->loop) == UVS_SLOT_NONE)
            return uvs__work_stall(spans, process, event);
        return loop ? uvs__loop_stall(spans, loop, event) : 0;
    case UVS_EV_waiting:
        process->waiting.tid = event->waiting.tid;
        process->waiting.call = event->waiting.call;
        return 0;
    case UVS_EV_loop_end:
        return loop ? uvs__loop_finish(spans, loop, true) : 0;
    case UVS_EV_handles_open:
        return on_handles_open(spans, process, loop, event);
    case UVS_EV_cancel:
        if (event->cancel.result == 0)
            uvs__request_cancelled(process, event->cancel.op);
        return 0;
    case UVS_EV_dropped:
        on_dropped(spans, process, event);
        return 0;
    case UVS_EV_lean:
        on_lean(spans, process, event);
        return 0;
    case UVS_EV_work_begin:
        uvs__request_begun(process, event->work_begin.op);
        return 0;
    default:
        return 0;
    }
}

static inline int on_callback(struct uvs__spans *spans, struct uvs__process *process, struct uvs__loop *loop,
                              const struct uvs_event *event)
{
    const enum uvs_kind_class class = uvs_kind_class(event->callback.kind);
    uint64_t latency_ns = UVS_ABSENT;
    int rc = 0;
    if (class == UVS_CLASS_POOL)
        rc = uvs__request_delivered(spans, process, event, &latency_ns);
    return rc || !loop ? rc : uvs__loop_callback(spans, loop, event, class, latency_ns);
}

static inline int on_schedule(struct uvs__spans *spans, struct uvs__process *process,
                              const struct uvs__loop *loop, const struct uvs_event *event)
{
    const struct uvs_ev_schedule *schedule = &event->schedule;
    const bool is_pools = uvs_kind_class(schedule->kind) == UVS_CLASS_POOL;
    int rc = 0;
    if (!process->lean_ns) { // told late there, for the sake of a request's name
        struct uvs__span *span = uvs__begin_span(spans, UVS__SPAN_SCHEDULE, process, loop);
        span->begin_ns = span->end_ns = event->time_ns;
        span->op = schedule->op;
        span->schedule.parent = schedule->parent;
        rc = uvs__emit(spans, span);
    }
    return rc || !is_pools ? rc : uvs__request_scheduled(spans, process, event);
}

// What loops and their pools do. loop NULL: it is on none.
static inline int take(struct uvs__spans *spans, struct uvs__process *process, struct uvs__loop *loop,
                       const struct uvs_event *event)
{
    switch (event->type) {
    case UVS_EV_callback:
        return on_callback(spans, process, loop, event);
    case UVS_EV_schedule:
        return on_schedule(spans, process, loop, event);
    case UVS_EV_work:
        return uvs__request_worked(spans, process, event);
    case UVS_EV_poll:
        return loop ? uvs__loop_poll(spans, loop, event) : 0;
    default:
        return uvs__loop_sync_call(spans, process, loop, event);
    }
}

static bool is_taken(int type)
{
    return type <= UVS_EV_sync_call;
}

// Whether it is the thread of the loop that says it: a worker's or the watchdog's word may come late, and
// brings no loop to life.
static bool is_loops_own(int type)
{
    return type == UVS_EV_callback || type == UVS_EV_poll || type == UVS_EV_sync_call;
}

static void count(struct uvs__spans *spans, struct uvs__process *process, uint64_t time_ns)
{
    if ((spans->events == 0 && !spans->has_begin) || time_ns < spans->begin_ns) {
        uvs__spans_quiet(spans);
        spans->begin_ns = time_ns;
    }
    if (time_ns > spans->end_ns)
        spans->end_ns = time_ns;
    if (process->last_ns == 0)
        process->first_ns = time_ns;
    if (time_ns > process->last_ns)
        process->last_ns = time_ns;
    spans->events++;
}

static int on_event(struct uvs__spans *spans, const struct uvs_event *event, struct uvs_error *error)
{
    if (event->type == UVS_EV_LOST)
        return on_lost(spans, &event->lost);
    struct uvs__process *process = process_of(spans, event->loop);
    if (process && event->type == UVS_EV_process_info) {
        int rc = on_process_info(spans, process, event, error);
        if (rc)
            return rc;
        process = process_of(spans, event->loop);
    }
    if (!process)
        return NO_MEMORY;
    if (process->foreign)
        return 0;
    count(spans, process, event->time_ns);
    if (!is_taken(event->type))
        return on_other(spans, process, event);
    struct uvs__loop *loop = NULL;
    if (!is_loops_own(event->type))
        loop = known_loop(spans, process, event->loop);
    else if (uvs_key_slot(event->loop) != UVS_SLOT_NONE && !(loop = loop_of(spans, process, event->loop)))
        return NO_MEMORY;
    return take(spans, process, loop, event);
}

static int explain(int rc, struct uvs_error *error)
{
    return rc == NO_MEMORY ? uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory to analyse the trace") : rc;
}

// As many as are of one key; nothing that is taken here changes whose it is. All that is done with an event
// becomes a part of this: a tenth of it would be to save and restore registers for each.
static __attribute__((flatten)) const struct uvs_event *
take_some(struct uvs__spans *spans, struct uvs__process *process, struct uvs__loop *loop,
          const struct uvs_event *event, const struct uvs_event *end, int *ret_rc)
{
    const struct uvs_event *const first = event;
    const uint32_t key = event->loop;
    uint64_t now_ns = spans->end_ns;
    int rc = 0;
    while (event < end && event->loop == key && is_taken(event->type) && event->time_ns >= now_ns) {
        now_ns = event->time_ns;
        rc = take(spans, process, loop, event++);
        if (__builtin_expect(rc != 0, 0))
            break;
    }
    if (event > first)
        spans->end_ns = process->last_ns = now_ns;
    *ret_rc = rc;
    return event;
}

int uvs__spans_run(struct uvs__spans *spans, const struct uvs_event *events, size_t count, size_t *ret_taken,
                   struct uvs_error *error)
{
    const struct uvs_event *event = events, *const end = events + count;
    int rc = 0;
    if (!spans->room.next)
        uvs__span_room_close(&spans->room);
    while (event < end && rc == 0) {
        const struct uvs__recent *recent = uvs__recent_of(spans, event->loop);
        const struct uvs_event *const first = event;
        if (event->loop != recent->key || !recent->loop)
            break;
        event = take_some(spans, recent->process, recent->loop, event, end, &rc);
        if (event == first)
            break;
    }
    *ret_taken = (size_t)(event - events);
    spans->events += *ret_taken;
    return explain(rc, error);
}

int uvs__spans_event(struct uvs__spans *spans, const struct uvs_event *event, struct uvs_error *error)
{
    size_t taken;
    const int rc = uvs__spans_run(spans, event, 1, &taken, error);
    return rc || taken ? rc : explain(on_event(spans, event, error), error);
}

int uvs__spans_finish(struct uvs__spans *spans)
{
    int rc = 0;
    for (struct uvs__loop *loop = spans->loops; loop && !rc; loop = loop->next)
        if (!loop->ended && !loop->process->foreign)
            rc = uvs__loop_finish(spans, loop, false);
    for (struct uvs__process *process = spans->processes; process && !rc; process = process->next)
        if (!process->foreign)
            rc = uvs__requests_finish(spans, process);
    return rc;
}

static void clear_loops(struct uvs__loop *loop)
{
    while (loop) {
        struct uvs__loop *next = loop->next;
        free(loop->name);
        free(loop->busy.callbacks.items);
        free(loop->busy.sync_calls.items);
        free(loop);
        loop = next;
    }
}

static void clear_processes(struct uvs__process *process)
{
    while (process) {
        struct uvs__process *next = process->next;
        uvs__requests_clear(process);
        free(process->exe);
        free(process->argv);
        free(process->sampled);
        free(process->unhooked);
        free(process);
        process = next;
    }
}

void uvs__spans_clear(struct uvs__spans *spans)
{
    clear_loops(spans->loops);
    clear_processes(spans->processes);
    for (size_t i = 0; i < spans->who_count; i++)
        free(spans->whos[i]);
    free(spans->whos);
    free(spans->lost);
    uvs__map_clear(&spans->process_by_pid);
    uvs__map_clear(&spans->loop_by_key);
    uvs__map_clear(&spans->who_by_key);
    *spans = (struct uvs__spans){0};
}
