// SPDX-License-Identifier: MIT
// Handles: timer, idle / prepare / check, async, close.
//
// Patch after the call: the real function gets the user's own callback; only if libuv took it does the
// trampoline go into the public field and the original into a reserved word. No-op starts, errors and NULL
// callbacks need no special case.
#include <stddef.h>

#include "probes/watch.h"

#include "probes/poison.h"

// --- Timer ---

static uint64_t libuvs_due_ns(const uv_timer_t *timer)
{
    return timer->timeout > UINT64_MAX / 1000000 ? 0 : timer->timeout * 1000000;
}

UVS__HOT static void timer_trampoline(uv_timer_t *timer)
{
    uv_timer_cb callback = (uv_timer_cb)uvs__handle_words(timer)[UVS_WORD_CALLBACK];
    uint64_t due_ns = uvs__get(uvs__handle_words(timer), UVS_WORD_DUE);
    // A repeating timer is armed again by now, by libuv itself: that is its next due time.
    uvs__set(uvs__handle_words(timer), UVS_WORD_DUE,
             timer->repeat && UVS_REAL(uv_is_active)((uv_handle_t *)timer) ? libuvs_due_ns(timer) : 0);
    UVS_AROUND(UVS_KIND_TIMER, uvs__get(uvs__handle_words(timer), UVS_WORD_OP), callback, due_ns, 0,
               callback(timer));
}

// libuv arms a repeating timer again just before it calls the trampoline: inside uv_run, but inside no
// callback. The trampoline has yet to read the word.
static bool armed_by_libuv(void)
{
    const struct uvs__thread *self = &uvs__self;
    return self->loop && self->depth == self->loop->base_depth;
}

// The program armed the timer: its op and due time. A timer armed with libuv's stale clock is due now, not in
// the past.
UVS__HOT static void arm_timer(uv_timer_t *timer, uint64_t timeout)
{
    void **words = uvs__handle_words(timer);
    uvs__set(words, UVS_WORD_OP,
             uvs__schedule(timer->loop, UVS_KIND_TIMER, words[UVS_WORD_CALLBACK], timeout));
    uint64_t now_ns = uvs__on(callback) ? uvs__event_ns() : 0, due_ns = libuvs_due_ns(timer);
    uvs__set(words, UVS_WORD_DUE, now_ns && due_ns < now_ns ? now_ns : now_ns ? due_ns : 0);
}

UVS_WRAP(int, uv_timer_start, uv_timer_t *timer, uv_timer_cb callback, uint64_t timeout, uint64_t repeat)
{
    int result = UVS_REAL(uv_timer_start)(timer, callback, timeout, repeat);
    if (result != 0 || timer->timer_cb != callback || uvs__leaves_alone(timer) ||
        uvs__is_libuvs_own((void *)callback))
        return result;
    if (callback != timer_trampoline) {
        uvs__handle_words(timer)[UVS_WORD_CALLBACK] = (void *)callback;
        timer->timer_cb = timer_trampoline;
        arm_timer(timer, timeout);
    } else if (!armed_by_libuv()) { // uv_timer_again passes what it finds in the handle
        arm_timer(timer, timeout);
    }
    return result;
}

// It may or may not come by uv_timer_start inside libuv.
UVS_WRAP(int, uv_timer_again, uv_timer_t *timer)
{
    if (armed_by_libuv()) // after each run of a timer
        return UVS_REAL(uv_timer_again)(timer);
    uint64_t op = uvs__get(uvs__handle_words(timer), UVS_WORD_OP);
    int result = UVS_REAL(uv_timer_again)(timer);
    if (result == 0 && timer->timer_cb == timer_trampoline &&
        op == uvs__get(uvs__handle_words(timer), UVS_WORD_OP) && UVS_REAL(uv_is_active)((uv_handle_t *)timer))
        arm_timer(timer, timer->repeat);
    return result;
}

// --- Idle, prepare, check ---

