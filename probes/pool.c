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
#include "probes/hooks.h"
#include "probes/lean.h"
#include "probes/sync.h"
#include "probes/words.h"
#include "probes/worker.h"

#include "probes/poison.h"

enum { WORD_WORK, WORD_DONE, WORD_OP, WORD_SUBMIT, WORD_BEGIN, WORD_END };

static void submit(void **words, uint64_t op)
{
    uvs__set(words, WORD_OP, op);
    uvs__set(words, WORD_BEGIN, 0);
    uvs__set(words, WORD_END, 0);
    uvs__set(words, WORD_SUBMIT, uvs__on(work) ? uvs__event_ns() : 0);
}

// --- On the worker ---

static void begin_work(const uv_loop_t *loop, uint8_t kind, void **words, void *asked)
{
    struct uvs__thread *self = &uvs__self;
    self->worker = true;
    uvs__know_thread(self);
    if (uvs__on(work_begin))
        uvs__emit_work_begin(
            &(struct uvs_ev_work_begin){.loop = uvs__key_of(loop), .op = uvs__get(words, WORD_OP)});
    uvs__set(words, WORD_BEGIN, uvs__get(words, WORD_SUBMIT) && uvs__on(work) ? uvs__now() : 0);
    uvs__worker_begin(uvs__get(words, WORD_OP), kind, asked);
}

// Lean recording does not tell what is asked for: only the `work` that is told needs its name.
static void tell_submission(const uv_loop_t *loop, uint8_t kind, void **words, void *asked)
{
    uvs__announce_first();
    uvs__emit_schedule(&(struct uvs_ev_schedule){.loop = uvs__key_of(loop),
                                                 .op = uvs__get(words, WORD_OP),
                                                 .kind = kind,
                                                 .callback = (uintptr_t)asked});
}

static void end_work(const uv_loop_t *loop, uint8_t kind, void **words, void *asked)
{
    uint64_t begin_ns = uvs__get(words, WORD_BEGIN);
    uvs__worker_end();
    if (!begin_ns)
        return;
    if (uvs__lean_on()) {
        const uint64_t end_ns = uvs__now();
        uvs__set(words, WORD_END, end_ns);
        // Without a callback nobody comes by who could count it.
        if (words[WORD_DONE] && uvs__lean_work(begin_ns - uvs__get(words, WORD_SUBMIT), end_ns - begin_ns))
            return;
        tell_submission(loop, kind, words, asked);
    }
    uvs__emit_work(&(struct uvs_ev_work){
        .loop = uvs__key_of(loop),
        .op = uvs__get(words, WORD_OP),
        .kind = kind,
        .tid = uvs__tid(&uvs__self),
        .queue_ns = begin_ns - uvs__get(words, WORD_SUBMIT),
        .service_ns = -begin_ns, // until the event
    });
    uvs__set(words, WORD_END, uvs__event_ns());
}

static struct uvs__triple triple_of(void **words, void *asked)
{
    return (struct uvs__triple){uvs__get(words, WORD_SUBMIT), uvs__get(words, WORD_BEGIN),
                                uvs__get(words, WORD_END), asked};
}

// --- uv_queue_work ---

static void work_trampoline(uv_work_t *request)
{
    const uv_loop_t *loop = request->loop;
    begin_work(loop, UVS_KIND_WORK, request->reserved, request->reserved[WORD_WORK]);
    ((uv_work_cb)request->reserved[WORD_WORK])(request);
    end_work(loop, UVS_KIND_WORK, request->reserved, request->reserved[WORD_WORK]);
}

