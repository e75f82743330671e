// SPDX-License-Identifier: MIT
// fork, daemon and close.
//
// A forked child that goes on running needs LTTng's helpers: without them its events carry the parent's pid,
// and a daemon crashes at exit. A child that only execs (uv_spawn, posix_spawn) does not, and they are
// slow: 1.5-2.5 ms on the loop. A program that closes descriptors it does not own must not close LTTng's.
#include "probes/guest.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "probes/hooks.h"
#include "probes/runtime.h"

#include "probes/poison.h"

static struct {
    void (*before_fork)(sigset_t *saved);
    void (*after_fork_parent)(sigset_t *saved);
    void (*after_fork_child)(sigset_t *saved);
    int (*safe_close)(int fd, int (*real)(int));
    int (*safe_closefrom)(int lowest, int (*real)(int));
} lttng;

void uvs__guest_init(void *provider)
{
    const struct {
        const char *name;
        void **function;
    } rows[] = {
        {"lttng_ust_before_fork", (void **)&lttng.before_fork},
        {"lttng_ust_after_fork_parent", (void **)&lttng.after_fork_parent},
        {"lttng_ust_after_fork_child", (void **)&lttng.after_fork_child},
        {"lttng_ust_safe_close_fd", (void **)&lttng.safe_close},
        {"lttng_ust_safe_closefrom_fd", (void **)&lttng.safe_closefrom},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        *rows[i].function = dlsym(provider, rows[i].name);
}

// --- fork ---

static bool fork_needs_help(void)
{
    return __atomic_load_n(&uvs__provider_loaded, __ATOMIC_ACQUIRE) && !uvs__self.spawning &&
           lttng.before_fork && lttng.after_fork_parent && lttng.after_fork_child;
}

static void after_fork(bool child, sigset_t *saved)
{
    int saved_errno = errno;
    if (child) {
        lttng.after_fork_child(saved);
        uvs__process_after_fork();
    } else {
        lttng.after_fork_parent(saved);
    }
    errno = saved_errno;
}

UVS_WRAP(pid_t, fork, void)
{
    if (!fork_needs_help())
        return UVS_REAL_LIBC(fork)();
    sigset_t saved;
    lttng.before_fork(&saved);
    pid_t child = UVS_REAL_LIBC(fork)();
    after_fork(child == 0, &saved);
    return child;
}

// The parent does not come back: it _exits inside.
UVS_WRAP(int, daemon, int nochdir, int noclose)
{
    if (!fork_needs_help())
        return UVS_REAL_LIBC(daemon)(nochdir, noclose);
    sigset_t saved;
    lttng.before_fork(&saved);
    int result = UVS_REAL_LIBC(daemon)(nochdir, noclose);
    after_fork(result == 0, &saved);
    return result;
}

// --- close ---

// A child between fork (or vfork) and exec owns its descriptors, and must not wait for a lock that another
// thread held in the parent.
static bool close_needs_help(void)
{
    return __atomic_load_n(&uvs__provider_loaded, __ATOMIC_ACQUIRE) && lttng.safe_close &&
           lttng.safe_closefrom && (uint32_t)getpid() == uvs__pid;
}

UVS_WRAP(int, close, int fd)
{
    if (!close_needs_help())
        return UVS_REAL_LIBC(close)(fd);
    return lttng.safe_close(fd, UVS_REAL_LIBC(close));
}

// Closes the open ones, as the kernel would. Counting through all there could be, as LTTng does, takes
// minutes where the limit is a thousand million, and misses those above a limit that was lowered. False
// without /proc.
static bool close_listed(unsigned first, unsigned last)
{
    struct entry { // as the kernel has it
        uint64_t inode, next;
        unsigned short length;
        unsigned char type;
        char name[];
    };
    _Alignas(struct entry) char entries[2048];
    int directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return false;
    long length;
    while ((length = syscall(SYS_getdents64, directory, entries, sizeof(entries))) > 0) {
        for (long at = 0; at < length; at += ((const struct entry *)(entries + at))->length) {
            unsigned fd = 0;
            const char *digit = ((const struct entry *)(entries + at))->name;
            for (; *digit >= '0' && *digit <= '9'; digit++)
                fd = fd * 10 + (unsigned)(*digit - '0');
            if (!*digit && fd >= first && fd <= last && fd != (unsigned)directory)
                lttng.safe_close((int)fd, UVS_REAL_LIBC(close));
        }
    }
    UVS_REAL_LIBC(close)(directory);
    return length == 0;
}

UVS_WRAP(int, close_range, unsigned first, unsigned last, int flags)
{
    // With flags nothing is closed here: CLOSE_RANGE_CLOEXEC marks, CLOSE_RANGE_UNSHARE is a table of its
    // own.
    if (flags || first > last || first > INT_MAX || !close_needs_help())
        return UVS_REAL_LIBC(close_range)(first, last, flags);
    int saved = errno;
    bool listed = close_listed(first, last);
    errno = saved;
    if (listed)
        return 0;
    if (last >= INT_MAX)
        return lttng.safe_closefrom((int)first, UVS_REAL_LIBC(close));
    long open_max = sysconf(_SC_OPEN_MAX);
    unsigned end = open_max > 0 && last >= (unsigned)open_max ? (unsigned)open_max - 1 : last;
    for (unsigned fd = first; fd <= end; fd++)
        lttng.safe_close((int)fd, UVS_REAL_LIBC(close));
    return 0;
}

UVS_WRAP(void, closefrom, int lowest)
{
    int saved = errno;
    if (!close_needs_help())
        UVS_REAL_LIBC(closefrom)(lowest);
    else if (!close_listed(lowest < 0 ? 0 : (unsigned)lowest, INT_MAX))
        lttng.safe_closefrom(lowest < 0 ? 0 : lowest, UVS_REAL_LIBC(close));
    errno = saved;
}
