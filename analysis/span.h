// SPDX-License-Identifier: MIT
// Typed, closed facts between the events of a trace and the analyses: the builder joins events into spans and
// hands each to a sink as soon as it is settled. It keeps what is in flight, and the processes, loops and
// names it saw.
#ifndef UVS_SPAN_H
#define UVS_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include "error.h"
#include "event.h"
#include "map.h"
#include "pending.h"
#include "report.h"

#define UVS__NOBODY UINT32_MAX
enum { UVS__RECENT_WHO_BITS = 9, UVS__RECENT_KEYS = 1 << 4 };

// A copy of libuv in a process: its loops, its pool. Most processes have one.
struct uvs__process {
    struct uvs__process *next; // in order of appearance
    uint32_t index, pid, copy;
    uint64_t pid_ns, start_ns;  // UVS_ABSENT: no process_info yet
    uint64_t first_ns, last_ns; // of its events
    char *exe, *argv;           // argv joined by 0x1f; NULL when no process_info was seen
    char *unhooked;             // names joined by spaces; likewise
    uint32_t libuv, pool_size;
    int hooks;                  // -1 unknown
    bool foreign;               // of another recording: nothing of it is reported
    bool collision;             // two live processes share this pid
    bool succeeded;             // another program took its pid, by execve or after its end
    bool sees_begins;           // its trace has work_begin events
    bool counted;               // a span of it is in the window that the report is of
    bool touched;               // a span of it touches the window
    bool missed[UINT8_MAX + 1]; // kinds with a missed hand-off
    uint64_t handoff_missed, loops_dropped;
    uint64_t untraced_ns; // how long a loop ran before LTTng traced the process that was recorded
    // Recorded lean: what is shorter comes as totals; 0: everything is told. UVS_ABSENT: that is not known,
    // or not from where on, and nothing is taken for told.
    uint64_t lean_ns;
    bool is_lean;         // it has said so, or told totals
    uint64_t totals_lost; // of them
    // Pool requests in flight: unfinished ones in the order of submission, those that hold a worker for very
    // long apart; finished or cancelled ones that wait for their callback.
    struct uvs__pending requests;
    struct uvs__link held, unfinished, undelivered;
    size_t undelivered_count;
    uint64_t worked; // requests that workers finished
    // Of the thread whose `stall` comes next; tid 0: none.
    struct {
        uint32_t tid;
        uint16_t call;
    } waiting;
    // Workers that the watchdog looked at, and when it did last; of more than a pool can have the latest.
    struct uvs__sampled_worker {
        uint64_t time_ns;
        uint32_t tid;
    } * sampled;
    size_t sampled_count, sampled_capacity, sampled_next;
};

struct uvs__part {
    uint32_t who;
    uint64_t ns;
};

struct uvs__parts {
    struct uvs__part *items;
    size_t count, capacity;
};

// What garbage collections took of a busy interval, and the longest of them.
struct uvs__collected {
    uint64_t ns, longest_ns;
    uint8_t longest_kind;
};

// What filled a busy interval.
struct uvs__busy_times {
    uint64_t outermost_ns, longest_ns, sync_ns; // of callbacks, of synchronous calls
    struct uvs__collected gc; // of those that were received; ns UVS_ABSENT: they are not seen
    struct uvs__part running; // of one that was not over, the callback; who NOBODY if not known
};

enum { UVS__MAX_DEPTH = UINT8_MAX };

