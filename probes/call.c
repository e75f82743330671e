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

UVS__APART UVS__HOT void uvs__enter(struct uvs__call *call, uint8_t kind, uint64_t op, void *callback,
                                    uint64_t since_ns)
{
    struct uvs__loop *loop = uvs__self.loop;
    call->outer = uvs__step_in(op);
    call->op = op;
    call->kind = kind;
    call->callback = callback;
    call->since_ns = since_ns;
    if (loop) {
        call->outer_callback = loop->watch.callback;
        call->outer_kind = loop->watch.kind;
        watch(loop, op, callback, kind);
        if (loop->poll.calls)
            uvs__flush_poll(loop);
    }
    if (uvs__on(callback_begin))
        uvs__emit_callback_begin(&(struct uvs_ev_callback_begin){.loop = uvs__key(loop), .op = call->op});
    // Last: what is done here is not the callback's.
    call->begin_ns = uvs__now();
}

static int32_t clamp_result(int64_t result)
{
    return result > INT32_MAX ? INT32_MAX : result < INT32_MIN ? INT32_MIN : (int32_t)result;
}

static inline __attribute__((always_inline)) void tell(uint32_t loop, const struct uvs__call *call,
                                                       int64_t result)
{
    uvs__emit_callback(&(struct uvs_ev_callback){
        .loop = loop,
        .op = call->op,
        .kind = call->kind,
        .depth = call->outer.depth,
        .callback = (uintptr_t)call->callback,
        .duration_ns = -call->begin_ns, // until the event
        .delay_ns = uvs__delay_ns(call),
        .result = clamp_result(result),
    });
}

UVS__APART UVS__HOT static void count_or_tell(struct uvs__loop *loop, const struct uvs__call *call,
                                              int64_t result, const struct uvs__triple *triple)
{
    if (uvs__lean_callback(loop, call, uvs__now() - call->begin_ns, result, triple))
        return;
    loop->callbacks += call->outer.depth == 0;
    tell(loop->key, call, result);
}

UVS__APART UVS__HOT void uvs__leave(const struct uvs__call *call, int64_t result,
                                    const struct uvs__triple *triple)
{
    struct uvs__loop *loop = uvs__self.loop;
    uvs__step_out(call->outer);
    if (loop) {
        watch(loop, call->outer.op, call->outer_callback, call->outer_kind);
        if (loop->lean) {
            count_or_tell(loop, call, result, triple);
            return;
        }
        loop->callbacks += call->outer.depth == 0;
    }
    tell(uvs__key(loop), call, result);
}

uint64_t uvs__ready_since(void)
{
    const struct uvs__loop *loop = uvs__self.loop;
    return loop ? loop->busy_begin_ns : 0;
}

UVS__APART UVS__HOT void uvs__tell_schedule(const uv_loop_t *loop, uint64_t op, uint8_t kind, void *callback,
                                            uint64_t timeout_ms)
{
    if (uvs__lean_on())
        return;
    struct uvs_ev_schedule event = {
        .op = op,
        .parent = uvs__self.op,
        .kind = kind,
        .callback = (uintptr_t)callback,
        .timeout_ms = timeout_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)timeout_ms,
    };
    event.loop = uvs__key_here(loop);
    uvs__announce_first();
    uvs__emit_schedule(&event);
}
