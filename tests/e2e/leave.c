// SPDX-License-Identifier: MIT
// leave WAY: leaves beside three busy loops without exit(). The ways that exec run this program's way `told`,
// which says what reached it.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "busy_loops.h"

enum { STATUS = 24, NOT_LEFT = 1 };

static char *self;
#define ARGUMENTS self, "told", "one", ""
static char *environment[] = {"UVS_TEST=given", NULL};

static void by_exit(void)
{
    _exit(STATUS);
}

static void by_Exit(void)
{
    _Exit(STATUS);
}

static void by_kill(void)
{
    raise(SIGKILL);
}

static void leave_now(int number)
{
    (void)number;
    _exit(STATUS);
}

// On a thread that is in the middle of an event as often as not: LTTng holds signals back in none.
static void by_handler(void)
{
    signal(SIGUSR1, leave_now);
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    kill(getpid(), SIGUSR1);
    pause();
}

static void by_execv(void)
{
    execv(self, (char *[]){ARGUMENTS, NULL});
}

static void by_execve(void)
{
    execve(self, (char *[]){ARGUMENTS, NULL}, environment);
}

static void by_execvp(void)
{
    execvp(self, (char *[]){ARGUMENTS, NULL});
}

static void by_execvpe(void)
{
    execvpe(self, (char *[]){ARGUMENTS, NULL}, environment);
}

static void by_fexecve(void)
{
    fexecve(open(self, O_RDONLY | O_CLOEXEC), (char *[]){ARGUMENTS, NULL}, environment);
}

static void by_execl(void)
{
    execl(self, ARGUMENTS, (char *)NULL);
}

static void by_execlp(void)
{
    execlp(self, ARGUMENTS, (char *)NULL);
}

static void by_execle(void)
{
    execle(self, ARGUMENTS, (char *)NULL, environment);
}

static void on_timer(uv_timer_t *timer)
{
    printf("goes on\n");
    uv_close((uv_handle_t *)timer, NULL);
}

// exec that fails, in the process and in children that share its memory: the loops go on, and are recorded.
static void by_none(void)
{
    errno = 0;
    int result = execl("/nonexistent", "nothing", (char *)NULL);
    printf("%d %s\n", result, strerror(errno));
    fflush(stdout);
    pid_t child = vfork();
    if (child == 0) {
        execv("/nonexistent", (char *[]){"nothing", NULL});
        _exit(errno == ENOENT ? 3 : 4);
    }
    int status = 0;
    waitpid(child, &status, 0);
    printf("child %d\n", WEXITSTATUS(status));
    uv_timer_t timer;
    uv_timer_init(uv_default_loop(), &timer);
    uv_timer_start(&timer, on_timer, 1, 0);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    exit(STATUS);
}

static const struct {
    const char *name;
    void (*leave)(void);
} ways[] = {
    {"_exit", by_exit},      {"_Exit", by_Exit},    {"handler", by_handler}, {"kill", by_kill},
    {"execv", by_execv},     {"execve", by_execve}, {"execvp", by_execvp},   {"execvpe", by_execvpe},
    {"fexecve", by_fexecve}, {"execl", by_execl},   {"execlp", by_execlp},   {"execle", by_execle},
    {"none", by_none},
};

static int tell(char **arguments)
{
    const char *given = getenv("UVS_TEST"), *path = getenv("PATH");
    for (; *arguments; arguments++)
        printf("[%s]", *arguments);
    printf(" UVS_TEST=%s, a PATH: %d\n", given ? given : "", path != NULL);
    return STATUS;
}

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc > 2 && strcmp(argv[1], "told") == 0)
        return tell(argv + 1);
    for (size_t i = 0; argc > 1 && i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (strcmp(argv[1], ways[i].name) != 0)
            continue;
        spin_beside();
        ways[i].leave();
    }
    return NOT_LEFT;
}