struct uvs__loop {
    struct uvs__loop *next; // in order of appearance
    struct uvs__process *process;
    uint32_t index, key, slot, tid; // tid 0: no loop_info yet
    char *name;
    uint64_t try_writes;
    bool counted;       // a span of it is in the window that the report is of
    bool touched;       // a span of it touches the window
    bool sees_gc;       // its trace would say if garbage was collected
    uint64_t unseen_ns; // how long descriptors may have been ready before the last poll returned; UVS_ABSENT
                        // unknown
    bool is_default, ended, left; // left: uv_run returned and was not entered again
    // The poll phase that ended last, until the next busy interval tells its exact end.
    struct {
        uint64_t begin_ns, end_ns;
        bool open, spinning, continued;
    } poll;
    uint64_t boundary_ns; // no span begins earlier: the end of the last busy interval
    // The busy interval under way.
    struct {
        struct uvs__parts callbacks, sync_calls; // by self time; by duration
        struct uvs__busy_times times;
        uint64_t outermost;  // callbacks
        uint64_t settled_ns; // end of the last outermost callback
        uint64_t nested_ns;  // self time since then, of callbacks whose outermost one still runs
        bool broken;         // a nested callback without the one around it
    } busy;
    // Lean: when the totals until then were told, whether no more follow, the number of the next.
    uint64_t told_ns, seen_ns; // seen: its first event
    uint32_t totals_next;
    bool told_all;
    uint64_t nested_ns[UVS__MAX_DEPTH + 2]; // durations by depth since the callback around them began
    unsigned deepest;
    // What the watchdog said last about the busy interval under way; time_ns 0: nothing.
    struct {
        uint64_t time_ns, begin_ns, op, callback;
        uint8_t kind;
    } stall;
};

// Who: a callback, a caller of a synchronous call or a kind of request, by address. Spans name it by index.
// Frames of stacks are of a process, and their kind is an enum uvs__frame.
enum uvs__role { UVS__CALLBACK, UVS__SYNC_CALL, UVS__REQUEST, UVS__FRAME };
enum uvs__frame { UVS__FRAME_PLACE, UVS__FRAME_RETURN };

struct uvs__who {
    struct uvs__process *process;
    struct uvs__loop *loop; // NULL: not on a loop; requests belong to the process
    enum uvs__role role;
    uint8_t kind;
    uint64_t address; // 0 unknown
    uint32_t index;
};

enum uvs__span_type {
    UVS__SPAN_CALLBACK,
    UVS__SPAN_BUSY,
    UVS__SPAN_POLL,
    UVS__SPAN_OUTSIDE,
    UVS__SPAN_SYNC_CALL,
    UVS__SPAN_SCHEDULE,
    UVS__SPAN_STALL,
    UVS__SPAN_GC,
    UVS__SPAN_TOTALS,
    UVS__SPAN_OPEN_HANDLES,
    UVS__SPAN_HELD, // from here on: of the pool
    UVS__SPAN_WORK,
    UVS__SPAN_DELIVERY,
    UVS__SPAN_UNFINISHED,
    UVS__SPAN_COUNT
} __attribute__((packed));

