// SPDX-License-Identifier: MIT
// libuv's reserved words, where the runtime keeps its state: no table, no lock, no allocation.
//
// u.reserved[0] of a handle holds u.fd, which libuv uses in async handles only; the other words, and all six
// of a request, are never used on Unix. A time of 0 is unknown: tracing was off at that moment.
//
//   handle               while started                    while closing
//   timer                1 cb  2 op  3 due                1 close_cb  2 op  3 close time
//   async                1 cb  2 op  3 sends              1 close_cb  2 op
//   process              1 cb  2 op                       1 close_cb  2 op  0 close time
//   every other          1 cb  2 op                       3 close_cb  2 op  0 close time
//     (a udp handle's 1 stays valid while closing: with UV_UDP_RECVMMSG libuv calls recv_cb again after
//     uv_close)
//
//   request
//   write connect shutdown udp_send    0 cb    1 op    2 submit
//   pool requests                      see pool.c
//   fs by io_uring                     0 cb    2 op
#ifndef UVS_WORDS_H
#define UVS_WORDS_H

#include <stdint.h>
#include <uv.h>

enum { UVS_WORD_CALLBACK = 1, UVS_WORD_OP = 2, UVS_WORD_DUE = 3, UVS_WORD_SENDS = 3 };
enum { UVS_REQ_CALLBACK = 0, UVS_REQ_OP = 1, UVS_REQ_SUBMIT = 2 };

static inline void **uvs__handle_words(const void *handle)
{
    return ((uv_handle_t *)handle)->u.reserved;
}

static inline uint64_t uvs__get(void *const *words, int index)
{
    return (uintptr_t)words[index];
}

static inline void uvs__set(void **words, int index, uint64_t value)
{
    words[index] = (void *)(uintptr_t)value;
}

#endif
