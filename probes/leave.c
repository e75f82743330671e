// SPDX-License-Identifier: MIT
// _exit and exec: a process that goes without exit().
//
// They end the other threads wherever these are, and LTTng gives out nothing more of a processor's buffer in
// which one of them was writing an event: the rest of the recording lacks that processor, and its end waits
// for it. So nobody begins an event any more, and those that are being written are waited for: LTTng writes
// each inside a read-side critical section of its RCU (liblttng-ust-common, urcu.h). exit() needs nothing of
// this: LTTng's own destructor does the same.
#include "probes/leave.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>

#include "probes/emit.h"
#include "probes/hooks.h"
#include "probes/runtime.h"

#include "probes/poison.h"

bool uvs__leaving;

static struct {
    int (*read_ongoing)(void);
    void (*synchronize)(void);
} rcu;

void uvs__leave_init(void *provider)
{
    rcu.read_ongoing = (int (*)(void))dlsym(provider, "lttng_ust_urcu_read_ongoing");
    rcu.synchronize = (void (*)(void))dlsym(provider, "lttng_ust_urcu_synchronize_rcu");
}

// A child between fork (or vfork) and exec writes no events; the memory may be its parent's. A signal handler
// may have interrupted the writing of an event, which then cannot be waited for.
static void stop_writing(void)
{
    if (!uvs__on(callback) || !rcu.read_ongoing || !rcu.synchronize || (uint32_t)getpid() != uvs__pid)
        return;
    int saved = errno;
    if (!rcu.read_ongoing()) {
        __atomic_store_n(&uvs__leaving, true, __ATOMIC_RELAXED);
        rcu.synchronize();
    }
    errno = saved;
}

// Has exec failed, the process goes on. In a child it has no effect on the parent's memory.
static int stayed(int result)
{
    if (__atomic_load_n(&uvs__leaving, __ATOMIC_RELAXED) && (uint32_t)getpid() == uvs__pid)
        __atomic_store_n(&uvs__leaving, false, __ATOMIC_RELAXED);
    return result;
}

UVS_WRAP(void, _exit, int status)
{
    stop_writing();
    UVS_REAL_LIBC(_exit)(status);
    __builtin_unreachable();
}

UVS_WRAP(void, _Exit, int status)
{
    stop_writing();
    UVS_REAL_LIBC(_Exit)(status);
    __builtin_unreachable();
}

#define UVS_UNPACK(...) __VA_ARGS__
#define WRAP_EXEC(function, parameters, arguments)        \
    UVS_WRAP(int, function, UVS_UNPACK parameters)        \
    {                                                     \
        stop_writing();                                   \
        return stayed(UVS_REAL_LIBC(function) arguments); \
    }
WRAP_EXEC(execve, (const char *path, char *const argv[], char *const envp[]), (path, argv, envp))
WRAP_EXEC(execv, (const char *path, char *const argv[]), (path, argv))
WRAP_EXEC(execvp, (const char *file, char *const argv[]), (file, argv))
WRAP_EXEC(execvpe, (const char *file, char *const argv[], char *const envp[]), (file, argv, envp))
WRAP_EXEC(fexecve, (int fd, char *const argv[], char *const envp[]), (fd, argv, envp))

// Those with a list take what stands behind them as a vector, which lies on the stack as it does in libc: a
// forked child may not allocate.
static size_t count_listed(va_list *list)
{
    va_list rest;
    va_copy(rest, *list);
    size_t count = 1;
    while (va_arg(rest, char *))
        count++;
    va_end(rest);
    return count;
}

static void copy_listed(char **argv, const char *first, va_list *list)
{
    *argv = (char *)first;
    while (*argv)
        *++argv = va_arg(*list, char *);
}

#define WRAP_EXEC_LIST(function, vector, ENVIRONMENT)                              \
    UVS_WRAP(int, function, const char *path, const char *argument, ...)           \
    {                                                                              \
        va_list list;                                                              \
        va_start(list, argument);                                                  \
        char **argv = __builtin_alloca((count_listed(&list) + 1) * sizeof(*argv)); \
        copy_listed(argv, argument, &list);                                        \
        stop_writing();                                                            \
        int result = stayed(UVS_REAL_LIBC(vector)(path, argv ENVIRONMENT(list)));  \
        va_end(list);                                                              \
        return result;                                                             \
    }
#define NO_ENVIRONMENT(list)
#define LAST_ENVIRONMENT(list) , va_arg(list, char **)
WRAP_EXEC_LIST(execl, execv, NO_ENVIRONMENT)
WRAP_EXEC_LIST(execlp, execvp, NO_ENVIRONMENT)
WRAP_EXEC_LIST(execle, execve, LAST_ENVIRONMENT)