// Borrowed by the sink until it returns, with what it points at: span_queue.c copies that, by type. begin_ns
// UVS_ABSENT: unknown. It is small since others read it on another processor.
struct uvs__span {
    enum uvs__span_type type;
    bool counts;  // it is in the window that the report is of
    uint32_t who; // index, or UVS__NOBODY
    uint64_t begin_ns, end_ns;
    const struct uvs__process *process;
    const struct uvs__loop *loop;
    uint64_t op; // of callbacks, schedules and requests; 0 unknown
    union {
        struct {
            uint64_t delay_ns, latency_ns; // UVS_ABSENT: unknown, cancelled, or not of this kind
            uint64_t delay_most_ns;        // of descriptors: the delay's upper bound; likewise
            int32_t result;                // as in the event
            bool cancelled;
        } callback;
        // An operation was asked for at begin_ns = end_ns.
        struct {
            uint64_t parent; // the op of the callback that asked; 0 none
        } schedule;
        struct {
            bool complete; // every callback of it was received: composition and self times are known
            bool sparse;   // recorded lean: what was short of it comes in totals, and is not here
            bool open;
            const struct uvs__parts *callbacks, *sync_calls;
            const struct uvs__busy_times *times;
        } busy;
        // The watchdog found the loop busy since begin_ns, at end_ns; without a loop, a worker with the
        // request.
        struct {
            uint64_t since_ns; // when the sample before it in the same interval was, or the interval began
            uint64_t cpu_ns;   // of its thread since the interval began; UVS_ABSENT unknown
            const uint32_t *frames; // whos, innermost first
            uint32_t frame_count;
            int call; // the system call that the thread waited in; -1 none, or not known
        } stall;
        struct {
            uint8_t kind; // enum uvs_gc, or one that this version does not know
        } gc;
        struct {
            bool spinning;  // it might not wait: its time counts as busy
            bool continued; // a further wait of the same poll phase
        } poll;
        // What was counted of one measure in [begin, end), by a loop that is recorded lean. who: whose, by
        // the measure.
        const struct uvs_ev_totals *totals;
        // Handles of the loop were open at begin_ns = end_ns. who: a frame, their callback.
        const struct uvs_ev_handles_open *open_handles;
        // HELD has no more to say: a request that was submitted at begin_ns runs for so long that its end is
        // not waited for to settle what others did. WORK: a worker finished it, [begin, end) is its service.
        struct {
            bool held;    // it was HELD before
            uint32_t tid; // of the worker
            uint64_t queue_ns;
            uint64_t asked_ns;   // when its schedule was told: by the thread that submitted it, so in order
            uint64_t horizon_ns; // no request that is still unfinished was submitted before
        } work;
        // Its callback ran, or it was cancelled. end_ns: when.
        struct {
            uint64_t return_ns; // UVS_ABSENT unknown
            uint64_t asked_ns;  // when its schedule was told; UVS_ABSENT unknown
            bool cancelled, worked;
            bool by_kernel; // io_uring did it, not the pool
            bool held;      // it was HELD before, and no worker was seen to finish it
        } delivery;
        // [submit, end of the trace)
        struct {
            bool stuck;   // false: what became of it was lost
            bool started; // a worker had taken it
            bool held;
            bool by_kernel; // io_uring has it, not the pool
        } unfinished;
    };
};

_Static_assert(sizeof(struct uvs__span) <= 80, "what is stored for each span is what others have to load");

typedef int uvs__span_sink(void *data, const struct uvs__span *span);

// Where the sink wants the next span. It need not be asked for those before `last` that borrow nothing: they
// are where it looks for them later.
struct uvs__span_room {
    struct uvs__span *next, *last;
    struct uvs__span anywhere; // both, where it has no place for it
};

static inline void uvs__span_room_close(struct uvs__span_room *room)
{
    room->next = room->last = &room->anywhere;
}

// What tells who, in short.
struct uvs__recent_who {
    uint64_t address;
    const void *owner;   // the loop, or the process; NULL: the place is free
    uint32_t tag, index; // tag: role and kind
};

// Whose events have a key.
struct uvs__recent {
    uint32_t key;
    struct uvs__process *process; // not foreign
    struct uvs__loop *loop;       // of the process, not ended; NULL: the place is free
};

struct uvs__spans {
    uvs__span_sink *sink;
    // Called before anything changes here that who is given spans looks up while it takes them: the names'
    // table, what was lost, when the trace began, a process's pool and detail. NULL: spans are taken when the
    // sink returns.
    void (*quiet)(void *sink_data);
    void *sink_data;
    struct uvs__span_room room; // zeroed: closed
    const char *recording;      // only processes that carry this id are reported; NULL: all
    bool has_no_others;         // the trace has no others, even where one does not say who it is
    struct uvs__process *processes, *last_process;
    struct uvs__loop *loops, *last_loop;
    struct uvs__map process_by_pid, loop_by_key, who_by_key;
    // Those that were asked for last, at places that their keys and addresses give.
    struct uvs__recent recents[UVS__RECENT_KEYS];
    struct uvs__recent_who recent_whos[1 << UVS__RECENT_WHO_BITS];
    struct uvs__who **whos;
    size_t who_count, who_capacity;
    struct uvs_interval *lost; // disjoint, in order
    size_t lost_count, lost_capacity;
    uint64_t lost_events, lost_packets;
    uint64_t uncounted_ns; // until then something may be missing that nobody counted; 0: nothing
    uint64_t lost_now;     // events, as the counters say: they may fall again
    uint64_t begin_ns, end_ns, events;
    bool has_begin;       // begin_ns was set although no event was given yet
    uint64_t main_end_ns; // when the recording's program ended, UVS_ABSENT unknown
    uint32_t main_pid;
};

