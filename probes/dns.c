// SPDX-License-Identifier: MIT
// uv_getaddrinfo, uv_getnameinfo and uv_random: pool requests, or sync calls when there is no callback.
#include <stddef.h>

#include "probes/emit.h"
#include "probes/hooks.h"
#include "probes/pool.h"
#include "probes/sync.h"

#include "probes/poison.h"

#define POOL_CALL(function, request, kind, callback, ...)                           \
    do {                                                                            \
        if (!callback) {                                                            \
            struct uvs__sync_call call;                                             \
            uvs__sync_begin(&call, kind, __builtin_return_address(0));              \
            int waited = UVS_REAL(function)(__VA_ARGS__);                           \
            uvs__sync_end(&call, waited);                                           \
            return waited;                                                          \
        }                                                                           \
        uvs__submission_begin(request, &request->work_req, kind, (void *)callback); \
        int result = UVS_REAL(function)(__VA_ARGS__);                               \
        if (!uvs__submission_seen())                                                \
            uvs__submission_missed(result);                                         \
        return result;                                                              \
    } while (0)

UVS_WRAP(int, uv_getaddrinfo, uv_loop_t *loop, uv_getaddrinfo_t *request, uv_getaddrinfo_cb callback,
         const char *node, const char *service, const struct addrinfo *hints)
{
    if (!request)
        return UVS_REAL(uv_getaddrinfo)(loop, request, callback, node, service, hints);
    POOL_CALL(uv_getaddrinfo, request, UVS_KIND_GETADDRINFO, callback, loop, request, callback, node, service,
              hints);
}

UVS_WRAP(int, uv_getnameinfo, uv_loop_t *loop, uv_getnameinfo_t *request, uv_getnameinfo_cb callback,
         const struct sockaddr *address, int flags)
{
    if (!request)
        return UVS_REAL(uv_getnameinfo)(loop, request, callback, address, flags);
    POOL_CALL(uv_getnameinfo, request, UVS_KIND_GETNAMEINFO, callback, loop, request, callback, address,
              flags);
}

UVS_WRAP(int, uv_random, uv_loop_t *loop, uv_random_t *request, void *buffer, size_t size, unsigned flags,
         uv_random_cb callback)
{
    POOL_CALL(uv_random, request, UVS_KIND_RANDOM, callback, loop, request, buffer, size, flags, callback);
}
