// SPDX-License-Identifier: MIT
// Synchronous calls: when they are recorded, and how.
#include "probes/sync.h"

#include <stdbool.h>
#include <stddef.h>

#include "probes/emit.h"
#include "probes/lean.h"
#include "probes/loop.h"

#include "probes/poison.h"

UVS__APART void uvs__sync_begin(struct uvs__sync_call *call, uint8_t kind, const void *caller)
{
    struct uvs__thread *self = &uvs__self;
    call->begin_ns = 0;
    // A pool worker may wait as it likes: it holds no loop, unless it runs one of its own.
    if (!uvs__on(sync_call) || self->in_sync_call || (self->worker && !self->loop))
        return;
    self->in_sync_call = true;
    call->kind = kind;
    call->caller = caller;
    call->loop = uvs__key(self->loop);
    call->begin_ns = uvs__now();
}

UVS__APART void uvs__sync_end(const struct uvs__sync_call *call, int64_t result)
{
    if (!call->begin_ns)
        return;
    uvs__self.in_sync_call = false;
    uint64_t now_ns = uvs__now();
    struct uvs__loop *loop = uvs__self.loop;
    if (!loop)
        uvs__announce(NULL, now_ns);
    else if (loop->lean && call->loop == loop->key &&
             uvs__lean_sync_call(loop, call->kind, call->caller, now_ns - call->begin_ns))
        return;
    uvs__emit_sync_call(&(struct uvs_ev_sync_call){
        .loop = call->loop,
        .kind = call->kind,
        .caller = (uintptr_t)call->caller,
        .duration_ns = now_ns - call->begin_ns,
        .result = result > INT32_MAX   ? INT32_MAX
                  : result < INT32_MIN ? INT32_MIN
                                       : (int32_t)result,
    });
}