// 0, -UVS_E_ENVIRONMENT without memory, or -UVS_E_TRACE for a trace that is too new.
int uvs__spans_event(struct uvs__spans *spans, const struct uvs_event *event, struct uvs_error *error);
// The same for as many events as come before one that may change who processes and loops are, or what was
// lost, so that their taker need not look at each. *ret_taken: how many, of `count`.
int uvs__spans_run(struct uvs__spans *spans, const struct uvs_event *events, size_t count, size_t *ret_taken,
                   struct uvs_error *error);
// The trace is over: settles what is open.
int uvs__spans_finish(struct uvs__spans *spans);
void uvs__spans_clear(struct uvs__spans *spans);

// Whether a process that has not said whose it is, since that was lost or comes later, is one to report: a
// session daemon of the whole system brings events of others too.
bool uvs__is_ours(const struct uvs__spans *spans, uint32_t pid);
// Whether one that says so, by a process_info, is.
bool uvs__says_ours(const struct uvs__spans *spans, const struct uvs_event *event);
int uvs__hist_add_totals(struct uvs_hist *hist, const struct uvs_ev_totals *totals);
// How long before its process's end the last totals of a loop were told; 0: nothing is missing.
uint64_t uvs__loop_untold_ns(const struct uvs__spans *spans, const struct uvs__loop *loop);
// Until when a process is known to have lived.
uint64_t uvs__process_end(const struct uvs__spans *spans, const struct uvs__process *process);

// --- Between the builder's files ---

enum { UVS__CANCELLED = -125 }; // UV_ECANCELED

// Kept out of what is done with every event, into which all else is inlined.
#define UVS__SELDOM __attribute__((cold, noinline))

int uvs__find_who(struct uvs__spans *spans, struct uvs__process *process, struct uvs__loop *loop,
                  enum uvs__role role, uint8_t kind, uint64_t address, uint32_t *ret_index);

static inline uint32_t uvs__who_tag(enum uvs__role role, uint8_t kind)
{
    return (uint32_t)role << 8 | kind;
}

static inline struct uvs__recent_who *uvs__recent_who(struct uvs__spans *spans, uint32_t tag,
                                                      uint64_t address)
{
    const uint64_t hash = (address ^ (uint64_t)tag << 48) * 0x9e3779b97f4a7c15ull;
    return &spans->recent_whos[hash >> (64 - UVS__RECENT_WHO_BITS)];
}

// The number of whom a span names. 0, or -UVS_E_ENVIRONMENT without memory.
static inline int uvs__who_of(struct uvs__spans *spans, struct uvs__process *process, struct uvs__loop *loop,
                              enum uvs__role role, uint8_t kind, uint64_t address, uint32_t *ret_index)
{
    const uint32_t tag = uvs__who_tag(role, kind);
    const struct uvs__recent_who *who = uvs__recent_who(spans, tag, address);
    if (who->address != address || who->tag != tag || who->owner != (loop ? (void *)loop : process))
        return uvs__find_who(spans, process, loop, role, kind, address, ret_index);
    *ret_index = who->index;
    return 0;
}

static inline struct uvs__recent *uvs__recent_of(struct uvs__spans *spans, uint32_t key)
{
    return &spans->recents[(key ^ key >> UVS_SLOT_BITS) % UVS__RECENT_KEYS];
}

// What their keys stand for may have changed.
static inline void uvs__forget_recents(struct uvs__spans *spans)
{
    memset(spans->recents, 0, sizeof(spans->recents));
}

bool uvs__lost_something_between(const struct uvs__spans *spans, uint64_t begin_ns, uint64_t end_ns);

static inline bool uvs__lost_between(const struct uvs__spans *spans, uint64_t begin_ns, uint64_t end_ns)
{
    return spans->lost_count > 0 && uvs__lost_something_between(spans, begin_ns, end_ns);
}

