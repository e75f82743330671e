// SPDX-License-Identifier: MIT
// The supervised child.
#include "worker.h"
#include "command.h"
#include "progress.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef UVS_COVERAGE
#include <gcov.h>
#endif

enum { LOOK_MS = 100, GRACE_MS = 2000 };

typedef int job_function(void *data, struct uvs_worker_progress *progress);

struct child {
    pid_t pid;
    int pidfd; // -1: the kernel has none
    const struct uvs_worker_progress *progress;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// A few bytes of metadata can declare arrays that libbabeltrace2 allocates whole. What is read with less than
// this is every trace that a program made; beyond it, allocating fails before the machine is out of memory.
// Files are mapped on top of it.
static void limit_memory(void)
{
#ifndef UVS_SANITIZED // or it has reserved far more already
    struct rlimit limit;
    const rlim_t half = (rlim_t)sysconf(_SC_PHYS_PAGES) / 2 * (rlim_t)sysconf(_SC_PAGESIZE);
    const rlim_t most = half < UVS_WORKER_MAX_MEMORY ? half : UVS_WORKER_MAX_MEMORY;
    if (getrlimit(RLIMIT_DATA, &limit) == 0 && limit.rlim_cur > most) {
        limit.rlim_cur = most;
        setrlimit(RLIMIT_DATA, &limit);
    }
#endif
}

static _Noreturn void run_child(job_function *job, void *data, struct uvs_worker_progress *progress,
                                pid_t supervisor)
{
    // The supervisor may have died before this asks to die with it.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != supervisor)
        _exit(UVS_E_ENVIRONMENT);
    limit_memory();
    const int status = job(data, progress);
    fflush(NULL);
#ifdef UVS_COVERAGE
    __gcov_dump(); // which _exit leaves out
#endif
    _exit(status);
}

// true: it has ended, *ret_status is as from waitpid.
static bool wait_for_end(const struct child *child, int timeout_ms, int *ret_status)
{
    struct pollfd end = {.fd = child->pidfd, .events = POLLIN};
    // Without a pidfd, this only sleeps: poll ignores negative descriptors.
    poll(&end, 1, timeout_ms);
    return waitpid(child->pid, ret_status, WNOHANG) == child->pid;
}

static int end_child(const struct child *child)
{
    static const int signals[] = {SIGTERM, SIGKILL};
    int status = 0;
    for (size_t i = 0; i < 2; i++) {
        kill(child->pid, signals[i]);
        const uint64_t begin_ns = now_ns();
        do {
            if (wait_for_end(child, LOOK_MS, &status))
                return status;
        } while (now_ns() - begin_ns < GRACE_MS * 1000000ull);
    }
    return status;
}

// false: it made no progress for patience_ns, and was ended.
static bool supervise(const struct child *child, uint64_t patience_ns, int *ret_status)
{
    uint64_t seen = atomic_load(&child->progress->events), changed_ns = now_ns();
    const uint64_t begin_ns = changed_ns;
    bool ended = true, is_shown = false;
    const uint64_t patience_ms = patience_ns / 1000000;
    const int look_ms = patience_ms < LOOK_MS ? (int)patience_ms + 1 : LOOK_MS;
    while (!wait_for_end(child, look_ms, ret_status)) {
        const uint64_t events = atomic_load(&child->progress->events);
        if (events != seen)
            changed_ns = now_ns();
        seen = events;
        is_shown = uvs__progress_show(child->progress, begin_ns, now_ns()) || is_shown;
        if (now_ns() - changed_ns < patience_ns)
            continue;
        *ret_status = end_child(child);
        ended = false;
        break;
    }
    if (is_shown)
        uvs__progress_clear();
    return ended;
}

// What a user or a closed pipe did to the child is done to the supervisor too: its caller sees the same end.
static void die_of(int signal_number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal_number);
    signal(signal_number, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(signal_number);
}

static int explain_signal(int signal_number, const char *what)
{
    switch (signal_number) {
    case SIGINT:
    case SIGQUIT:
    case SIGTERM:
    case SIGHUP:
    case SIGPIPE:
        die_of(signal_number);
        return 128 + signal_number;
    case SIGKILL:
        return uvs_complain(
            UVS_E_TRACE,
            "reading %s was killed (SIGKILL), perhaps for lack of memory; read it on a machine with "
            "more, or record for a shorter time",
            what);
    default:
        return uvs_complain(
            UVS_E_TRACE,
            "babeltrace2 aborted while reading %s (%s): the trace is damaged; record again, or remove "
            "the damaged streams from it; --in-process shows where in a debugger",
            what, strsignal(signal_number));
    }
}

static int run_supervised(job_function *job, void *data, struct uvs_worker_progress *progress,
                          const char *what, uint64_t patience_ns)
{
    const pid_t supervisor = getpid();
    signal(SIGCHLD, SIG_DFL); // if the caller ignores it, the kernel throws the child's status away
    fflush(NULL);             // or the child would write it again
    struct child child = {.pid = fork(), .progress = progress};
    if (child.pid == 0)
        run_child(job, data, progress, supervisor);
    if (child.pid < 0)
        return uvs_complain(UVS_E_ENVIRONMENT, "cannot start a process to read %s: %s", what,
                            strerror(errno));
    child.pidfd = (int)syscall(SYS_pidfd_open, child.pid, 0);
    int status = 0;
    const bool ended = supervise(&child, patience_ns, &status);
    if (child.pidfd >= 0)
        close(child.pidfd);
    if (!ended)
        return uvs_complain(
            UVS_E_TRACE,
            "reading %s made no progress for %.1f s and was ended: the trace is damaged; record again, "
            "or remove the damaged streams from it",
            what, (double)patience_ns / 1e9);
    return WIFSIGNALED(status) ? explain_signal(WTERMSIG(status), what) : WEXITSTATUS(status);
}

int uvs_worker_run(int (*job)(void *data, struct uvs_worker_progress *progress), void *data, const char *what,
                   uint64_t patience_ns, bool in_process)
{
    if (in_process) {
        struct uvs_worker_progress progress = {0};
        return job(data, &progress);
    }
    struct uvs_worker_progress *progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
                                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (progress == MAP_FAILED)
        return uvs_complain(UVS_E_ENVIRONMENT, "no memory to read %s: %s", what, strerror(errno));
    const int status = run_supervised(job, data, progress, what, patience_ns);
    munmap(progress, sizeof(*progress));
    return status;
}
