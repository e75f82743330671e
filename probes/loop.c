// SPDX-License-Identifier: MIT
// Loops: their slots, and the poll phase, which is a call of epoll on the loop's backend descriptor from
// inside uv_run. No handle of ours is added to the loop.
#include "probes/loop.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "probes/emit.h"
#include "probes/gc.h"
#include "probes/hooks.h"
#include "probes/lean.h"
#include "probes/open_handles.h"
#include "probes/sampler.h"

#include "probes/poison.h"

// Polls of one uv_run with no callback between them and less than this apart are one poll phase.
#define SAME_PHASE_NS 1000000u

struct uvs__loop uvs__loops[UVS_SLOT_NONE];
static const uv_loop_t *default_loops[UVS_COPY_COUNT];

// --- Slots ---

static void **slot_word(const uv_loop_t *loop)
{
    return (void **)&loop->wq_async.u.reserved[1];
}

struct uvs__loop *uvs__loop_of(const uv_loop_t *loop)
{
    if (!loop)
        return NULL;
    uintptr_t offset = (uintptr_t)*slot_word(loop) - (uintptr_t)uvs__loops;
    if (offset >= sizeof(uvs__loops) || offset % sizeof(uvs__loops[0]) != 0)
        return NULL;
    struct uvs__loop *slot = &uvs__loops[offset / sizeof(uvs__loops[0])];
    return slot->loop == loop ? slot : NULL;
}

UVS__APART UVS__HOT uint32_t uvs__key_of(const uv_loop_t *loop)
{
    return uvs__key(uvs__loop_of(loop));
}

void uvs__loop_detach(struct uvs__loop *slot)
{
    if (slot->lean)
        uvs__lean_end(slot);
    // One that never ran has said nothing that would need an end.
    if (slot->tid)
        uvs__emit_loop_end(&(struct uvs_ev_loop_end){.loop = slot->key});
    __atomic_store_n(&slot->loop, NULL, __ATOMIC_RELEASE);
}

// A loop whose memory was given back without uv_loop_close left its slot behind.
static void detach_stale(const uv_loop_t *loop)
{
    for (uint32_t i = 0; i < UVS_SLOT_NONE; i++)
        if (__atomic_load_n(&uvs__loops[i].loop, __ATOMIC_RELAXED) == loop)
            uvs__loop_detach(&uvs__loops[i]);
}

static bool take_slot(struct uvs__loop *slot, uv_loop_t *loop)
{
    uv_loop_t *expected = NULL;
    return !__atomic_load_n(&slot->loop, __ATOMIC_RELAXED) &&
           __atomic_compare_exchange_n(&slot->loop, &expected, loop, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_RELAXED);
}

// All but `loop`, which keeps the slot from being taken by another thread meanwhile.
static void clear_slot(struct uvs__loop *slot, uint32_t index)
{
    const size_t after = offsetof(struct uvs__loop, loop) + sizeof(slot->loop);
    _Static_assert(offsetof(struct uvs__loop, loop) == 0, "the fields to clear come after it");
    struct uvs__lean *lean = slot->lean;
    memset((char *)slot + after, 0, sizeof(*slot) - after);
    slot->lean = lean;
    uvs__lean_forget(slot);
    slot->key = uvs_loop_key(uvs__pid, index);
}

struct uvs__loop *uvs__loop_attach(uv_loop_t *loop, unsigned copy)
{
    uvs__first_loop();
    detach_stale(loop);
    for (uint32_t i = uvs_copy_slot(copy); i < uvs_copy_slot_end(copy); i++) {
        struct uvs__loop *slot = &uvs__loops[i];
        if (!take_slot(slot, loop))
            continue;
        clear_slot(slot, i);
        *slot_word(loop) = slot;
        return slot;
    }
    uvs__emit_dropped(
        &(struct uvs_ev_dropped){.loop = uvs__key(NULL), .reason = UVS_DROPPED_LOOPS_FULL, .count = 1});
    return NULL;
}

bool uvs__is_default_loop(const uv_loop_t *loop)
{
    for (unsigned copy = 0; copy < UVS_COPY_COUNT; copy++)
        if (loop == default_loops[copy])
            return true;
    return false;
}

