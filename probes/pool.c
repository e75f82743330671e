// SPDX-License-Identifier: MIT
// The thread pool: uv_queue_work, the hand-off of libuv's own pool requests, uv_cancel.
//
// Words of a request's `reserved` (libuv on Unix uses none of them):
//   uv_queue_work   0 work_cb  1 after_work_cb  2 op  3 submit  4 begin  5 end
//   others          0 work     1 done           2 op  3 submit  4 begin  5 end
// A time of 0 is unknown: tracing was off at that moment.
#include "probes/pool.h"

#include <stddef.h>

#include "probes/call.h"
#include "probes/environment.h"
#include "probes/hooks.h"
#include "probes/lean.h"
#include "probes/sync.h"
#include "probes/words.h"
#include "probes/worker.h"

#include "probes/poison.h"

enum { WORD_WORK, WORD_DONE, WORD_OP, WORD_SUBMIT, WORD_BEGIN, WORD_END };

// What words 0 and 1 hold, whatever the request is that they are called with.
typedef void work_function(void *request);
typedef void done_function(void *request, int status);

static inline void set_unseen(void **words, uint64_t op)
{
    uvs__set(words, WORD_OP, op);
    uvs__set(words, WORD_SUBMIT, 0);
    uvs__set(words, WORD_BEGIN, 0);
    uvs__set(words, WORD_END, 0);
}

static inline void submit(void **words, const uv_loop_t *loop, uint8_t kind, void *asked)
{
    const uint64_t op = uvs__next_op(&uvs__self);
    set_unseen(words, op);
    uvs__ask(loop, op, kind, asked, 0);
    if (uvs__on(work))
        uvs__set(words, WORD_SUBMIT, uvs__event_ns());
}

// --- On the worker ---

// Lean recording does not tell what is asked for: only the `work` that is told needs its name.
static void tell_submission(uint32_t loop, uint8_t kind, void **words, void *asked)
{
    uvs__announce_first();
    uvs__emit_schedule(&(struct uvs_ev_schedule){
        .loop = loop, .op = uvs__get(words, WORD_OP), .kind = kind, .callback = (uintptr_t)asked});
}

static inline __attribute__((always_inline)) void tell_work(uint32_t loop, uint8_t kind, void **words)
{
    const uint64_t begin_ns = uvs__get(words, WORD_BEGIN);
    uvs__emit_work(&(struct uvs_ev_work){
        .loop = loop,
        .op = uvs__get(words, WORD_OP),
        .kind = kind,
        .tid = uvs__tid(&uvs__self),
        .queue_ns = begin_ns - uvs__get(words, WORD_SUBMIT),
        .service_ns = -begin_ns, // until the event
    });
    uvs__set(words, WORD_END, uvs__event_ns());
}

UVS__APART static void count_or_tell_work(const uv_loop_t *loop, uint8_t kind, void **words, void *asked)
{
    const uint64_t begin_ns = uvs__get(words, WORD_BEGIN), end_ns = uvs__now();
    uvs__set(words, WORD_END, end_ns);
    // Without a callback nobody comes by who could count it.
    if (words[WORD_DONE] && uvs__lean_work(begin_ns - uvs__get(words, WORD_SUBMIT), end_ns - begin_ns))
        return;
    const uint32_t key = uvs__key_of(loop);
    tell_submission(key, kind, words, asked);
    tell_work(key, kind, words);
}

// On the worker. asked: what the request is named by.
UVS__APART UVS__HOT static void see_work(void *argument, const uv_loop_t *loop, uint8_t kind, void **words,
                                         void *asked)
{
    struct uvs__thread *self = &uvs__self;
    self->worker = true;
    uvs__know_thread(self);
    if (uvs__on(work_begin))
        uvs__emit_work_begin(
            &(struct uvs_ev_work_begin){.loop = uvs__key_of(loop), .op = uvs__get(words, WORD_OP)});
    uvs__set(words, WORD_BEGIN, uvs__get(words, WORD_SUBMIT) && uvs__on(work) ? uvs__now() : 0);
    if (uvs__environment.UVSCOPE_STALL_WORK_MS)
        uvs__worker_begin(uvs__get(words, WORD_OP), kind, asked);
    ((work_function *)words[WORD_WORK])(argument);
    if (uvs__environment.UVSCOPE_STALL_WORK_MS)
        uvs__worker_end();
    if (!words[WORD_BEGIN])
        return;
    if (uvs__lean_on())
        count_or_tell_work(loop, kind, words, asked);
    else
        tell_work(uvs__key_of(loop), kind, words);
}

// Whether there is nothing to do but the work, once the pool's thread is known.
static inline bool is_work_unseen(void)
{
    return uvs__self.known_to_lttng && !uvs__on(work) && !uvs__on(work_begin) &&
           !uvs__environment.UVSCOPE_STALL_WORK_MS;
}

