// SPDX-License-Identifier: MIT
// The libuv fields that the runtime reads or writes. Their offsets are the same from libuv 1.44 to 1.52:
// built with one version, the runtime works with another. A build against headers where that is no longer so
// must fail.
#include <stddef.h>
#include <uv.h>

// X(type, field, offset on LP64)
#define UVS_LAYOUT_MAP(X)                    \
    X(uv_loop_t, handle_queue, 16)           \
    X(uv_loop_t, wq_async, 176)              \
    X(uv_handle_t, loop, 8)                  \
    X(uv_handle_t, type, 16)                 \
    X(uv_handle_t, close_cb, 24)             \
    X(uv_handle_t, handle_queue, 32)         \
    X(uv_handle_t, u, 48)                    \
    X(uv_handle_t, flags, 88)                \
    X(uv_timer_t, timer_cb, 96)              \
    X(uv_timer_t, timeout, 128)              \
    X(uv_idle_t, idle_cb, 96)                \
    X(uv_prepare_t, prepare_cb, 96)          \
    X(uv_check_t, check_cb, 96)              \
    X(uv_async_t, async_cb, 96)              \
    X(uv_stream_t, read_cb, 112)             \
    X(uv_stream_t, connection_cb, 224)       \
    X(uv_udp_t, recv_cb, 120)                \
    X(uv_poll_t, poll_cb, 96)                \
    X(uv_signal_t, signal_cb, 96)            \
    X(uv_process_t, exit_cb, 96)             \
    X(uv_process_options_t, exit_cb, 0)      \
    X(uv_fs_event_t, cb, 104)                \
    X(uv_req_t, type, 8)                     \
    X(uv_req_t, reserved, 16)                \
    X(uv_write_t, cb, 64)                    \
    X(uv_connect_t, cb, 64)                  \
    X(uv_shutdown_t, cb, 72)                 \
    X(uv_udp_send_t, send_cb, 248)           \
    X(uv_work_t, loop, 64)                   \
    X(uv_work_t, work_cb, 72)                \
    X(uv_work_t, work_req, 88)               \
    X(uv_fs_t, fs_type, 64)                  \
    X(uv_fs_t, cb, 80)                       \
    X(uv_fs_t, result, 88)                   \
    X(uv_fs_t, work_req, 336)                \
    X(uv_getaddrinfo_t, cb, 112)             \
    X(uv_getaddrinfo_t, retcode, 152)        \
    X(uv_getaddrinfo_t, work_req, 72)        \
    X(uv_getnameinfo_t, getnameinfo_cb, 112) \
    X(uv_getnameinfo_t, retcode, 1312)       \
    X(uv_getnameinfo_t, work_req, 72)        \
    X(uv_random_t, cb, 96)                   \
    X(uv_random_t, status, 72)               \
    X(uv_random_t, work_req, 104)            \
    X(struct uv__work, work, 0)              \
    X(struct uv__work, done, 8)              \
    X(struct uv__work, loop, 16)

#if defined(__LP64__)
#define X(type, field, offset)                        \
    _Static_assert(offsetof(type, field) == (offset), \
                   #type "." #field " has moved: the runtime would write elsewhere");
UVS_LAYOUT_MAP(X)
#undef X
#endif

_Static_assert(sizeof(((uv_req_t *)0)->reserved) == 6 * sizeof(void *), "a request has six reserved words");
_Static_assert(sizeof(((uv_handle_t *)0)->u) == 4 * sizeof(void *), "a handle has four reserved words");
