// SPDX-License-Identifier: MIT
// Around every user callback: enter, the callback, leave. Everything that must survive the callback is copied
// into the struct first: the callback may free its handle or request.
#ifndef UVS_CALL_H
#define UVS_CALL_H

#include "probes/clock.h"
#include "probes/emit.h"
#include "probes/loop.h"

// What the thread's state is to be again after the callback.
struct uvs__outer {
    uint64_t op;
    uint8_t depth;
};

struct uvs__call {
    struct uvs__outer outer;
    uint64_t begin_ns;
    uint64_t op, since_ns;
    void *callback, *outer_callback;
    uint8_t kind, outer_kind;
};

// How long the callback was waited for.
static inline uint64_t uvs__delay_ns(const struct uvs__call *call)
{
    const uint64_t begin_ns = call->begin_ns, since_ns = call->since_ns;
    return !since_ns ? UVS_ABSENT : begin_ns > since_ns ? begin_ns - since_ns : 0;
}

static inline struct uvs__outer uvs__step_in(uint64_t op)
{
    struct uvs__thread *self = &uvs__self;
    const struct uvs__outer outer = {self->op, self->depth};
    self->op = op;
    self->depth = (uint8_t)(outer.depth + (outer.depth < UINT8_MAX));
    return outer;
}

static inline void uvs__step_out(struct uvs__outer outer)
{
    struct uvs__thread *self = &uvs__self;
    self->op = outer.op;
    self->depth = outer.depth;
}

// Around a callback while somebody listens; while nobody does, stepping in and out is all.
// A libuv callback of `kind` is about to run on this thread. since_ns: when it was due, asked for or
// finished; 0 = unknown.
void uvs__enter(struct uvs__call *call, uint8_t kind, uint64_t op, void *callback, uint64_t since_ns);
// triple: of a request that a worker did; else NULL.
struct uvs__triple;
void uvs__leave(const struct uvs__call *call, int64_t result, const struct uvs__triple *triple);

// `run` calls the user's callback, and is all there is to do while nobody listens.
#define UVS_AROUND(kind, op, user_callback, since_ns, result, run)           \
    do {                                                                     \
        if (uvs__on(callback)) {                                             \
            struct uvs__call call_;                                          \
            uvs__enter(&call_, kind, op, (void *)(user_callback), since_ns); \
            run;                                                             \
            uvs__leave(&call_, result, NULL);                                \
        } else {                                                             \
            const struct uvs__outer outer_ = uvs__step_in(op);               \
            run;                                                             \
            uvs__step_out(outer_);                                           \
        }                                                                    \
    } while (0)

// For callbacks that follow from a descriptor: when poll said it was ready. A lower bound of how long it
// waited.
uint64_t uvs__ready_since(void);

void uvs__tell_schedule(const uv_loop_t *loop, uint64_t op, uint8_t kind, void *callback,
                        uint64_t timeout_ms);

// The operation `op` is asked for by the running callback; uvs__event_ns() is then when.
static inline void uvs__ask(const uv_loop_t *loop, uint64_t op, uint8_t kind, void *callback,
                            uint64_t timeout_ms)
{
    uvs__self.event_ns = 0;
    if (uvs__on(schedule))
        uvs__tell_schedule(loop, op, kind, callback, timeout_ms);
}

// The same for a new operation, whose number is returned.
static inline uint64_t uvs__schedule(const uv_loop_t *loop, uint8_t kind, void *callback, uint64_t timeout_ms)
{
    const uint64_t op = uvs__next_op(&uvs__self);
    uvs__ask(loop, op, kind, callback, timeout_ms);
    return op;
}

#endif
