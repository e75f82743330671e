// SPDX-License-Identifier: MIT
// After a handle was started with a callback: the trampoline goes in front of it.
#ifndef UVS_WATCH_H
#define UVS_WATCH_H

#include "probes/call.h"
#include "probes/hooks.h"
#include "probes/words.h"

// UVS_WATCH(handle, field, callback, trampoline, kind): if libuv took `callback` into handle->field, and the
// callback is the program's, remembers it and puts the trampoline in its place. A callback that is the
// trampoline itself comes from libuv, which starts a handle again with what it finds in it: the program's
// callback is remembered already.
#define UVS_WATCH(handle, field, callback, trampoline, kind)                                           \
    do {                                                                                               \
        if ((callback) && (handle)->field == (callback) && (callback) != (trampoline) &&               \
            !uvs__leaves_alone(handle) && !uvs__is_libuvs_own((void *)(callback))) {                   \
            void **words_ = uvs__handle_words(handle);                                                 \
            words_[UVS_WORD_CALLBACK] = (void *)(callback);                                            \
            uvs__set(words_, UVS_WORD_OP, uvs__schedule((handle)->loop, kind, (void *)(callback), 0)); \
            (handle)->field = (trampoline);                                                            \
        }                                                                                              \
    } while (0)

// The same for a request whose completion the kernel brings: submit -> callback is its latency.
#define UVS_WATCH_REQUEST(request, field, request_loop, callback, trampoline, kind)                    \
    do {                                                                                               \
        if ((callback) && (request)->field == (callback) && !uvs__is_libuvs_own((void *)(callback))) { \
            (request)->reserved[UVS_REQ_CALLBACK] = (void *)(callback);                                \
            uvs__set((request)->reserved, UVS_REQ_OP,                                                  \
                     uvs__schedule(request_loop, kind, (void *)(callback), 0));                        \
            uvs__set((request)->reserved, UVS_REQ_SUBMIT, uvs__on(callback) ? uvs__event_ns() : 0);    \
            (request)->field = (trampoline);                                                           \
        }                                                                                              \
    } while (0)

// The body of a trampoline: CALLBACK_TYPE callback of `words` is called with the arguments.
#define UVS_RUN(words, callback_word, op_word, type, kind, since_ns, result, ...)                        \
    do {                                                                                                 \
        type callback_ = (type)(words)[callback_word];                                                   \
        UVS_AROUND(kind, uvs__get(words, op_word), callback_, since_ns, result, callback_(__VA_ARGS__)); \
    } while (0)

#define UVS_RUN_HANDLE(handle, type, kind, since_ns, result, ...)                                    \
    UVS_RUN(uvs__handle_words(handle), UVS_WORD_CALLBACK, UVS_WORD_OP, type, kind, since_ns, result, \
            __VA_ARGS__)
#define UVS_RUN_REQUEST(request, type, kind, result, ...)                  \
    UVS_RUN((request)->reserved, UVS_REQ_CALLBACK, UVS_REQ_OP, type, kind, \
            uvs__get((request)->reserved, UVS_REQ_SUBMIT), result, __VA_ARGS__)

#endif
