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
    request->cb = callback;
    UVS_AROUND((uint8_t)(UVS_KIND_FS + request->fs_type), uvs__get(request->reserved, WORD_OP), callback, 0,
               result, callback(request));
}

static void watch_uring(uv_fs_t *request, uv_fs_cb callback)
{
    if (request->cb != callback)
        return;
    request->reserved[WORD_CALLBACK] = (void *)callback;
    uvs__set(request->reserved, WORD_OP,
             uvs__schedule(request->loop, (uint8_t)(UVS_KIND_FS + request->fs_type), (void *)callback,
                           UVS_BY_KERNEL));
    request->cb = uring_trampoline;
}

// The request being submitted did not come by the pool's lock.
UVS__APART static int miss(int result)
{
    uv_fs_t *request = (uv_fs_t *)uvs__self.submitting;
    uv_fs_cb callback = (uv_fs_cb)uvs__self.submitting_callback;
    if (!uvs__submission_missed(result))
        watch_uring(request, callback);
    return result;
}

#define UNPACK(...) __VA_ARGS__

// The asynchronous call needs no frame: what is hardly ever done has its own.
#define X(function, TYPE, parameters, arguments)                                                     \
    UVS__APART static int resolve_##function(uv_loop_t *loop, uv_fs_t *request, UNPACK parameters,   \
                                             uv_fs_cb callback)                                      \
    {                                                                                                \
        uvs__resolve_libuv();                                                                        \
        return uvs__real.function ? UVS_WRAPPER(function)(loop, request, UNPACK arguments, callback) \
                                  : UV_ENOSYS;                                                       \
    }                                                                                                \
    UVS__APART static int wait_##function(uv_loop_t *loop, uv_fs_t *request, UNPACK parameters,      \
                                          const void *caller)                                        \
    {                                                                                                \
        struct uvs__sync_call call;                                                                  \
        uvs__sync_begin(&call, UVS_KIND_FS_##TYPE, caller);                                          \
        int result = uvs__real.function(loop, request, UNPACK arguments, NULL);                      \
        uvs__sync_end(&call, result);                                                                \
        return result;                                                                               \
    }                                                                                                \
    UVS_WRAP(int, function, uv_loop_t *loop, uv_fs_t *request, UNPACK parameters, uv_fs_cb callback) \
    {                                                                                                \
        if (!UVS_IS_RESOLVED(function))                                                              \
            return resolve_##function(loop, request, UNPACK arguments, callback);                    \
        if (UV_FS_##TYPE == UV_FS_STAT && uvs__self.in_fs_poll)                                      \
            uvs__learn_own_callback((void *)callback);                                               \
        if (!request || uvs__is_libuvs_own((void *)callback))                                        \
            return uvs__real.function(loop, request, UNPACK arguments, callback);                    \
        if (!callback)                                                                               \
            return wait_##function(loop, request, UNPACK arguments, __builtin_return_address(0));    \
        uvs__submission_begin(request, &request->work_req, UVS_KIND_FS_##TYPE, (void *)callback);    \
        int result = uvs__real.function(loop, request, UNPACK arguments, callback);                  \
        return uvs__submission_seen() ? result : miss(result);                                       \
    }
UVS_HOOK_FS_MAP(X)
#undef X
