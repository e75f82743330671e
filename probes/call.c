// SPDX-License-Identifier: MIT
// Around every user callback.
#include "probes/call.h"

#include <limits.h>

#include "probes/lean.h"

#include "probes/poison.h"

static void watch(struct uvs__loop *loop, uint64_t op, void *callback, uint8_t kind)
{
    __atomic_store_n(&loop->watch.op, op, __ATOMIC_RELAXED);
    __atomic_store_n(&loop->watch.callback, callback, __ATOMIC_RELAXED);
    __atomic_store_n(&loop->watch.kind, kind, __ATOMIC_RELAXED);
}

void uvs__enter(struct uvs__call *call, uint8_t kind, uint64_t op, void *callback, uint64_t since_ns)
{
    struct uvs__thread *self = &uvs__self;
    struct uvs__loop *loop = self->loop;
    call->op = op;
    call->kind = kind;
    call->callback = callback;
    call->outer_op = self->op;
    call->depth = self->depth;
    self->op = op;
    if (self->depth < UINT8_MAX)
        self->depth++;
    call->begin_ns = 0;
    if (!uvs__on(callback))
        return;
    if (loop) {
        if (loop->poll.calls)
            uvs__flush_poll(loop);
        call->outer_callback = loop->watch.callback;
        call->outer_kind = loop->watch.kind;
        watch(loop, op, callback, kind);
    }
    if (uvs__on(callback_begin))
        uvs__emit_callback_begin(&(struct uvs_ev_callback_begin){.loop = uvs__key(loop), .op = op});
    call->begin_ns = uvs__now();
    call->delay_ns = !since_ns ? UVS_ABSENT : call->begin_ns > since_ns ? call->begin_ns - since_ns : 0;
}

static int32_t clamp_result(int64_t result)
{
    return result > INT32_MAX ? INT32_MAX : result < INT32_MIN ? INT32_MIN : (int32_t)result;
}

void uvs__leave(const struct uvs__call *call, int64_t result)
{
    uvs__leave_request(call, result, NULL);
}

void uvs__leave_request(const struct uvs__call *call, int64_t result, const struct uvs__triple *triple)
{
    struct uvs__thread *self = &uvs__self;
    self->op = call->outer_op;
    self->depth = call->depth;
    if (!call->begin_ns)
        return;
    struct uvs__loop *loop = self->loop;
    if (loop) {
        watch(loop, call->outer_op, call->outer_callback, call->outer_kind);
        if (loop->lean && uvs__lean_callback(loop, call, uvs__now() - call->begin_ns, result, triple))
            return;
        loop->callbacks += call->depth == 0;
    }
    uvs__emit_callback(&(struct uvs_ev_callback){
        .loop = uvs__key(loop),
        .op = call->op,
        .kind = call->kind,
        .depth = call->depth,
        .callback = (uintptr_t)call->callback,
        .duration_ns = -call->begin_ns, // until the event
        .delay_ns = call->delay_ns,
        .result = clamp_result(result),
    });
}

uint64_t uvs__ready_since(void)
{
    const struct uvs__loop *loop = uvs__self.loop;
    return loop ? loop->busy_begin_ns : 0;
}

uint64_t uvs__schedule(const uv_loop_t *loop, uint8_t kind, void *callback, uint64_t timeout_ms)
{
    struct uvs__thread *self = &uvs__self;
    uint64_t op = uvs__next_op(self);
    self->event_ns = 0;
    if (!uvs__on(schedule) || uvs__lean_on())
        return op;
    uvs__announce_first();
    uvs__emit_schedule(&(struct uvs_ev_schedule){
        .loop = uvs__key_of(loop),
        .op = op,
        .parent = self->op,
        .kind = kind,
        .callback = (uintptr_t)callback,
        .timeout_ms = timeout_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)timeout_ms,
    });
    return op;
}
