// SPDX-License-Identifier: MIT
// The keeper process.
#include "keeper.h"

#include "daemon_call.h"
#include "limits.h"
#include "session.h"
#include "stopped.h"
#include "system_daemon.h"
#include "trace_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    READY_TIMEOUT_S = 10,
    STUCK_TIMEOUT_MS = 1000,  // of a daemon that cannot destroy its session
    KILLED_TIMEOUT_MS = 5000, // what does not end then is stuck in the kernel
    KEEPER_SPARE_MS = 40000,  // all of that, and the lock of the system's daemon
};

// What `record` may tell the keeper, each a byte.
enum { WAKE = 'w', SILENT = 's' };

// What the keeper tells `record` once: the daemon is ready, or why not.
struct outcome {
    int result;
    pid_t daemon;
    struct uvs_error error;
};

// --- The daemon ---

static _Noreturn void become_sessiond(const char *path, bool is_private)
{
    // A private daemon ends with its keeper, however that ends. The system's daemon may have been taken up by
    // others meanwhile.
    if (is_private)
        prctl(PR_SET_PDEATHSIG, SIGTERM);
    setpgid(0, 0); // with its consumers, to be reached together
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < SIGRTMIN; number++)
        signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    unsetenv("LD_PRELOAD"); // meant for the program
    uvs__limits_raise();
    signal(SIGXFSZ, SIG_IGN); // a file that may not grow any more ends there, and not the daemon
    execl(path, is_private ? "lttng-sessiond" : UVS_SYSTEM_DAEMON_NAME, "--sig-parent", "--no-kernel",
          "--quiet", (char *)NULL);
    _exit(127);
}

static int say_ended(int status, const char *path, struct uvs_error *error)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot run %s; is lttng-tools installed?", path);
    return uvs_error_set(error, UVS_E_ENVIRONMENT,
                         "%s ended at once, with status %d; run it by hand to see why", path,
                         WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

// It sends SIGUSR1 to its parent when it is ready.
static int await_ready(pid_t daemon, const char *path, struct uvs_error *error)
{
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGUSR1);
    sigaddset(&wanted, SIGCHLD);
    time_t deadline = time(NULL) + READY_TIMEOUT_S;
    const struct timespec slice = {.tv_sec = 1};
    while (time(NULL) < deadline) {
        siginfo_t info;
        int number = sigtimedwait(&wanted, &info, &slice);
        if (number == SIGUSR1 && info.si_pid == daemon)
            return 0;
        int status;
        if (waitpid(daemon, &status, WNOHANG) == daemon)
            return say_ended(status, path, error);
    }
    return uvs_error_set(error, UVS_E_ENVIRONMENT, "%s was not ready within %d s", path, READY_TIMEOUT_S);
}

static int start_sessiond(const struct uvs_keeper_task *task, pid_t *ret_pid, struct uvs_error *error)
{
    pid_t pid = fork();
    if (pid == 0)
        become_sessiond(task->sessiond, task->home != NULL);
    if (pid < 0)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot start a process: %s", strerror(errno));
    setpgid(pid, pid); // whoever comes first
    *ret_pid = pid;
    return await_ready(pid, task->sessiond, error);
}

static unsigned end_timeout_ms(void)
{
    return uvs__daemon_timeout_ms() < UVS_DAEMON_END_MS ? uvs__daemon_timeout_ms() : UVS_DAEMON_END_MS;
}

// Until the daemon and what it had started are gone: the keeper is their subreaper. A consumer whose daemon
// was killed still writes out what it has. False: not within that time.
static bool await_children(unsigned timeout_ms)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    const struct timespec slice = {.tv_sec = 1};
    for (unsigned waited_ms = 0; waited_ms < timeout_ms; waited_ms += 1000) {
        pid_t ended;
        do
            ended = waitpid(-1, NULL, WNOHANG);
        while (ended > 0);
        if (ended < 0)
            return true;
        sigtimedwait(&child, NULL, &slice);
    }
    return false;
}

// Ours alone, so it may be killed when it does not end. Awake again it ends as it should, and writes what it
// has.
static void end_own_sessiond(pid_t daemon, unsigned timeout_ms)
{
    if (!daemon)
        return;
    kill(daemon, SIGTERM);
    kill(-daemon, SIGCONT);
    if (await_children(timeout_ms))
        return;
    kill(-daemon, SIGKILL);
    await_children(KILLED_TIMEOUT_MS);
}

// started: false while `record` still holds the lock of the system's daemon and waits for this process.
static void end_sessiond(const struct uvs_keeper_task *task, pid_t daemon, bool started, unsigned timeout_ms)
{
    if (task->home || !started)
        end_own_sessiond(daemon, timeout_ms);
    else if (uvs__system_daemon_end(timeout_ms))
        await_children(end_timeout_ms());
}

// --- The process ---

