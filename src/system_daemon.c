// SPDX-License-Identifier: MIT
// The lock is an flock on the directory of run-time files itself.
#include "system_daemon.h"

#include "daemon_call.h"
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PID_FILE "/var/run/lttng/lttng-sessiond.pid"

// A test has one of its own.
#ifndef UVS_SYSTEM_LOCK
#define UVS_SYSTEM_LOCK "/var/run"
#endif

enum { PATIENCE_MS = 10000, STEP_MS = 20 };

// Who holds a lock on the file; 0: nobody, or it cannot be told.
static int holder_of(int file)
{
    struct stat facts;
    FILE *locks = fopen("/proc/locks", "re");
    char line[256];
    int found = 0;
    while (locks && !found && fstat(file, &facts) == 0 && fgets(line, sizeof(line), locks)) {
        unsigned long long inode;
        int pid;
        if (sscanf(line, "%*d: FLOCK %*s WRITE %d %*x:%*x:%llu", &pid, &inode) == 2 && inode == facts.st_ino)
            found = pid;
    }
    if (locks)
        fclose(locks);
    return found;
}

// Whoever holds it is starting or ending a daemon, which takes a second at most where nobody else wants the
// processors. One that is stuck there (stopped by a debugger, say) must not stop everybody else: going on
// without the lock risks no more than a lost race. Where many wait, each has its turn.
int uvs__system_lock(void)
{
    int lock = open(UVS_SYSTEM_LOCK, O_RDONLY | O_DIRECTORY | O_CLOEXEC), last_holder = 0;
    const unsigned patience_ms = uvs__daemon_timeout_ms() < PATIENCE_MS ? uvs__daemon_timeout_ms()
                                                                        : PATIENCE_MS;
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
    for (unsigned waited_ms = 0; lock >= 0 && flock(lock, LOCK_EX | LOCK_NB); waited_ms += STEP_MS) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || waited_ms >= patience_ms) {
            close(lock);
            return -1;
        }
        int holder = holder_of(lock);
        if (holder != last_holder)
            waited_ms = 0;
        last_holder = holder;
        nanosleep(&step, NULL);
    }
    return lock;
}

void uvs__system_unlock(int lock)
{
    if (lock < 0)
        return;
    // Children may still hold the descriptor.
    flock(lock, LOCK_UN);
    close(lock);
}

static bool was_started_by_recording(int pid)
{
    char path[64], name[sizeof(UVS_SYSTEM_DAEMON_NAME)] = "";
    snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t length = read(file, name, sizeof(name));
    close(file);
    return length == (ssize_t)sizeof(name) && memcmp(name, UVS_SYSTEM_DAEMON_NAME, sizeof(name)) == 0;
}

static int read_pid(void)
{
    int pid = 0;
    FILE *file = fopen(PID_FILE, "re");
    if (!file)
        return 0;
    if (fscanf(file, "%d", &pid) != 1)
        pid = 0;
    fclose(file);
    return pid;
}

int uvs__system_daemon_say_silent(struct uvs_error *error)
{
    int pid = read_pid();
    return uvs_error_set(
        error, UVS_E_ENVIRONMENT,
        "the system's LTTng daemon (process %d) did not answer within %.1f s and is left as it "
        "is; 'kill -CONT %d' lets it go on if somebody has stopped it, 'kill %d' ends it",
        pid, uvs__daemon_timeout_ms() / 1e3, pid, pid);
}

// It waits for ever for a session whose buffers cannot be given out: of a program that was gone in the middle
// of an event. Nobody can reach it then, and no other one can start.
static void end_by(int process, int signal, unsigned timeout_ms)
{
    struct pollfd end = {.fd = process, .events = POLLIN};
    if (syscall(SYS_pidfd_send_signal, process, signal, NULL, 0) == 0)
        poll(&end, 1, (int)timeout_ms);
}

// The descriptor first, so that the signal reaches the process that was looked at and no later one.
static void end_process(int pid, unsigned timeout_ms)
{
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    if (process < 0)
        return;
    if (was_started_by_recording(pid)) {
        end_by(process, SIGTERM, timeout_ms);
        end_by(process, SIGKILL, UVS_DAEMON_END_MS);
    }
    close(process);
}

void uvs__system_daemon_clear(void)
{
    int pid = read_pid();
    if (pid > 0)
        end_process(pid, UVS_DAEMON_END_MS);
}

bool uvs__system_daemon_end(unsigned timeout_ms)
{
    int lock = uvs__system_lock();
    bool unused = !uvs__any_session();
    int pid = unused ? read_pid() : 0;
    if (pid > 0)
        end_process(pid, timeout_ms);
    uvs__system_unlock(lock);
    return unused;
}
