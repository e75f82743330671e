// SPDX-License-Identifier: MIT
// The thread pool's hand-off of requests that libuv submits itself (uv_fs_*, uv_getaddrinfo, …).
// uv__work_submit is hidden, but it fills the request's public `work_req` and then locks the pool's mutex,
// before any worker can see the request: our wrapper of uv_mutex_lock takes that moment.
#ifndef UVS_POOL_H
#define UVS_POOL_H

#include "probes/hooks.h"
#include "probes/runtime.h"

// The file of the pool is compiled for each copy of libuv.
#define uvs__submission_missed UVS_JOIN(uvs__submission, UVS_COPY, _missed)

// Announces that the real function, called next on this thread, will submit this request. callback: the
// user's.
static inline void uvs__submission_begin(void *request, struct uv__work *work, uint8_t kind, void *callback)
{
    struct uvs__thread *self = &uvs__self;
    work->work = NULL;
    self->submitting = request;
    self->submitting_work = work;
    self->submitting_callback = callback;
    self->submitting_kind = kind;
}

// After the real function returned. False: the hand-off was not seen, and uvs__submission_missed is to be
// called.
static inline bool uvs__submission_seen(void)
{
    return __builtin_expect(!uvs__self.submitting, 1);
}

// Counts the hand-off as missed. False when the request is on its way without the pool; there is none after a
// `result` that is an error.
bool uvs__submission_missed(int result);

#endif
