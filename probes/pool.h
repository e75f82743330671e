// SPDX-License-Identifier: MIT
// The thread pool's hand-off of requests that libuv submits itself (uv_fs_*, uv_getaddrinfo, …).
// uv__work_submit is hidden, but it fills the request's public `work_req` and then locks the pool's mutex,
// before any worker can see the request: our wrapper of uv_mutex_lock takes that moment.
#ifndef UVS_POOL_H
#define UVS_POOL_H

#include "probes/hooks.h"
#include "probes/runtime.h"

struct uvs__submission {
    uv_req_t *request;
    struct uv__work *work;
    uint8_t kind;
    void *callback; // the user's
};

// The file of the pool is compiled for each copy of libuv.
#define uvs__submission_begin UVS_JOIN(uvs__submission, UVS_COPY, _begin)
#define uvs__submission_end   UVS_JOIN(uvs__submission, UVS_COPY, _end)

// Announces that the real function, called next on this thread, will submit this request.
void uvs__submission_begin(const struct uvs__submission *submission);
// After the real function returned `result`: a hand-off that was not seen is counted. False when the request
// is on its way without the pool.
bool uvs__submission_end(const struct uvs__submission *submission, int result);

#endif
