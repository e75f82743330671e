// SPDX-License-Identifier: MIT
// The 36 uv_fs_* calls: asynchronous ones go through the pool's hand-off, synchronous ones are sync calls.
#include <stddef.h>

#include "probes/call.h"
#include "probes/hooks.h"
#include "probes/pool.h"
#include "probes/sync.h"
#include "probes/words.h"

#include "probes/poison.h"

#define X(NAME, number, name) _Static_assert(UV_FS_##NAME == (number), "UVS_FS_MAP disagrees with uv.h");
UVS_FS_MAP(X)
#undef X

// Newer versions of libuv give some operations to the kernel's io_uring. Its completions are taken in the
// loop's next poll, by this thread, so that the callback may still be replaced after the call. Words: 0 cb, 2
// op, as with the pool.
enum { WORD_CALLBACK = 0, WORD_OP = 2 };

static void uring_trampoline(uv_fs_t *request)
{
    uv_fs_cb callback = (uv_fs_cb)request->reserved[WORD_CALLBACK];
    int64_t result = request->result;
    struct uvs__call call;
    request->cb = callback;
    uvs__enter(&call, (uint8_t)(UVS_KIND_FS + request->fs_type), uvs__get(request->reserved, WORD_OP),
               (void *)callback, 0);
    callback(request);
    uvs__leave(&call, result);
}

static void watch_uring(uv_loop_t *loop, uv_fs_t *request, uint8_t kind, uv_fs_cb callback)
{
    if (request->cb != callback)
        return;
    request->reserved[WORD_CALLBACK] = (void *)callback;
    uvs__set(request->reserved, WORD_OP, uvs__schedule(loop, kind, (void *)callback, UVS_BY_KERNEL));
    request->cb = uring_trampoline;
}

#define UNPACK(...) __VA_ARGS__

#define X(function, TYPE, parameters, arguments)                                                     \
    UVS_WRAP(int, function, uv_loop_t *loop, uv_fs_t *request, UNPACK parameters, uv_fs_cb callback) \
    {                                                                                                \
        if (uvs__self.in_fs_poll)                                                                    \
            uvs__learn_own_callback((void *)callback);                                               \
        if (!request || uvs__is_libuvs_own((void *)callback))                                        \
            return UVS_REAL(function)(loop, request, UNPACK arguments, callback);                    \
        if (!callback) {                                                                             \
            struct uvs__sync_call call;                                                              \
            uvs__sync_begin(&call, UVS_KIND_FS_##TYPE, __builtin_return_address(0));                 \
            int result = UVS_REAL(function)(loop, request, UNPACK arguments, callback);              \
            uvs__sync_end(&call, result);                                                            \
            return result;                                                                           \
        }                                                                                            \
        const struct uvs__submission submission = {(uv_req_t *)request, &request->work_req,          \
                                                   UVS_KIND_FS_##TYPE, (void *)callback};            \
        uvs__submission_begin(&submission);                                                          \
        int result = UVS_REAL(function)(loop, request, UNPACK arguments, callback);                  \
        if (!uvs__submission_end(&submission, result))                                               \
            watch_uring(loop, request, UVS_KIND_FS_##TYPE, callback);                                \
        return result;                                                                               \
    }
UVS_HOOK_FS_MAP(X)
#undef X
