// SPDX-License-Identifier: MIT
// The hook table: one row per function that the runtime stands in front of.
//
// A wrapper is written as UVS_WRAP(int, uv_run, uv_loop_t *loop, uv_run_mode mode) { … UVS_REAL(uv_run)(loop,
// mode) … }. It is exported under the function's own name, so that the dynamic linker binds callers to it
// (interposition), and is known as uvs__wrap0_<name> inside.
//
// A process may have several copies of libuv: the one that the dynamic linker binds to, and others inside
// libraries that do not export theirs. Each copy has wrappers of its own, so that a call goes on to the copy
// that was called, at no cost to anybody: the files with wrappers of libuv's functions are compiled once for
// each, with UVS_COPY as its number. Copy 0 is the one that is bound to; without such a one, the
// executable's.
#ifndef UVS_HOOKS_H
#define UVS_HOOKS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/types.h>
#include <unistd.h>
#include <uv.h>
#include "probes/patch.h"
#include "probes/uvs_abi.h"

// Newer than the oldest headers that this is built with.
int close_range(unsigned first, unsigned last, int flags);
int uv_pipe_connect2(uv_connect_t *request, uv_pipe_t *pipe, const char *name, size_t length, unsigned flags,
                     uv_connect_cb callback);

// libuv
#define UVS_HOOK_UV_MAP(X)     \
    X(uv_default_loop)         \
    X(uv_loop_init)            \
    X(uv_loop_close)           \
    X(uv_run)                  \
    X(uv_timer_start)          \
    X(uv_timer_again)          \
    X(uv_idle_start)           \
    X(uv_prepare_start)        \
    X(uv_check_start)          \
    X(uv_async_init)           \
    X(uv_async_send)           \
    X(uv_close)                \
    X(uv_getaddrinfo)          \
    X(uv_getnameinfo)          \
    X(uv_random)               \
    X(uv_loop_fork)            \
    X(uv_read_start)           \
    X(uv_write)                \
    X(uv_write2)               \
    X(uv_try_write)            \
    X(uv_try_write2)           \
    X(uv_udp_try_send)         \
    X(uv_tcp_connect)          \
    X(uv_pipe_connect)         \
    X(uv_pipe_connect2)        \
    X(uv_listen)               \
    X(uv_shutdown)             \
    X(uv_udp_send)             \
    X(uv_udp_recv_start)       \
    X(uv_poll_start)           \
    X(uv_signal_start)         \
    X(uv_signal_start_oneshot) \
    X(uv_fs_event_start)       \
    X(uv_fs_poll_start)        \
    X(uv_queue_work)           \
    X(uv_cancel)               \
    X(uv_thread_create_ex)     \
    X(uv_spawn)                \
    X(uv_sleep)                \
    X(uv_thread_join)          \
    X(uv_sem_wait)             \
    X(uv_cond_wait)            \
    X(uv_cond_timedwait)       \
    X(uv_barrier_wait)         \
    X(uv_mutex_lock)           \
    X(uv_rwlock_rdlock)        \
    X(uv_rwlock_wrlock)

