// SPDX-License-Identifier: MIT
// Starting the program, and standing aside while it runs.
#include "launch.h"

#include "preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// What a process may send to uvscope and mean the program.
static const int passed_on[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGUSR1, SIGUSR2,
                                SIGALRM, SIGTERM, SIGCONT, SIGTSTP, SIGWINCH};
static const int ends[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

enum {
    PASSED_ON_COUNT = sizeof(passed_on) / sizeof(passed_on[0]),
    END_COUNT = sizeof(ends) / sizeof(ends[0])
};

static void held_signals(sigset_t *ret_set)
{
    sigemptyset(ret_set);
    for (size_t i = 0; i < PASSED_ON_COUNT; i++)
        sigaddset(ret_set, passed_on[i]);
    sigaddset(ret_set, SIGCHLD);
}

void uvs__signals_hold(struct uvs_signals *ret_before)
{
    sigset_t held;
    held_signals(&held);
    sigaddset(&held, SIGPIPE);
    sigprocmask(SIG_BLOCK, &held, &ret_before->mask);
    // Where SIGCHLD is ignored there is no status to wait for.
    const struct sigaction normal = {.sa_handler = SIG_DFL};
    sigaction(SIGCHLD, &normal, &ret_before->child);
}

static void ending_signals(sigset_t *ret_set)
{
    sigemptyset(ret_set);
    for (size_t i = 0; i < END_COUNT; i++)
        sigaddset(ret_set, ends[i]);
}

int uvs__signals_take_end(void)
{
    sigset_t set;
    ending_signals(&set);
    const struct timespec now = {0};
    int number = sigtimedwait(&set, NULL, &now);
    return number > 0 ? number : 0;
}

void uvs__signals_let_end(void)
{
    sigset_t set;
    ending_signals(&set);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void uvs__signals_restore(const struct uvs_signals *before)
{
    sigaction(SIGCHLD, &before->child, NULL);
    sigprocmask(SIG_SETMASK, &before->mask, NULL);
}

static _Noreturn void become_program(const struct uvs_launch *launch, int report)
{
    uvs__signals_restore(launch->signals);
    execvpe(launch->path, launch->argv, launch->environment);
    int reason = errno;
    if (write(report, &reason, sizeof(reason)) != sizeof(reason)) {
        // Then the status alone tells.
    }
    _exit(reason == ENOENT ? UVS_RECORD_NOT_FOUND : UVS_RECORD_NOT_EXECUTABLE);
}

// The pipe closes without a word when the program runs.
static int await_exec(int report, pid_t pid, const char *path, struct uvs_error *error)
{
    int reason;
    ssize_t length;
    do
        length = read(report, &reason, sizeof(reason));
    while (length < 0 && errno == EINTR);
    if (length != (ssize_t)sizeof(reason))
        return 0;
    waitpid(pid, NULL, 0);
    uvs_error_set(error, UVS_E_ENVIRONMENT, "'%s' cannot be executed: %s", path, strerror(reason));
    return reason == ENOENT ? -UVS_RECORD_NOT_FOUND : -UVS_RECORD_NOT_EXECUTABLE;
}

int uvs__launch(const struct uvs_launch *launch, pid_t *ret_pid, struct uvs_error *error)
{
    int report[2];
    pid_t pid = -1;
    bool piped = pipe2(report, O_CLOEXEC) == 0;
    if (piped)
        pid = fork();
    if (pid == 0)
        become_program(launch, report[1]);
    int reason = errno;
    if (piped)
        close(report[1]);
    int result = -UVS_RECORD_FAILED;
    if (pid < 0)
        uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot start a process: %s", strerror(reason));
    else
        result = await_exec(report[0], pid, launch->path, error);
    if (piped)
        close(report[0]);
    if (!result)
        *ret_pid = pid;
    return result;
}

// Job control: when the terminal stops the program, the shell waits for uvscope to stop too. A bare SIGSTOP
// is somebody else's (a debugger's, a container's), who may wake the program alone.
static void follow_stop(pid_t program, int number)
{
    if (number != SIGTSTP && number != SIGTTIN && number != SIGTTOU)
        return;
    kill(getpid(), SIGSTOP);
    kill(program, SIGCONT);
}

// True when it has ended.
static bool take_changes(pid_t program, siginfo_t *ret_end)
{
    for (;;) {
        siginfo_t change = {0};
        if (waitid(P_PID, (id_t)program, &change, WEXITED | WSTOPPED | WNOHANG) || change.si_pid == 0)
            return false;
        if (change.si_code != CLD_STOPPED && change.si_code != CLD_TRAPPED) {
            *ret_end = change;
            return true;
        }
        follow_stop(program, change.si_status);
    }
}

// si_code > 0: the kernel, for the terminal. A program that signals its own group or its parent has its copy.
// The witness is asked in any case: what it has seen it must not count for a later one.
static void pass_on(pid_t program, struct uvs_witness *witness, const siginfo_t *info)
{
    if (info->si_signo == SIGCHLD)
        return;
    const bool all_got_it = uvs__witness_saw(witness, info->si_signo);
    if (!all_got_it && info->si_code <= 0 && info->si_pid != program)
        kill(program, info->si_signo);
}

int uvs__launch_wait(pid_t program, struct uvs_witness *witness, siginfo_t *ret_end)
{
    sigset_t held, ending;
    int asked = 0;
    held_signals(&held);
    ending_signals(&ending);
    while (!take_changes(program, ret_end)) {
        siginfo_t info;
        if (sigwaitinfo(&held, &info) <= 0)
            continue;
        asked = sigismember(&ending, info.si_signo) ? info.si_signo : asked;
        pass_on(program, witness, &info);
    }
    uvs__witness_end(witness);
    return asked;
}

// No core file: where a core goes to a pipe, its limit does not count.
static void die_of(int number)
{
    const struct rlimit none = {0};
    const struct sigaction normal = {.sa_handler = SIG_DFL};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    sigaction(number, &normal, NULL);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

bool uvs__is_typed(int number)
{
    return number == SIGINT || number == SIGQUIT;
}

int uvs__end_by(int number)
{
    if (uvs__is_typed(number))
        die_of(number);
    return 128 + number;
}