// The next span, where it is wanted: its type's own fields are to be set, all of them, before it is emitted,
// and no other span is begun before.
static inline struct uvs__span *uvs__begin_span(struct uvs__spans *spans, enum uvs__span_type type,
                                                const struct uvs__process *process,
                                                const struct uvs__loop *loop)
{
    struct uvs__span *span = spans->room.next;
    span->type = type;
    span->counts = true;
    span->process = process;
    span->loop = loop;
    span->who = UVS__NOBODY;
    span->op = 0;
    return span;
}

// Any span, also one that borrows something.
static inline int uvs__emit_borrower(struct uvs__spans *spans, const struct uvs__span *span)
{
    return spans->sink(spans->sink_data, span);
}

// One that borrows nothing, and since whose begin nothing else was begun and the builder was not quiet.
static inline int uvs__emit(struct uvs__spans *spans, struct uvs__span *span)
{
    if (span == spans->room.last)
        return spans->sink(spans->sink_data, span);
    spans->room.next = span + 1;
    return 0;
}

static inline void uvs__spans_quiet(const struct uvs__spans *spans)
{
    if (spans->quiet)
        spans->quiet(spans->sink_data);
}

// intervals.c: a loop's busy intervals, poll phases and callbacks.
void uvs__loop_begin_interval(struct uvs__loop *loop);
int uvs__loop_callback(struct uvs__spans *spans, struct uvs__loop *loop, const struct uvs_event *event,
                       enum uvs_kind_class class, uint64_t latency_ns);
int uvs__loop_poll(struct uvs__spans *spans, struct uvs__loop *loop, const struct uvs_event *event);
int uvs__loop_sync_call(struct uvs__spans *spans, struct uvs__process *process, struct uvs__loop *loop,
                        const struct uvs_event *event);
int uvs__loop_gc(struct uvs__spans *spans, struct uvs__process *process, struct uvs__loop *loop,
                 const struct uvs_event *event);
int uvs__loop_stall(struct uvs__spans *spans, struct uvs__loop *loop, const struct uvs_event *event);
// Of a worker.
int uvs__work_stall(struct uvs__spans *spans, struct uvs__process *process, const struct uvs_event *event);
// The loop is over (ended) or the trace is.
int uvs__loop_finish(struct uvs__spans *spans, struct uvs__loop *loop, bool ended);

// totals.c: what is recorded lean.
int uvs__loop_totals(struct uvs__spans *spans, struct uvs__loop *loop, const struct uvs_event *event);
void uvs__loop_lean(const struct uvs__spans *spans, struct uvs__loop *loop, const struct uvs_event *event);
void uvs__process_lean(const struct uvs__spans *spans, struct uvs__process *process, uint64_t threshold_ns);

// requests.c: the pool's requests. 0, or -UVS_E_ENVIRONMENT without memory.
int uvs__requests_create(struct uvs__process *process);
int uvs__request_scheduled(struct uvs__spans *spans, struct uvs__process *process,
                           const struct uvs_event *event);
// Whom a request that is with the pool belongs to; UVS__NOBODY: not known.
uint32_t uvs__request_who(const struct uvs__process *process, uint64_t op);
// Whether it is with the pool, or has not come back from it yet.
bool uvs__request_is_known(const struct uvs__process *process, uint64_t op);
void uvs__request_begun(struct uvs__process *process, uint64_t op);
int uvs__request_worked(struct uvs__spans *spans, struct uvs__process *process,
                        const struct uvs_event *event);
void uvs__request_cancelled(struct uvs__process *process, uint64_t op);
// Closes the request of a callback; *ret_latency_ns: submission to callback, UVS_ABSENT unknown.
int uvs__request_delivered(struct uvs__spans *spans, struct uvs__process *process,
                           const struct uvs_event *event, uint64_t *ret_latency_ns);
int uvs__requests_finish(struct uvs__spans *spans, struct uvs__process *process);
void uvs__requests_clear(struct uvs__process *process);

#endif