void uvs__note_default_loop(const uv_loop_t *loop, unsigned copy)
{
    default_loops[copy] = loop;
}

void uvs__loops_after_fork(void)
{
    for (uint32_t i = 0; i < UVS_SLOT_NONE; i++) {
        struct uvs__loop *slot = &uvs__loops[i];
        slot->key = uvs_loop_key(uvs__pid, i);
        slot->announced_ns = 0;
        slot->told = slot->told_nested = false;
        if (slot != uvs__self.loop) // other threads' loops do not run here
            slot->watch.busy_since = 0;
    }
}

// --- Poll phase ---

UVS__APART UVS__HOT void uvs__flush_poll(struct uvs__loop *loop)
{
    const struct uvs__poll *poll = &loop->poll;
    if (loop->lean && uvs__lean_poll(loop)) {
        loop->poll.calls = 0;
        return;
    }
    uvs__emit_poll(&(struct uvs_ev_poll){
        .loop = loop->key,
        .wait_ns = 0 - poll->begin_ns, // until the event: when the phase began is exact, however late that is
        .busy_ns = poll->busy_ns,
        .callbacks = poll->callbacks,
        .timeout_ms = poll->timeout_ms,
        .ready = poll->ready,
        .calls = poll->calls,
    });
    loop->poll.calls = 0;
}

static void set_busy_since(struct uvs__loop *loop, uint64_t since_ns)
{
    // The watchdog reads whose thread it is when it sees this.
    __atomic_store_n(&loop->watch.busy_since, since_ns, __ATOMIC_RELEASE);
}

// Nobody records any more.
static void forget_interval(struct uvs__loop *loop)
{
    set_busy_since(loop, 0);
    loop->busy_begin_ns = 0;
    loop->callbacks = 0;
    loop->poll = (struct uvs__poll){0};
}

UVS__HOT static void begin_poll(struct uvs__loop *loop)
{
    if (!uvs__on(poll)) {
        forget_interval(loop);
        return;
    }
    set_busy_since(loop, 0);
    uint64_t now_ns = uvs__now();
    uint64_t busy_ns = loop->busy_begin_ns ? now_ns - loop->busy_begin_ns : UVS_ABSENT;
    if (loop->poll.calls && loop->callbacks == 0 && busy_ns < SAME_PHASE_NS)
        return;
    if (loop->poll.calls)
        uvs__flush_poll(loop);
    loop->poll = (struct uvs__poll){
        .begin_ns = now_ns, .busy_ns = busy_ns, .callbacks = loop->callbacks, .told = loop->told};
    loop->callbacks = 0;
    loop->told = false;
}

// What only a loop needs that is recorded: when it is entered, or where tracing begins while it runs.
static void come_into_view(struct uvs__loop *loop)
{
    struct uvs__thread *self = &uvs__self;
    if (!self->stack_high)
        uvs__find_own_stack(&self->stack_low, &self->stack_high);
    loop->stack_low = self->stack_low;
    loop->stack_high = self->stack_high;
    uvs__handles_await_exit();
    uvs__watchdog_start();
}

UVS__HOT static void end_poll(struct uvs__loop *loop, int timeout_ms, int ready)
{
    struct uvs__poll *poll = &loop->poll;
    if (!poll->begin_ns)
        return;
    uint64_t now_ns = uvs__now();
    poll->end_ns = now_ns;
    poll->timeout_ms = timeout_ms;
    poll->ready = (uint16_t)(ready < 0 ? 0 : ready > UINT16_MAX ? UINT16_MAX : ready);
    if (poll->calls < UINT8_MAX)
        poll->calls++;
    loop->busy_begin_ns = now_ns;
    set_busy_since(loop, now_ns);
    uvs__watchdog_wake();
    // Interrupted, or a look that found nothing: libuv may poll again at once.
    if (ready >= 0 && (ready > 0 || timeout_ms != 0))
        uvs__flush_poll(loop);
    if (__builtin_expect(!loop->announced_ns, 0) && uvs__on(poll))
        come_into_view(loop);
    uvs__announce_turn(loop, now_ns);
    uvs__lean_turn(loop, now_ns);
}

static void leave_poll(struct uvs__loop *loop, int timeout_ms, int ready)
{
    if (!loop->poll.begin_ns)
        return;
    int saved = errno;
    end_poll(loop, timeout_ms, ready);
    errno = saved;
}

