// SPDX-License-Identifier: MIT
// UDP: receive and send.
#include <stddef.h>

#include "probes/watch.h"

#include "probes/poison.h"

static void recv_trampoline(uv_udp_t *udp, ssize_t nread, const uv_buf_t *buffer,
                            const struct sockaddr *address, unsigned flags)
{
    UVS_RUN_HANDLE(udp, uv_udp_recv_cb, UVS_KIND_UDP_RECV, uvs__ready_since(), nread, udp, nread, buffer,
                   address, flags);
}

UVS_WRAP(int, uv_udp_recv_start, uv_udp_t *udp, uv_alloc_cb alloc, uv_udp_recv_cb callback)
{
    int result = UVS_REAL(uv_udp_recv_start)(udp, alloc, callback);
    if (result == 0)
        UVS_WATCH(udp, recv_cb, callback, recv_trampoline, UVS_KIND_UDP_RECV);
    return result;
}

static void send_trampoline(uv_udp_send_t *request, int status)
{
    UVS_RUN_REQUEST(request, uv_udp_send_cb, UVS_KIND_UDP_SEND, status, request, status);
}

UVS_WRAP(int, uv_udp_send, uv_udp_send_t *request, uv_udp_t *udp, const uv_buf_t buffers[], unsigned count,
         const struct sockaddr *address, uv_udp_send_cb callback)
{
    int result = UVS_REAL(uv_udp_send)(request, udp, buffers, count, address, callback);
    if (result == 0)
        UVS_WATCH_REQUEST(request, send_cb, udp->loop, callback, send_trampoline, UVS_KIND_UDP_SEND);
    return result;
}

// Counted with uv_try_write.
UVS_WRAP(int, uv_udp_try_send, uv_udp_t *udp, const uv_buf_t buffers[], unsigned count,
         const struct sockaddr *address)
{
    struct uvs__loop *loop = uvs__loop_of(udp->loop);
    if (loop)
        loop->try_writes++;
    return UVS_REAL(uv_udp_try_send)(udp, buffers, count, address);
}
