// SPDX-License-Identifier: MIT
// The 36 uv_fs_* calls: asynchronous ones go through the pool's hand-off, synchronous ones are sync calls.
#include <stddef.h>

#include "probes/emit.h"
#include "probes/hooks.h"
#include "probes/pool.h"
#include "probes/sync.h"

#include "probes/poison.h"

#define X(NAME, number, name) _Static_assert(UV_FS_##NAME == (number), "UVS_FS_MAP disagrees with uv.h");
UVS_FS_MAP(X)
#undef X

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
        uvs__submission_end(&submission, result);                                                    \
        return result;                                                                               \
    }
UVS_HOOK_FS_MAP(X)
#undef X