// On the loop's thread. The callback is what is delivered to, and may free the request.
UVS__APART UVS__HOT static void see_done(void *argument, int status, int64_t result, uint8_t kind,
                                         void **words, void *asked)
{
    done_function *done = (done_function *)words[WORD_DONE];
    const struct uvs__triple triple = {uvs__get(words, WORD_SUBMIT), uvs__get(words, WORD_BEGIN),
                                       uvs__get(words, WORD_END), asked};
    struct uvs__call call;
    uvs__enter(&call, kind, uvs__get(words, WORD_OP), kind == UVS_KIND_WORK ? (void *)done : asked,
               triple.end_ns);
    done(argument, status);
    uvs__leave(&call, result, &triple);
}

static inline void pass_done(void *argument, int status, void **words)
{
    const struct uvs__outer outer = uvs__step_in(uvs__get(words, WORD_OP));
    ((done_function *)words[WORD_DONE])(argument, status);
    uvs__step_out(outer);
}

// --- uv_queue_work ---

UVS__HOT static void work_trampoline(uv_work_t *request)
{
    void **words = request->reserved;
    if (is_work_unseen())
        ((work_function *)words[WORD_WORK])(request);
    else
        see_work(request, request->loop, UVS_KIND_WORK, words, words[WORD_WORK]);
}

UVS__HOT static void after_work_trampoline(uv_work_t *request, int status)
{
    void **words = request->reserved;
    if (uvs__on(callback))
        see_done(request, status, status, UVS_KIND_WORK, words, words[WORD_WORK]);
    else
        pass_done(request, status, words);
}

// By the time that a request is handed to the pool all threads of it have started.
static inline void tell_pool(struct uvs__thread *self)
{
    if (__builtin_expect(self->pool_threads == 0, 1))
        return;
    uvs__pool_started(&uvs__copies[UVS_COPY], self->pool_threads);
    self->pool_threads = 0;
}

static inline void end_submission(struct uvs__thread *self)
{
    self->submitting_work = NULL;
    tell_pool(self);
}

UVS_WRAP(int, uv_queue_work, uv_loop_t *loop, uv_work_t *request, uv_work_cb work, uv_after_work_cb after)
{
    if (!work) // refused by libuv, and nothing of the request may be touched
        return UVS_REAL(uv_queue_work)(loop, request, work, after);
    request->reserved[WORD_WORK] = (void *)work;
    request->reserved[WORD_DONE] = (void *)after;
    submit(request->reserved, loop, UVS_KIND_WORK, (void *)work);
    // The pool may be started in this call: its own waits are not the program's.
    uvs__self.submitting_work = &request->work_req;
    int result = UVS_REAL(uv_queue_work)(loop, request, work_trampoline,
                                         after ? after_work_trampoline : NULL);
    end_submission(&uvs__self);
    return result;
}

// --- Requests that libuv submits ---

// X(TYPE, struct, fields of the callback, result): how a trampoline finds the request around its work_req.
#define POOL_REQUEST_MAP(X)                                                                           \
    X(FS, uv_fs_t, request->cb, request->result, UVS_KIND_FS + request->fs_type)                      \
    X(GETADDRINFO, uv_getaddrinfo_t, request->cb, request->retcode, UVS_KIND_GETADDRINFO)             \
    X(GETNAMEINFO, uv_getnameinfo_t, request->getnameinfo_cb, request->retcode, UVS_KIND_GETNAMEINFO) \
    X(RANDOM, uv_random_t, request->cb, request->status, UVS_KIND_RANDOM)

#define X(TYPE, type, asked, outcome, kind_of)                                                \
    UVS__HOT static void TYPE##_work(struct uv__work *work)                                   \
    {                                                                                         \
        type *request = (type *)((char *)work - offsetof(type, work_req));                    \
        if (is_work_unseen())                                                                 \
            ((work_function *)request->reserved[WORD_WORK])(work);                            \
        else                                                                                  \
            see_work(work, work->loop, (uint8_t)(kind_of), request->reserved, (void *)asked); \
    }                                                                                         \
    UVS__HOT static void TYPE##_done(struct uv__work *work, int status)                       \
    {                                                                                         \
        type *request = (type *)((char *)work - offsetof(type, work_req));                    \
        if (uvs__on(callback))                                                                \
            see_done(work, status, status ? status : (int64_t)(outcome), (uint8_t)(kind_of),  \
                     request->reserved, (void *)asked);                                       \
        else                                                                                  \
            pass_done(work, status, request->reserved);                                       \
    }
POOL_REQUEST_MAP(X)
#undef X

static const struct {
    void (*work)(struct uv__work *work);
    void (*done)(struct uv__work *work, int status);
} trampolines[UV_REQ_TYPE_MAX] = {
#define X(TYPE, ...) [UV_##TYPE] = {TYPE##_work, TYPE##_done},
    POOL_REQUEST_MAP(X)
#undef X
};

