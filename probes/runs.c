// SPDX-License-Identifier: MIT
// A loop's life: uv_loop_init, uv_run, uv_loop_close.
#include "probes/hooks.h"
#include "probes/loop.h"
#include "probes/open_handles.h"
#include "probes/sync.h"

#include "probes/poison.h"

UVS_WRAP(uv_loop_t *, uv_default_loop, void)
{
    uv_loop_t *loop = UVS_REAL(uv_default_loop)();
    uvs__note_default_loop(loop, UVS_COPY);
    return loop;
}

UVS_WRAP(int, uv_loop_init, uv_loop_t *loop)
{
    int result = UVS_REAL(uv_loop_init)(loop);
    if (result == 0)
        uvs__loop_attach(loop, UVS_COPY);
    return result;
}

UVS_WRAP(int, uv_loop_close, uv_loop_t *loop)
{
    // libuv may overwrite a closed loop's memory.
    struct uvs__loop *slot = uvs__loop_of(loop);
    int result = UVS_REAL(uv_loop_close)(loop);
    if (result == UV_EBUSY && slot)
        uvs__handles_refused(slot);
    if (result == 0 && slot) {
        uvs__handles_closed(slot);
        uvs__loop_detach(slot);
    }
    return result;
}

// In a forked child, perhaps from inside a callback: the backend descriptor is another one now.
UVS_WRAP(int, uv_loop_fork, uv_loop_t *loop)
{
    int result = UVS_REAL(uv_loop_fork)(loop);
    struct uvs__loop *slot = uvs__loop_of(loop);
    if (slot)
        slot->backend_fd = UVS_REAL(uv_backend_fd)(loop);
    return result;
}

// What uv_run changes of its thread and puts back: a loop may be run from inside a callback of another one.
// Cleanups, because an exception or the thread's cancellation may be what leaves uv_run.
struct running {
    struct uvs__loop *loop, *outer_loop;
    uint64_t outer_op;
    uint8_t outer_depth;
    bool outer_in_sync_call;
};

static void leave_run(const struct running *running)
{
    struct uvs__thread *self = &uvs__self;
    uvs__run_end(running->loop);
    self->loop = running->outer_loop;
    self->op = running->outer_op;
    self->depth = running->outer_depth;
    self->in_sync_call = running->outer_in_sync_call;
}

static int run(struct uvs__loop *loop, uv_run_mode mode)
{
    struct uvs__thread *self = &uvs__self;
    const struct running running __attribute__((unused, cleanup(leave_run))) = {
        loop, self->loop, self->op, self->depth, self->in_sync_call};
    self->loop = loop;
    self->op = 0;
    self->depth = 0;
    self->in_sync_call = false;
    uvs__run_begin(loop, UVS_REAL(uv_backend_fd)(loop->loop));
    return UVS_REAL(uv_run)(loop->loop, mode);
}

struct running_again {
    struct uvs__loop *loop;
    uint8_t outer_base;
};

static void leave_run_again(const struct running_again *running)
{
    running->loop->base_depth = running->outer_base;
}

// A callback runs its own loop again: polls and callbacks go on as if libuv had not been left, one level
// deeper.
static int run_again(struct uvs__loop *loop, uv_run_mode mode)
{
    const struct running_again running
        __attribute__((unused, cleanup(leave_run_again))) = {loop, loop->base_depth};
    loop->base_depth = uvs__self.depth;
    return UVS_REAL(uv_run)(loop->loop, mode);
}

UVS_WRAP(int, uv_run, uv_loop_t *loop, uv_run_mode mode)
{
    struct uvs__loop *slot = uvs__loop_of(loop);
    if (!slot)
        slot = uvs__loop_attach(loop, UVS_COPY);
    if (!slot)
        return UVS_REAL(uv_run)(loop, mode);
    if (!uvs__self.loop)
        return run(slot, mode);
    if (uvs__self.loop == slot)
        return run_again(slot, mode);
    struct uvs__sync_call call;
    uvs__sync_begin(&call, UVS_KIND_NESTED_RUN, __builtin_return_address(0));
    int result = run(slot, mode);
    uvs__sync_end(&call, result);
    return result;
}