static void after_work_trampoline(uv_work_t *request, int status)
{
    uv_after_work_cb after = (uv_after_work_cb)request->reserved[WORD_DONE];
    const struct uvs__triple triple = triple_of(request->reserved, request->reserved[WORD_WORK]);
    struct uvs__call call;
    uvs__enter(&call, UVS_KIND_WORK, uvs__get(request->reserved, WORD_OP), (void *)after, triple.end_ns);
    after(request, status);
    uvs__leave_request(&call, status, &triple);
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
    submit(request->reserved, uvs__schedule(loop, UVS_KIND_WORK, (void *)work, 0));
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

#define X(TYPE, type, callback, outcome, kind_of)                                                 \
    static void TYPE##_work(struct uv__work *work)                                                \
    {                                                                                             \
        type *request = (type *)((char *)work - offsetof(type, work_req));                        \
        const uv_loop_t *loop = work->loop;                                                       \
        begin_work(loop, (uint8_t)(kind_of), request->reserved, (void *)callback);                \
        ((void (*)(struct uv__work *))request->reserved[WORD_WORK])(work);                        \
        end_work(loop, (uint8_t)(kind_of), request->reserved, (void *)callback);                  \
    }                                                                                             \
    static void TYPE##_done(struct uv__work *work, int status)                                    \
    {                                                                                             \
        type *request = (type *)((char *)work - offsetof(type, work_req));                        \
        void (*done)(struct uv__work *,                                                           \
                     int) = (void (*)(struct uv__work *, int))request->reserved[WORD_DONE];       \
        int64_t result = status ? status : (int64_t)(outcome);                                    \
        const struct uvs__triple triple = triple_of(request->reserved, (void *)callback);         \
        struct uvs__call call;                                                                    \
        uvs__enter(&call, (uint8_t)(kind_of), uvs__get(request->reserved, WORD_OP), triple.asked, \
                   triple.end_ns);                                                                \
        done(work, status);                                                                       \
        uvs__leave_request(&call, result, &triple);                                               \
    }
POOL_REQUEST_MAP(X)
#undef X

static const struct {
    void (*work)(struct uv__work *);
    void (*done)(struct uv__work *, int);
} trampolines[UV_REQ_TYPE_MAX] = {
#define X(TYPE, ...) [UV_##TYPE] = {TYPE##_work, TYPE##_done},
    POOL_REQUEST_MAP(X)
#undef X
};

void uvs__submission_begin(const struct uvs__submission *submission)
{
    struct uvs__thread *self = &uvs__self;
    submission->work->work = NULL;
    self->submitting = submission->request;
    self->submitting_kind = submission->kind;
    self->submitting_callback = submission->callback;
    self->submitting_work = submission->work;
}

static void hand_off(struct uvs__thread *self)
{
    struct uv__work *work = self->submitting_work;
    uv_req_t *request = self->submitting;
    tell_pool(self);
    self->submitting = NULL;
    request->reserved[WORD_WORK] = (void *)work->work;
    request->reserved[WORD_DONE] = (void *)work->done;
    work->work = trampolines[request->type].work;
    work->done = trampolines[request->type].done;
    submit(request->reserved, uvs__schedule(work->loop, self->submitting_kind, self->submitting_callback, 0));
}

bool uvs__submission_end(const struct uvs__submission *submission, int result)
{
    struct uvs__thread *self = &uvs__self;
    bool handed_off = !self->submitting;
    self->submitting = NULL;
    end_submission(self);
    if (handed_off || result != 0)
        return true;
    if (!submission->work->work)
        return false;
    // libuv filled work_req: it went to the pool by a way that the lock did not show.
    uvs__emit_dropped(&(struct uvs_ev_dropped){
        .loop = uvs__key(self->loop), .reason = UVS_DROPPED_HANDOFF_MISSED, .count = submission->kind});
    return true;
}

// What is rare with a lock is apart, so that the others need no frame: libuv takes several for each request.
#define APART __attribute__((noinline)) static

APART void wait_for_lock(uv_mutex_t *mutex, const void *caller)
{
    struct uvs__sync_call call;
    uvs__sync_begin(&call, UVS_KIND_MUTEX_LOCK, caller);
    UVS_REAL(uv_mutex_lock)(mutex);
    uvs__sync_end(&call, 0);
}

APART void try_lock(uv_mutex_t *mutex, const void *caller)
{
    if (UVS_REAL(uv_mutex_trylock)(mutex) != 0)
        wait_for_lock(mutex, caller);
}

static inline void lock(const struct uvs__thread *self, uv_mutex_t *mutex, const void *caller)
{
    if (!self->loop || !uvs__on(sync_call))
        UVS_REAL(uv_mutex_lock)(mutex);
    else
        try_lock(mutex, caller);
}

APART void submit_and_lock(uv_mutex_t *mutex, const void *caller)
{
    struct uvs__thread *self = &uvs__self;
    if (self->submitting_work->work)
        hand_off(self);
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