static void detach(int *socket)
{
    setsid();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (chdir("/")) {
        // It only keeps a mount busy for as long as the recording runs.
    }
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd <= 2; fd++)
        dup2(null, fd);
    *socket = dup2(*socket, 3);
    close_range(4, ~0U, 0);
    fcntl(*socket, F_SETFD, FD_CLOEXEC);
}

// Until `record` has closed its end. False: the daemon is not to be asked for anything any more.
static bool await_end(int socket, pid_t daemon)
{
    bool answers = true;
    for (;;) {
        char word = 0;
        ssize_t length = read(socket, &word, 1);
        if (length == 0 || (length < 0 && errno != EINTR))
            return answers;
        if (word == WAKE && daemon)
            kill(-daemon, SIGCONT);
        if (word == SILENT)
            answers = false;
    }
}

static _Noreturn void keep(const struct uvs_keeper_task *task, int socket)
{
    detach(&socket);
    struct outcome outcome = {0};
    if (task->sessiond)
        outcome.result = start_sessiond(task, &outcome.daemon, &outcome.error);
    // A `record` that is gone already is the end of the file below.
    send(socket, &outcome, sizeof(outcome), MSG_NOSIGNAL);
    bool started = outcome.result == 0, answers = await_end(socket, outcome.daemon);
    unsigned timeout_ms = end_timeout_ms();
    if (started && answers && !uvs__session_destroy(task->session))
        timeout_ms = STUCK_TIMEOUT_MS;
    if (task->home || !started || (answers && !uvs__daemon_is_silent()))
        end_sessiond(task, outcome.daemon, started, timeout_ms);
    if (task->home)
        uvs__remove_tree(task->home);
    _exit(0);
}

static int await_outcome(struct uvs_keeper *keeper, bool is_private, struct uvs_error *error)
{
    struct outcome outcome;
    ssize_t length = recv(keeper->socket, &outcome, sizeof(outcome), MSG_WAITALL);
    if (length != (ssize_t)sizeof(outcome))
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "the process that keeps the LTTng daemon was %s",
                             length < 0 ? "stopped" : "killed");
    if (outcome.result && error)
        *error = outcome.error;
    keeper->daemon = outcome.result ? 0 : outcome.daemon;
    if (keeper->daemon && is_private)
        keeper->private_pidfd = (int)syscall(SYS_pidfd_open, outcome.daemon, 0);
    return outcome.result;
}

int uvs__keeper_start(const struct uvs_keeper_task *task, struct uvs_keeper *ret_keeper,
                      struct uvs_error *error)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot make a socket: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0)
        keep(task, ends[1]);
    int reason = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot start a process: %s", strerror(reason));
    }
    const struct timeval limit = {.tv_sec = 2 * READY_TIMEOUT_S +
                                            (UVS_DAEMON_END_MS + KILLED_TIMEOUT_MS) / 1000};
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    struct uvs_keeper keeper = {.pid = pid, .socket = ends[0], .private_pidfd = -1};
    int result = await_outcome(&keeper, task->home != NULL, error);
    if (result)
        uvs__keeper_finish(&keeper);
    else
        *ret_keeper = keeper;
    return result;
}

// --- Its end ---

static void tell(const struct uvs_keeper *keeper, char word)
{
    send(keeper->socket, &word, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool uvs__keeper_wake_daemon(const struct uvs_keeper *keeper)
{
    if (!keeper->daemon || !uvs__any_stopped(keeper->daemon))
        return false;
    tell(keeper, WAKE); // its child's number is the keeper's to use
    return true;
}

// A keeper that hangs is killed.
static int await_keeper(pid_t pid)
{
    int status = -1, process = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd end = {.fd = process, .events = POLLIN};
    int limit_ms = (int)uvs__daemon_timeout_ms() + KEEPER_SPARE_MS;
    if (process >= 0 && poll(&end, 1, limit_ms) == 0)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (process >= 0)
        close(process);
    return status;
}

// The daemon of a keeper that was killed got SIGTERM with its death. What it still has it writes.
static void await_daemon(int daemon)
{
    struct pollfd end = {.fd = daemon, .events = POLLIN};
    if (poll(&end, 1, (int)end_timeout_ms()) == 0)
        syscall(SYS_pidfd_send_signal, daemon, SIGKILL, NULL, 0);
}

bool uvs__keeper_finish(const struct uvs_keeper *keeper)
{
    if (uvs__daemon_is_silent())
        tell(keeper, SILENT);
    close(keeper->socket);
    kill(keeper->pid, SIGCONT);
    bool finished = WIFEXITED(await_keeper(keeper->pid));
    if (!finished && keeper->private_pidfd >= 0)
        await_daemon(keeper->private_pidfd);
    if (keeper->private_pidfd >= 0)
        close(keeper->private_pidfd);
    return finished;
}
