// SPDX-License-Identifier: MIT
// The keeper process.
#include "keeper.h"

#include "session.h"
#include "system_daemon.h"
#include "trace_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    READY_TIMEOUT_S = 10,
    END_TIMEOUT_S = 10,
};

// What the keeper tells `record` once: the daemon is ready, or why not.
struct outcome {
    int result;
    struct uvs_error error;
};

// --- The daemon ---

static _Noreturn void become_sessiond(const char *path, bool is_private)
{
    // A private daemon ends with its keeper, however that ends. The system's daemon may have been taken up by
    // others meanwhile.
    if (is_private)
        prctl(PR_SET_PDEATHSIG, SIGTERM);
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < SIGRTMIN; number++)
        signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    unsetenv("LD_PRELOAD"); // meant for the program
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
    *ret_pid = pid;
    return await_ready(pid, task->sessiond, error);
}

// Until the daemon and what it had started are gone: the keeper is their subreaper. A consumer whose daemon
// was killed still writes out what it has.
static void await_children(void)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    const struct timespec slice = {.tv_sec = 1};
    for (int i = 0; i < END_TIMEOUT_S; i++) {
        pid_t ended;
        do
            ended = waitpid(-1, NULL, WNOHANG);
        while (ended > 0);
        if (ended < 0)
            return;
        sigtimedwait(&child, NULL, &slice);
    }
}

// started: false while `record` still holds the lock of the system's daemon and waits for this process.
static void end_sessiond(const struct uvs_keeper_task *task, pid_t daemon, bool started)
{
    bool ended = true;
    if (task->home || !started) {
        if (daemon)
            kill(daemon, SIGTERM);
    } else {
        ended = uvs__system_daemon_end();
    }
    if (ended)
        await_children();
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

static _Noreturn void keep(const struct uvs_keeper_task *task, int socket)
{
    detach(&socket);
    struct outcome outcome = {0};
    pid_t daemon = 0;
    if (task->sessiond)
        outcome.result = start_sessiond(task, &daemon, &outcome.error);
    // A `record` that is gone already is the end of the file below.
    send(socket, &outcome, sizeof(outcome), MSG_NOSIGNAL);
    char byte;
    while (read(socket, &byte, 1) < 0 && errno == EINTR)
        ;
    if (outcome.result == 0)
        uvs__session_destroy(task->session);
    end_sessiond(task, daemon, outcome.result == 0);
    if (task->home)
        uvs__remove_tree(task->home);
    _exit(0);
}

static int await_outcome(int socket, struct uvs_error *error)
{
    struct outcome outcome;
    ssize_t length = recv(socket, &outcome, sizeof(outcome), MSG_WAITALL);
    if (length != (ssize_t)sizeof(outcome))
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "the process that keeps the LTTng daemon was killed");
    if (outcome.result && error)
        *error = outcome.error;
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
    struct uvs_keeper keeper = {.pid = pid, .socket = ends[0]};
    int result = await_outcome(keeper.socket, error);
    if (result)
        uvs__keeper_finish(&keeper);
    else
        *ret_keeper = keeper;
    return result;
}

bool uvs__keeper_finish(const struct uvs_keeper *keeper)
{
    close(keeper->socket);
    int status = -1;
    while (waitpid(keeper->pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status);
}
