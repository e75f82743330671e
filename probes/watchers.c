// SPDX-License-Identifier: MIT
// Handles that watch something outside: poll, signal, process, fs_event, fs_poll.
#include <stddef.h>

#include "probes/sync.h"
#include "probes/watch.h"

#include "probes/poison.h"

UVS__HOT static void poll_trampoline(uv_poll_t *poll, int status, int events)
{
    UVS_RUN_HANDLE(poll, uv_poll_cb, UVS_KIND_POLL, uvs__ready_since(), status, poll, status, events);
}

UVS_WRAP(int, uv_poll_start, uv_poll_t *poll, int events, uv_poll_cb callback)
{
    int result = UVS_REAL(uv_poll_start)(poll, events, callback);
    if (result == 0)
        UVS_WATCH(poll, poll_cb, callback, poll_trampoline, UVS_KIND_POLL);
    return result;
}

static void signal_trampoline(uv_signal_t *signal, int number)
{
    UVS_RUN_HANDLE(signal, uv_signal_cb, UVS_KIND_SIGNAL, uvs__ready_since(), 0, signal, number);
}

UVS_WRAP(int, uv_signal_start, uv_signal_t *signal, uv_signal_cb callback, int number)
{
    int result = UVS_REAL(uv_signal_start)(signal, callback, number);
    if (result == 0)
        UVS_WATCH(signal, signal_cb, callback, signal_trampoline, UVS_KIND_SIGNAL);
    return result;
}

UVS_WRAP(int, uv_signal_start_oneshot, uv_signal_t *signal, uv_signal_cb callback, int number)
{
    int result = UVS_REAL(uv_signal_start_oneshot)(signal, callback, number);
    if (result == 0)
        UVS_WATCH(signal, signal_cb, callback, signal_trampoline, UVS_KIND_SIGNAL);
    return result;
}

static void exit_trampoline(uv_process_t *process, int64_t status, int signal)
{
    UVS_RUN_HANDLE(process, uv_exit_cb, UVS_KIND_PROCESS, uvs__ready_since(), 0, process, status, signal);
}

// Synchronous for the loop, whatever becomes of the child.
UVS_WRAP(int, uv_spawn, uv_loop_t *loop, uv_process_t *process, const uv_process_options_t *options)
{
    struct uvs__sync_call call;
    bool outer = uvs__self.spawning;
    uvs__sync_begin(&call, UVS_KIND_SPAWN, __builtin_return_address(0));
    uvs__self.spawning = true;
    int result = UVS_REAL(uv_spawn)(loop, process, options);
    uvs__self.spawning = outer;
    uvs__sync_end(&call, result);
    if (result == 0)
        UVS_WATCH(process, exit_cb, options->exit_cb, exit_trampoline, UVS_KIND_PROCESS);
    return result;
}

static void fs_event_trampoline(uv_fs_event_t *event, const char *name, int events, int status)
{
    UVS_RUN_HANDLE(event, uv_fs_event_cb, UVS_KIND_FS_EVENT, uvs__ready_since(), status, event, name, events,
                   status);
}

UVS_WRAP(int, uv_fs_event_start, uv_fs_event_t *event, uv_fs_event_cb callback, const char *path,
         unsigned flags)
{
    int result = UVS_REAL(uv_fs_event_start)(event, callback, path, flags);
    if (result == 0)
        UVS_WATCH(event, cb, callback, fs_event_trampoline, UVS_KIND_FS_EVENT);
    return result;
}

static void fs_poll_trampoline(uv_fs_poll_t *poll, int status, const uv_stat_t *before,
                               const uv_stat_t *after)
{
    UVS_RUN_HANDLE(poll, uv_fs_poll_cb, UVS_KIND_FS_POLL, 0, status, poll, status, before, after);
}

// libuv keeps this callback out of the handle: patched before the call, unless libuv will ignore it.
UVS_WRAP(int, uv_fs_poll_start, uv_fs_poll_t *poll, uv_fs_poll_cb callback, const char *path,
         unsigned interval)
{
    if (callback && !uvs__leaves_handles && !UVS_REAL(uv_is_active)((uv_handle_t *)poll)) {
        void **words = uvs__handle_words(poll);
        words[UVS_WORD_CALLBACK] = (void *)callback;
        uvs__set(words, UVS_WORD_OP, uvs__schedule(poll->loop, UVS_KIND_FS_POLL, (void *)callback, 0));
        callback = fs_poll_trampoline;
    }
    uvs__self.in_fs_poll = true;
    int result = UVS_REAL(uv_fs_poll_start)(poll, callback, path, interval);
    uvs__self.in_fs_poll = false;
    return result;
}
