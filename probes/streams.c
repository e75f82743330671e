// SPDX-License-Identifier: MIT
// Streams: read, listen, write, connect, shutdown. A stream reads or listens, never both.
#include <stddef.h>

#include "probes/watch.h"

#include "probes/poison.h"

UVS__HOT static void read_trampoline(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buffer)
{
    UVS_RUN_HANDLE(stream, uv_read_cb, UVS_KIND_READ, uvs__ready_since(), nread, stream, nread, buffer);
}

UVS_WRAP(int, uv_read_start, uv_stream_t *stream, uv_alloc_cb alloc, uv_read_cb callback)
{
    int result = UVS_REAL(uv_read_start)(stream, alloc, callback);
    if (result == 0)
        UVS_WATCH(stream, read_cb, callback, read_trampoline, UVS_KIND_READ);
    return result;
}

static void connection_trampoline(uv_stream_t *server, int status)
{
    UVS_RUN_HANDLE(server, uv_connection_cb, UVS_KIND_CONNECTION, uvs__ready_since(), status, server, status);
}

UVS_WRAP(int, uv_listen, uv_stream_t *stream, int backlog, uv_connection_cb callback)
{
    int result = UVS_REAL(uv_listen)(stream, backlog, callback);
    if (result == 0)
        UVS_WATCH(stream, connection_cb, callback, connection_trampoline, UVS_KIND_CONNECTION);
    return result;
}

UVS__HOT static void write_trampoline(uv_write_t *request, int status)
{
    UVS_RUN_REQUEST(request, uv_write_cb, UVS_KIND_WRITE, status, request, status);
}

// uv_write may or may not come by uv_write2 inside libuv: whichever wrapper sees the program's callback first
// has it.
UVS_WRAP(int, uv_write, uv_write_t *request, uv_stream_t *stream, const uv_buf_t buffers[], unsigned count,
         uv_write_cb callback)
{
    int result = UVS_REAL(uv_write)(request, stream, buffers, count, callback);
    if (result == 0)
        UVS_WATCH_REQUEST(request, cb, stream->loop, callback, write_trampoline, UVS_KIND_WRITE);
    return result;
}

UVS_WRAP(int, uv_write2, uv_write_t *request, uv_stream_t *stream, const uv_buf_t buffers[], unsigned count,
         uv_stream_t *send_handle, uv_write_cb callback)
{
    int result = UVS_REAL(uv_write2)(request, stream, buffers, count, send_handle, callback);
    if (result == 0)
        UVS_WATCH_REQUEST(request, cb, stream->loop, callback, write_trampoline, UVS_KIND_WRITE);
    return result;
}

// Counted only: they are done when they return, and servers make more of them than of anything else.
// uv_try_write may or may not come by uv_try_write2 inside libuv: one call is one.
UVS_WRAP(int, uv_try_write, uv_stream_t *stream, const uv_buf_t buffers[], unsigned count)
{
    struct uvs__loop *loop = uvs__loop_of(stream->loop);
    uint64_t before = loop ? loop->try_writes : 0;
    int result = UVS_REAL(uv_try_write)(stream, buffers, count);
    if (loop)
        loop->try_writes = before + 1;
    return result;
}

UVS_WRAP(int, uv_try_write2, uv_stream_t *stream, const uv_buf_t buffers[], unsigned count,
         uv_stream_t *send_handle)
{
    struct uvs__loop *loop = uvs__loop_of(stream->loop);
    if (loop)
        loop->try_writes++;
    return UVS_REAL(uv_try_write2)(stream, buffers, count, send_handle);
}

static void connect_trampoline(uv_connect_t *request, int status)
{
    UVS_RUN_REQUEST(request, uv_connect_cb, UVS_KIND_CONNECT, status, request, status);
}

UVS_WRAP(int, uv_tcp_connect, uv_connect_t *request, uv_tcp_t *tcp, const struct sockaddr *address,
         uv_connect_cb callback)
{
    int result = UVS_REAL(uv_tcp_connect)(request, tcp, address, callback);
    if (result == 0)
        UVS_WATCH_REQUEST(request, cb, tcp->loop, callback, connect_trampoline, UVS_KIND_CONNECT);
    return result;
}

// Returns nothing: an error too comes by the callback.
UVS_WRAP(void, uv_pipe_connect, uv_connect_t *request, uv_pipe_t *pipe, const char *name,
         uv_connect_cb callback)
{
    UVS_REAL(uv_pipe_connect)(request, pipe, name, callback);
    UVS_WATCH_REQUEST(request, cb, pipe->loop, callback, connect_trampoline, UVS_KIND_CONNECT);
}

UVS_WRAP(int, uv_pipe_connect2, uv_connect_t *request, uv_pipe_t *pipe, const char *name, size_t length,
         unsigned flags, uv_connect_cb callback)
{
    if (!UVS_REAL(
            uv_pipe_connect2)) // since 1.46: who finds this one by dlsym over an older libuv finds only us
        return UV_ENOSYS;
    int result = uvs__real.uv_pipe_connect2(request, pipe, name, length, flags, callback);
    if (result == 0)
        UVS_WATCH_REQUEST(request, cb, pipe->loop, callback, connect_trampoline, UVS_KIND_CONNECT);
    return result;
}

static void shutdown_trampoline(uv_shutdown_t *request, int status)
{
    UVS_RUN_REQUEST(request, uv_shutdown_cb, UVS_KIND_SHUTDOWN, status, request, status);
}

UVS_WRAP(int, uv_shutdown, uv_shutdown_t *request, uv_stream_t *stream, uv_shutdown_cb callback)
{
    int result = UVS_REAL(uv_shutdown)(request, stream, callback);
    if (result == 0)
        UVS_WATCH_REQUEST(request, cb, stream->loop, callback, shutdown_trampoline, UVS_KIND_SHUTDOWN);
    return result;
}
