// SPDX-License-Identifier: MIT
// The handles that a loop has left open: counted where libuv refused to close it, and when the program ends.
//
// A program may have given back a handle's memory without closing it, or the loop's. libuv does not look
// there again, so we must not crash there: everything is read by way of the kernel, and a handle counts only
// if it belongs to this loop and points back to the one before it.
#include "probes/open_handles.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "probes/emit.h"
#include "probes/hooks.h"
#include "probes/memory.h"
#include "probes/object.h"
#include "probes/words.h"

#include "probes/poison.h"

#define TELL_EVERY_NS 1000000000u

enum { ROWS = 32, HANDLES_MAX = 1 << 14 };
// libuv's flags of handles, the same in all versions.
enum { IS_CLOSING = 0x1, IS_ACTIVE = 0x4, IS_REFERENCED = 0x8, IS_INTERNAL = 0x10 };

#define X(NAME, number, name) _Static_assert((number) == UV_##NAME, "libuv numbers its handles otherwise");
#define UV_ALL                UV_UNKNOWN_HANDLE
UVS_HANDLE_MAP(X)
#undef UV_ALL
#undef X

// Where a handle of a type has its callbacks.
static const uint16_t callback_fields[UV_HANDLE_TYPE_MAX][2] = {
    [UV_ASYNC] = {offsetof(uv_async_t, async_cb)},
    [UV_CHECK] = {offsetof(uv_check_t, check_cb)},
    [UV_FS_EVENT] = {offsetof(uv_fs_event_t, cb)},
    [UV_IDLE] = {offsetof(uv_idle_t, idle_cb)},
    [UV_NAMED_PIPE] = {offsetof(uv_stream_t, read_cb), offsetof(uv_stream_t, connection_cb)},
    [UV_POLL] = {offsetof(uv_poll_t, poll_cb)},
    [UV_PREPARE] = {offsetof(uv_prepare_t, prepare_cb)},
    [UV_PROCESS] = {offsetof(uv_process_t, exit_cb)},
    [UV_TCP] = {offsetof(uv_stream_t, read_cb), offsetof(uv_stream_t, connection_cb)},
    [UV_TIMER] = {offsetof(uv_timer_t, timer_cb)},
    [UV_TTY] = {offsetof(uv_stream_t, read_cb), offsetof(uv_stream_t, connection_cb)},
    [UV_UDP] = {offsetof(uv_udp_t, recv_cb)},
    [UV_SIGNAL] = {offsetof(uv_signal_t, signal_cb)},
};

// rows[0] is of all.
struct found {
    struct uvs_ev_handles_open rows[ROWS];
    size_t count;
    struct uvs__object own; // where the trampolines lie
};

// What the program wants to be called. Only of an active handle libuv has set the field, and we our word.
static uintptr_t callback_of(const struct found *found, uintptr_t address, const uv_handle_t *handle)
{
    const uintptr_t remembered = uvs__get(handle->u.reserved, UVS_WORD_CALLBACK);
    if (!(handle->flags & IS_ACTIVE))
        return 0;
    if (handle->type == UV_FS_POLL) // has it in memory of libuv's own
        return uvs__leaves_handles ? 0 : remembered;
    for (size_t i = 0; i < 2; i++) {
        const size_t offset = callback_fields[handle->type][i];
        uintptr_t callback;
        if (offset && uvs__read_memory(address + offset, &callback, sizeof(callback)) && callback)
            return callback >= found->own.begin && callback < found->own.end ? remembered : callback;
    }
    return 0;
}

static void count_in(struct uvs_ev_handles_open *row, unsigned flags)
{
    const unsigned keeping = IS_ACTIVE | IS_REFERENCED;
    row->count++;
    row->closing += (flags & IS_CLOSING) != 0;
    row->keeping += (flags & (keeping | IS_CLOSING)) == keeping;
}

// What there is no room for is in the first row alone.
static void count(struct found *found, uintptr_t address, const uv_handle_t *handle)
{
    const uint8_t type = (uint8_t)handle->type;
    const uintptr_t callback = callback_of(found, address, handle);
    size_t at = 1;
    while (at < found->count && (found->rows[at].type != type || found->rows[at].callback != callback))
        at++;
    if (at == found->count && at < ROWS)
        found->rows[found->count++] = (struct uvs_ev_handles_open){.type = type, .callback = callback};
    if (at < ROWS)
        count_in(&found->rows[at], handle->flags);
    count_in(&found->rows[0], handle->flags);
}

static bool is_handle_of(const uv_handle_t *handle, const uv_loop_t *loop)
{
    return handle->loop == loop && handle->type > UV_UNKNOWN_HANDLE && handle->type < UV_HANDLE_TYPE_MAX;
}

static void walk(struct found *found, const uv_loop_t *loop)
{
    const uintptr_t head = (uintptr_t)&loop->handle_queue;
    uintptr_t before = head, links[2]; // next, previous
    if (!uvs__read_memory(head, links, sizeof(links)))
        return;
    for (int i = 0; i < HANDLES_MAX && links[0] != head; i++) {
        const uintptr_t node = links[0], address = node - offsetof(uv_handle_t, handle_queue);
        uv_handle_t handle;
        if (!uvs__read_memory(address, &handle, sizeof(handle)) || !is_handle_of(&handle, loop))
            return;
        memcpy(links, &handle.handle_queue, sizeof(links));
        if (links[1] != before)
            return;
        before = node;
        if (!(handle.flags & IS_INTERNAL))
            count(found, address, &handle);
    }
}

static void tell(const struct uvs__loop *slot, enum uvs_open when)
{
    struct found found = {.count = 1};
    uvs__object_of((const void *)walk, &found.own);
    walk(&found, slot->loop);
    for (size_t i = 0; i < found.count && found.rows[0].count; i++) {
        found.rows[i].loop = slot->key;
        found.rows[i].when = (uint8_t)when;
        uvs__emit_handles_open(&found.rows[i]);
    }
}

// The loop may have been given back by now.
static bool is_still_there(const struct uvs__loop *slot)
{
    uintptr_t word;
    return slot->loop &&
           uvs__read_memory((uintptr_t)&slot->loop->wq_async.u.reserved[1], &word, sizeof(word)) &&
           word == (uintptr_t)slot;
}

// Other threads' loops may be running.
static void tell_at_exit(void)
{
    if (!uvs__on(handles_open))
        return;
    const uint32_t tid = uvs__tid(&uvs__self);
    for (uint32_t i = 0; i < UVS_SLOT_NONE; i++)
        if (uvs__loops[i].tid == tid && !uvs__loops[i].refused_ns && is_still_there(&uvs__loops[i]))
            tell(&uvs__loops[i], UVS_OPEN_EXIT);
}

static void register_exit(void)
{
    atexit(tell_at_exit);
}

// Not by a constructor: then it would run after LTTng's own end.
void uvs__handles_await_exit(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_exit);
}

// A program may ask until it succeeds.
void uvs__handles_refused(struct uvs__loop *slot)
{
    if (!uvs__on(handles_open))
        return;
    const int saved = errno;
    const uint64_t now_ns = uvs__now();
    if (!slot->refused_ns || now_ns - slot->refused_ns >= TELL_EVERY_NS) {
        slot->refused_ns = now_ns;
        tell(slot, UVS_OPEN_CLOSE);
    }
    errno = saved;
}

void uvs__handles_closed(struct uvs__loop *slot)
{
    if (slot->refused_ns)
        uvs__emit_handles_open(
            &(struct uvs_ev_handles_open){.loop = slot->key, .when = UVS_OPEN_CLOSE, .type = UVS_HANDLE_ALL});
}