// Whether an epoll call on `fd` is the poll phase of the loop that this thread runs, of which something is to
// be told or forgotten.
static inline bool is_seen_poll(int fd)
{
    struct uvs__thread *self = &uvs__self;
    const struct uvs__loop *loop = self->loop;
    if (!loop || fd != loop->backend_fd)
        return false;
    // A callback that left by longjmp, or whose coroutine sleeps, has not come back: the poll phase is
    // outside of it.
    self->depth = loop->base_depth;
    return uvs__on(poll) || loop->busy_begin_ns | loop->poll.begin_ns | loop->callbacks;
}

UVS__APART UVS__HOT static int see_epoll_wait(int fd, struct epoll_event *events, int max_events,
                                              int timeout_ms)
{
    struct uvs__loop *loop = uvs__self.loop;
    begin_poll(loop);
    int ready = UVS_REAL_LIBC(epoll_wait)(fd, events, max_events, timeout_ms);
    leave_poll(loop, timeout_ms, ready);
    return ready;
}

UVS_WRAP(int, epoll_wait, int fd, struct epoll_event *events, int max_events, int timeout_ms)
{
    if (is_seen_poll(fd))
        return see_epoll_wait(fd, events, max_events, timeout_ms);
    return UVS_REAL_LIBC(epoll_wait)(fd, events, max_events, timeout_ms);
}

UVS__APART UVS__HOT static int see_epoll_pwait(int fd, struct epoll_event *events, int max_events,
                                               int timeout_ms, const sigset_t *mask)
{
    struct uvs__loop *loop = uvs__self.loop;
    begin_poll(loop);
    int ready = UVS_REAL_LIBC(epoll_pwait)(fd, events, max_events, timeout_ms, mask);
    leave_poll(loop, timeout_ms, ready);
    return ready;
}

UVS_WRAP(int, epoll_pwait, int fd, struct epoll_event *events, int max_events, int timeout_ms,
         const sigset_t *mask)
{
    if (is_seen_poll(fd))
        return see_epoll_pwait(fd, events, max_events, timeout_ms, mask);
    return UVS_REAL_LIBC(epoll_pwait)(fd, events, max_events, timeout_ms, mask);
}

// --- uv_run ---

void uvs__run_begin(struct uvs__loop *loop, int backend_fd)
{
    struct uvs__thread *self = &uvs__self;
    loop->tid = uvs__tid(self);
    loop->backend_fd = backend_fd;
    loop->poll = (struct uvs__poll){0};
    uvs__know_thread(self);
    loop->sees_gc = uvs__gc_watch(self);
    if (!uvs__on(poll)) {
        uvs__runs_untraced();
        return;
    }
    come_into_view(loop);
    uint64_t now_ns = uvs__now();
    uvs__announce(loop, now_ns);
    uvs__lean_enter(loop, now_ns);
    loop->busy_begin_ns = now_ns;
    set_busy_since(loop, now_ns);
    uvs__watchdog_wake();
}

// A thread that was cancelled in epoll has not come back from it.
static bool left_in_poll(const struct uvs__loop *loop)
{
    return loop->poll.begin_ns && !loop->watch.busy_since;
}

static void end_busy(struct uvs__loop *loop, uint64_t now_ns)
{
    uint64_t busy_ns = loop->busy_begin_ns ? now_ns - loop->busy_begin_ns : UVS_ABSENT;
    uvs__announce_counts(loop, now_ns);
    if (!loop->lean || !uvs__lean_last_busy(loop, busy_ns))
        uvs__emit_poll(&(struct uvs_ev_poll){
            .loop = loop->key, .wait_ns = 0 - now_ns, .busy_ns = busy_ns, .callbacks = loop->callbacks});
    if (loop->lean)
        uvs__lean_leave(loop, now_ns);
}

void uvs__run_end(struct uvs__loop *loop)
{
    if (left_in_poll(loop))
        end_poll(loop, -1, -1);
    if (loop->poll.calls)
        uvs__flush_poll(loop);
    set_busy_since(loop, 0);
    if (uvs__on(poll))
        end_busy(loop, uvs__now());
    loop->callbacks = 0;
    loop->busy_begin_ns = 0;
}