#define X(name, KIND)                                                                \
    UVS__HOT static void name##_trampoline(uv_##name##_t *handle)                    \
    {                                                                                \
        UVS_RUN_HANDLE(handle, uv_##name##_cb, KIND, 0, 0, handle);                  \
    }                                                                                \
    UVS_WRAP(int, uv_##name##_start, uv_##name##_t *handle, uv_##name##_cb callback) \
    {                                                                                \
        int result = UVS_REAL(uv_##name##_start)(handle, callback);                  \
        if (result == 0)                                                             \
            UVS_WATCH(handle, name##_cb, callback, name##_trampoline, KIND);         \
        return result;                                                               \
    }
X(idle, UVS_KIND_IDLE)
X(prepare, UVS_KIND_PREPARE)
X(check, UVS_KIND_CHECK)
#undef X

// --- Async ---
// The sends word: {first send since the last run, 48 bits of 16 ns | sends, 16 bits, saturating}; 0 = none
// known. It is changed by any thread, and by signal handlers.

enum { SENDS_BITS = 16, SENDS_MAX = 0xffff, SEND_UNIT_SHIFT = 4 };

static uint64_t first_send_ns(uint64_t sends, uint64_t now_ns)
{
    const uint64_t mask = UINT64_MAX >> SENDS_BITS;
    uint64_t ago = ((now_ns >> SEND_UNIT_SHIFT) - (sends >> SENDS_BITS)) & mask; // wraps with the 48 bits
    // A send that took its time before a swap lost to the trampoline's can lie in the future.
    return ago > mask / 2 ? now_ns : now_ns - (ago << SEND_UNIT_SHIFT);
}

// Those that this run is the answer to were counted before libuv was told of them: they are seen.
static uint64_t take_sends(uv_async_t *async)
{
    void **sends = &uvs__handle_words(async)[UVS_WORD_SENDS];
    if (!__atomic_load_n(sends, __ATOMIC_RELAXED))
        return 0;
    return (uintptr_t)__atomic_exchange_n(sends, NULL, __ATOMIC_ACQ_REL);
}

UVS__HOT static void async_trampoline(uv_async_t *async)
{
    uv_async_cb callback = (uv_async_cb)uvs__handle_words(async)[UVS_WORD_CALLBACK];
    const uint64_t op = uvs__get(uvs__handle_words(async), UVS_WORD_OP), sends = take_sends(async);
    if (!uvs__on(callback)) {
        const struct uvs__outer outer = uvs__step_in(op);
        callback(async);
        uvs__step_out(outer);
        return;
    }
    struct uvs__call call;
    uvs__enter(&call, UVS_KIND_ASYNC, op, (void *)callback, 0);
    if (sends) // the clock is read once for both
        call.since_ns = first_send_ns(sends, call.begin_ns);
    callback(async);
    uvs__leave(&call, (int64_t)(sends & SENDS_MAX), NULL);
}

UVS_WRAP(int, uv_async_init, uv_loop_t *loop, uv_async_t *async, uv_async_cb callback)
{
    int result = UVS_REAL(uv_async_init)(loop, async, callback);
    // The pool's own async, whose callback is libuv's, is not marked as internal yet.
    if (result != 0 || !callback || async->async_cb != callback || async == &loop->wq_async ||
        uvs__leaves_handles || uvs__is_libuvs_own((void *)callback))
        return result;
    uvs__handle_words(async)[UVS_WORD_CALLBACK] = (void *)callback;
    uvs__set(uvs__handle_words(async), UVS_WORD_OP, uvs__schedule(loop, UVS_KIND_ASYNC, (void *)callback, 0));
    uvs__set(uvs__handle_words(async), UVS_WORD_SENDS, 0);
    async->async_cb = async_trampoline;
    return result;
}

// Before the real call, which may be the last touch before the loop's thread frees the handle. Emits nothing:
// this may be a signal handler, or a thread that LTTng has not seen.
static void count_send(uv_async_t *async)
{
    void **sends = &uvs__handle_words(async)[UVS_WORD_SENDS];
    void *seen = __atomic_load_n(sends, __ATOMIC_RELAXED);
    uint64_t first = seen ? 0 : uvs__now() >> SEND_UNIT_SHIFT << SENDS_BITS;
    uint64_t next;
    do {
        uint64_t value = (uintptr_t)seen;
        if ((value & SENDS_MAX) == SENDS_MAX)
            return;
        if (!value && !first)
            first = uvs__now() >> SEND_UNIT_SHIFT << SENDS_BITS;
        next = (value ? value : first) + 1;
    } while (!__atomic_compare_exchange_n(sends, &seen, (void *)(uintptr_t)next, true, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
}

UVS_WRAP(int, uv_async_send, uv_async_t *async)
{
    if (uvs__on(callback) && async->async_cb == async_trampoline)
        count_send(async);
    return UVS_REAL(uv_async_send)(async);
}

// --- Close ---

struct close_words {
    int callback, time; // time 0 is a word; -1: no room for it
};

static struct close_words close_words(uv_handle_type type)
{
    switch (type) {
    case UV_TIMER:
        return (struct close_words){.callback = 1, .time = 3};
    case UV_ASYNC:
        return (struct close_words){.callback = 1, .time = -1};
    case UV_PROCESS:
        return (struct close_words){.callback = 1, .time = 0};
    default:
        return (struct close_words){.callback = 3, .time = 0};
    }
}

static void close_trampoline(uv_handle_t *handle)
{
    const struct close_words words = close_words(handle->type);
    uv_close_cb callback = (uv_close_cb)uvs__handle_words(handle)[words.callback];
    UVS_AROUND(UVS_KIND_CLOSE, uvs__get(uvs__handle_words(handle), UVS_WORD_OP), callback,
               words.time < 0 ? 0 : uvs__get(uvs__handle_words(handle), words.time), 0, callback(handle));
}

UVS_WRAP(void, uv_close, uv_handle_t *handle, uv_close_cb callback)
{
    UVS_REAL(uv_close)(handle, callback);
    if (!callback || handle->close_cb != callback || uvs__leaves_alone(handle) ||
        uvs__is_libuvs_own((void *)callback))
        return;
    const struct close_words words = close_words(handle->type);
    uvs__handle_words(handle)[words.callback] = (void *)callback;
    uvs__set(uvs__handle_words(handle), UVS_WORD_OP,
             uvs__schedule(handle->loop, UVS_KIND_CLOSE, (void *)callback, 0));
    if (words.time >= 0)
        uvs__set(uvs__handle_words(handle), words.time, uvs__on(callback) ? uvs__now() : 0);
    handle->close_cb = close_trampoline;
}
