// SPDX-License-Identifier: MIT
// Around every user callback: enter, the callback, leave. Everything that must survive the callback is copied
// into the struct first: the callback may free its handle or request.
#ifndef UVS_CALL_H
#define UVS_CALL_H

#include "probes/clock.h"
#include "probes/emit.h"
#include "probes/loop.h"

struct uvs__call {
    uint64_t begin_ns; // 0 = nobody listens
    uint64_t op, outer_op, delay_ns;
    void *callback, *outer_callback;
    uint8_t kind, outer_kind, depth;
};

// A libuv callback of `kind` is about to run on this thread. since_ns: when it was due, asked for or
// finished; 0 = unknown.
void uvs__enter(struct uvs__call *call, uint8_t kind, uint64_t op, void *callback, uint64_t since_ns);
void uvs__leave(const struct uvs__call *call, int64_t result);
// Of a request that a worker did.
struct uvs__triple;
void uvs__leave_request(const struct uvs__call *call, int64_t result, const struct uvs__triple *triple);

// For callbacks that follow from a descriptor: when poll said it was ready. A lower bound of how long it
// waited.
uint64_t uvs__ready_since(void);

// An operation is asked for by the running callback. Returns its number; uvs__event_ns() is then when.
uint64_t uvs__schedule(const uv_loop_t *loop, uint8_t kind, void *callback, uint64_t timeout_ms);

#endif