bool uvs__submission_missed(int result)
{
    struct uvs__thread *self = &uvs__self;
    const struct uv__work *work = self->submitting_work;
    self->submitting = NULL;
    end_submission(self);
    if (result != 0)
        return true;
    if (!work->work)
        return false;
    // libuv filled work_req: it went to the pool by a way that the lock did not show.
    uvs__emit_dropped(&(struct uvs_ev_dropped){
        .loop = uvs__key(self->loop), .reason = UVS_DROPPED_HANDOFF_MISSED, .count = self->submitting_kind});
    return true;
}

// --- Locks, of which libuv takes several for each request ---

UVS__APART static void resolve_and_lock(uv_mutex_t *mutex)
{
    UVS_REAL(uv_mutex_lock)(mutex);
}

UVS__APART static void wait_for_lock(uv_mutex_t *mutex, const void *caller)
{
    struct uvs__sync_call call;
    uvs__sync_begin(&call, UVS_KIND_MUTEX_LOCK, caller);
    UVS_REAL(uv_mutex_lock)(mutex);
    uvs__sync_end(&call, 0);
}

UVS__APART UVS__HOT static void try_lock(uv_mutex_t *mutex, const void *caller)
{
    if (UVS_REAL(uv_mutex_trylock)(mutex) != 0)
        wait_for_lock(mutex, caller);
}

static inline void lock(const struct uvs__thread *self, uv_mutex_t *mutex, const void *caller)
{
    if (uvs__on(sync_call) && self->loop)
        try_lock(mutex, caller);
    else if (__builtin_expect(!uvs__real.uv_mutex_lock, 0))
        resolve_and_lock(mutex);
    else
        uvs__real.uv_mutex_lock(mutex);
}

// What the pool is to run and to call becomes ours.
static inline void take_over(uv_req_t *request, struct uv__work *work)
{
    request->reserved[WORD_WORK] = (void *)work->work;
    request->reserved[WORD_DONE] = (void *)work->done;
    work->work = trampolines[request->type].work;
    work->done = trampolines[request->type].done;
}

UVS__APART UVS__HOT static void see_submission(uv_mutex_t *mutex, const void *caller, uv_req_t *request,
                                               const uv_loop_t *loop)
{
    struct uvs__thread *self = &uvs__self;
    tell_pool(self);
    submit(request->reserved, loop, self->submitting_kind, self->submitting_callback);
    lock(self, mutex, caller);
}

UVS__APART UVS__HOT static void submit_and_lock(uv_mutex_t *mutex, const void *caller)
{
    struct uvs__thread *self = &uvs__self;
    struct uv__work *work = self->submitting_work;
    uv_req_t *request = self->submitting;
    if (work->work) {
        self->submitting = NULL;
        self->submitting_work = NULL;
        take_over(request, work);
        if (uvs__on(schedule) || uvs__on(work) || self->pool_threads || !uvs__has_op(self)) {
            see_submission(mutex, caller, request, work->loop);
            return;
        }
        set_unseen(request->reserved, uvs__next_op(self));
    }
    lock(self, mutex, caller);
}

UVS_WRAP(void, uv_mutex_lock, uv_mutex_t *mutex)
{
    const struct uvs__thread *self = &uvs__self;
    if (__builtin_expect(self->submitting != NULL, 0))
        submit_and_lock(mutex, __builtin_return_address(0));
    else
        lock(self, mutex, __builtin_return_address(0));
}

// libuv creates the pool's threads while a request is being submitted: counting them is exact where reading
// UV_THREADPOOL_SIZE would be a guess.
UVS_WRAP(int, uv_thread_create_ex, uv_thread_t *tid, const uv_thread_options_t *options, uv_thread_cb entry,
         void *argument)
{
    int result = UVS_REAL(uv_thread_create_ex)(tid, options, entry, argument);
    if (result == 0 && uvs__self.submitting_work)
        uvs__self.pool_threads++;
    return result;
}

// --- uv_cancel ---

// The request's op if it is one of ours on its way through the pool, else 0.
static uint64_t pool_op(const uv_req_t *request, const uv_loop_t **ret_loop)
{
    if (request->type == UV_WORK) {
        const uv_work_t *work = (const uv_work_t *)request;
        *ret_loop = work->loop;
        return work->work_cb == work_trampoline ? uvs__get(request->reserved, WORD_OP) : 0;
    }
    const struct uv__work *work = NULL;
    switch (request->type) {
#define X(TYPE, type, ...)                         \
    case UV_##TYPE:                                \
        work = &((const type *)request)->work_req; \
        break;
        POOL_REQUEST_MAP(X)
#undef X
    default:
        return 0;
    }
    *ret_loop = work->loop;
    return work->done == trampolines[request->type].done ? uvs__get(request->reserved, WORD_OP) : 0;
}

UVS_WRAP(int, uv_cancel, uv_req_t *request)
{
    const uv_loop_t *loop = NULL;
    uint64_t op = uvs__on(cancel) ? pool_op(request, &loop) : 0;
    int result = UVS_REAL(uv_cancel)(request);
    if (op)
        uvs__emit_cancel(&(struct uvs_ev_cancel){.loop = uvs__key_of(loop), .op = op, .result = result});
    return result;
}