// uv_fs_*: X(function, uv_fs_type without UV_FS_, (parameters between req and cb), (arguments between req and
// cb))
#define UVS_HOOK_FS_MAP(X)                                                                                  \
    X(uv_fs_open, OPEN, (const char *path, int flags, int mode), (path, flags, mode))                       \
    X(uv_fs_close, CLOSE, (uv_file file), (file))                                                           \
    X(uv_fs_read, READ, (uv_file file, const uv_buf_t bufs[], unsigned nbufs, int64_t offset),              \
      (file, bufs, nbufs, offset))                                                                          \
    X(uv_fs_write, WRITE, (uv_file file, const uv_buf_t bufs[], unsigned nbufs, int64_t offset),            \
      (file, bufs, nbufs, offset))                                                                          \
    X(uv_fs_sendfile, SENDFILE, (uv_file out, uv_file in, int64_t offset, size_t length),                   \
      (out, in, offset, length))                                                                            \
    X(uv_fs_stat, STAT, (const char *path), (path))                                                         \
    X(uv_fs_lstat, LSTAT, (const char *path), (path))                                                       \
    X(uv_fs_fstat, FSTAT, (uv_file file), (file))                                                           \
    X(uv_fs_ftruncate, FTRUNCATE, (uv_file file, int64_t offset), (file, offset))                           \
    X(uv_fs_utime, UTIME, (const char *path, double atime, double mtime), (path, atime, mtime))             \
    X(uv_fs_futime, FUTIME, (uv_file file, double atime, double mtime), (file, atime, mtime))               \
    X(uv_fs_lutime, LUTIME, (const char *path, double atime, double mtime), (path, atime, mtime))           \
    X(uv_fs_access, ACCESS, (const char *path, int mode), (path, mode))                                     \
    X(uv_fs_chmod, CHMOD, (const char *path, int mode), (path, mode))                                       \
    X(uv_fs_fchmod, FCHMOD, (uv_file file, int mode), (file, mode))                                         \
    X(uv_fs_fsync, FSYNC, (uv_file file), (file))                                                           \
    X(uv_fs_fdatasync, FDATASYNC, (uv_file file), (file))                                                   \
    X(uv_fs_unlink, UNLINK, (const char *path), (path))                                                     \
    X(uv_fs_rmdir, RMDIR, (const char *path), (path))                                                       \
    X(uv_fs_mkdir, MKDIR, (const char *path, int mode), (path, mode))                                       \
    X(uv_fs_mkdtemp, MKDTEMP, (const char *tpl), (tpl))                                                     \
    X(uv_fs_mkstemp, MKSTEMP, (const char *tpl), (tpl))                                                     \
    X(uv_fs_rename, RENAME, (const char *path, const char *new_path), (path, new_path))                     \
    X(uv_fs_copyfile, COPYFILE, (const char *path, const char *new_path, int flags),                        \
      (path, new_path, flags))                                                                              \
    X(uv_fs_scandir, SCANDIR, (const char *path, int flags), (path, flags))                                 \
    X(uv_fs_opendir, OPENDIR, (const char *path), (path))                                                   \
    X(uv_fs_readdir, READDIR, (uv_dir_t * dir), (dir))                                                      \
    X(uv_fs_closedir, CLOSEDIR, (uv_dir_t * dir), (dir))                                                    \
    X(uv_fs_link, LINK, (const char *path, const char *new_path), (path, new_path))                         \
    X(uv_fs_symlink, SYMLINK, (const char *path, const char *new_path, int flags), (path, new_path, flags)) \
    X(uv_fs_readlink, READLINK, (const char *path), (path))                                                 \
    X(uv_fs_realpath, REALPATH, (const char *path), (path))                                                 \
    X(uv_fs_chown, CHOWN, (const char *path, uv_uid_t uid, uv_gid_t gid), (path, uid, gid))                 \
    X(uv_fs_fchown, FCHOWN, (uv_file file, uv_uid_t uid, uv_gid_t gid), (file, uid, gid))                   \
    X(uv_fs_lchown, LCHOWN, (const char *path, uv_uid_t uid, uv_gid_t gid), (path, uid, gid))               \
    X(uv_fs_statfs, STATFS, (const char *path), (path))

// libc
#define UVS_HOOK_LIBC_MAP(X) \
    X(epoll_wait)            \
    X(epoll_pwait)           \
    X(fork)                  \
    X(daemon)                \
    X(close)                 \
    X(close_range)           \
    X(closefrom)             \
    X(fopen)                 \
    X(fopen64)               \
    X(_exit)                 \
    X(_Exit)                 \
    X(execve)                \
    X(execv)                 \
    X(execvp)                \
    X(execvpe)               \
    X(fexecve)               \
    X(execl)                 \
    X(execlp)                \
    X(execle)

#ifndef UVS_COPY
#define UVS_COPY 0
#endif
#define UVS_JOIN_3(a, b, c)   a##b##c
#define UVS_JOIN(a, b, c)     UVS_JOIN_3(a, b, c)
#define UVS_WRAPPER(function) UVS_JOIN(uvs__wrap, UVS_COPY, _##function)

// The functions behind the wrappers. NULL until resolved: other constructors may call before ours has run.
struct uvs__functions {
#define X(function, ...) __typeof__(&function) function;
    UVS_HOOK_UV_MAP(X) UVS_BORROWED_UV_MAP(X) UVS_HOOK_FS_MAP(X)
#undef X
};

struct uvs__copy {
    struct uvs__functions real;
    enum uvs_hooks mode;
    uintptr_t entry;               // uv_run's, of one that is hooked and not exported
    uintptr_t own_begin, own_size; // where its own callbacks lie, see uvs__is_libuvs_own
    uint32_t pool_threads;         // 0 = its pool has not started yet
    bool is_hooked;
    char unhooked[1024]; // functions left alone, separated by spaces
    char object[4096];   // the file that a further copy lies in
};
extern struct uvs__copy uvs__copies[UVS_COPY_COUNT];
#define uvs__real (uvs__copies[UVS_COPY].real)

struct uvs__functions_libc {
#define X(function, ...) __typeof__(&function) function;
    UVS_HOOK_LIBC_MAP(X)
#undef X
};
extern struct uvs__functions_libc uvs__real_libc;

// Of every copy.
#define X(function, ...)                                                                             \
    extern __typeof__(function) uvs__wrap0_##function, uvs__wrap1_##function, uvs__wrap2_##function, \
        uvs__wrap3_##function;
UVS_HOOK_UV_MAP(X)
UVS_HOOK_FS_MAP(X)
#undef X
_Static_assert(UVS_COPY_COUNT == 4, "each copy needs its wrappers here, in hooks.c and in CMakeLists.txt");
#define X(function, ...) extern __typeof__(function) uvs__wrap0_##function;
UVS_HOOK_LIBC_MAP(X)
#undef X

// Those that programs pass through all the time.
#define UVS_HOT_MAP(X) \
    X(uv_timer_start)  \
    X(uv_timer_again)  \
    X(uv_async_send)   \
    X(uv_write)        \
    X(uv_write2)       \
    X(uv_try_write)    \
    X(uv_mutex_lock)   \
    X(uv_cond_wait)    \
    X(uv_queue_work)   \
    X(uv_fs_open)      \
    X(uv_fs_close)     \
    X(uv_fs_read)      \
    X(uv_fs_write)     \
    X(uv_fs_stat)      \
    X(uv_fs_fstat)     \
    X(epoll_wait)      \
    X(epoll_pwait)
#define X(function) extern __typeof__(function) UVS_WRAPPER(function) __attribute__((hot));
UVS_HOT_MAP(X)
#undef X

struct uvs__hook {
    const char *name;
    void *wrappers[UVS_COPY_COUNT]; // NULL: only called, not hooked
    size_t real;                    // its offset in struct uvs__functions
};
#define X(...) +1
enum { UVS_LIBUV_HOOK_COUNT = 0 UVS_HOOK_UV_MAP(X) UVS_HOOK_FS_MAP(X) UVS_BORROWED_UV_MAP(X) };
#undef X
extern const struct uvs__hook uvs__libuv_hooks[UVS_LIBUV_HOOK_COUNT];

static inline void **uvs__real_of(const struct uvs__hook *hook, struct uvs__copy *copy)
{
    return (void **)((char *)&copy->real + hook->real);
}

void uvs__resolve_libc(void);
// True when a libuv is loaded that is bound to; finds one that was loaded later too.
bool uvs__resolve_libuv(void);
// Copy 0's functions are known, and stay as they are.
void uvs__set_resolved(void);

// Those of further copies are known before anything leads to their wrappers.
#define UVS_IS_RESOLVED(function) (UVS_COPY != 0 || __builtin_expect(uvs__real.function != NULL, 1))
#define UVS_REAL(function) \
    (UVS_IS_RESOLVED(function) ? uvs__real.function : (uvs__resolve_libuv(), uvs__real.function))
#define UVS_REAL_LIBC(function)                                                                     \
    (__builtin_expect(!uvs__real_libc.function, 0) ? (uvs__resolve_libc(), uvs__real_libc.function) \
                                                   : uvs__real_libc.function)

#if UVS_COPY == 0
#define UVS_WRAP(result, function, ...)                                                                  \
    result function(__VA_ARGS__) __attribute__((alias("uvs__wrap0_" #function), visibility("default"))); \
    result UVS_WRAPPER(function)(__VA_ARGS__)
#else
#define UVS_WRAP(result, function, ...) result UVS_WRAPPER(function)(__VA_ARGS__)
#endif

// Handles and requests that libuv owns are never touched: their callbacks lie in libuv's own object or, where
// it shares that with its users, were learnt (uv_fs_poll's, the only one), or their handle is marked as
// internal.
static inline bool uvs__is_libuvs_own(const void *callback)
{
    const struct uvs__copy *copy = &uvs__copies[UVS_COPY];
    // With a size of 0 the begin may still be missing.
    const uintptr_t size = __atomic_load_n(&copy->own_size, __ATOMIC_ACQUIRE);
    return (uintptr_t)callback - __atomic_load_n(&copy->own_begin, __ATOMIC_RELAXED) < size;
}

static inline void uvs__learn_own_callback(void *callback)
{
    struct uvs__copy *copy = &uvs__copies[UVS_COPY];
    if (__atomic_load_n(&copy->own_size, __ATOMIC_RELAXED) || !callback)
        return;
    __atomic_store_n(&copy->own_begin, (uintptr_t)callback, __ATOMIC_RELAXED);
    __atomic_store_n(&copy->own_size, 1, __ATOMIC_RELEASE);
}

// UVSCOPE_HANDLES=off: the program keeps pointers of its own in its handles' reserved words.
extern bool uvs__leaves_handles;

static inline bool uvs__leaves_alone(const void *handle)
{
    enum { UV_HANDLE_INTERNAL_FLAG = 0x10 }; // libuv's UV_HANDLE_INTERNAL, the same in all versions
    return uvs__leaves_handles || ((const uv_handle_t *)handle)->flags & UV_HANDLE_INTERNAL_FLAG;
}

#endif
