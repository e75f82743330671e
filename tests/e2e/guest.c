// SPDX-License-Identifier: MIT
// guest MODE: what programs do that a library in their process must survive. Each mode says what it saw; its
// output and status must be those of a run without uvscope.
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>
#include "busy_loops.h"

extern char **environ;
static char *self;

// --- A turn of the loop: a timer, a request to the pool ---

static uv_timer_t turning;

static void on_turned(uv_timer_t *timer)
{
    printf("timer\n");
    uv_close((uv_handle_t *)timer, NULL);
}

static void on_stat(uv_fs_t *request)
{
    printf("stat %d\n", (int)request->result);
    uv_fs_req_cleanup(request);
    uv_timer_start(&turning, on_turned, 1, 0);
}

static void turn(void)
{
    static uv_fs_t stat;
    uv_loop_t *loop = uv_default_loop();
    uv_timer_init(loop, &turning);
    uv_fs_stat(loop, &stat, "/", on_stat);
    printf("run %d\n", uv_run(loop, UV_RUN_DEFAULT));
}

static void say_status(const char *what, pid_t child)
{
    int status = 0;
    if (waitpid(child, &status, 0) != child)
        printf("%s: %s\n", what, strerror(errno));
    else if (WIFSIGNALED(status))
        printf("%s: signal %d\n", what, WTERMSIG(status));
    else
        printf("%s: exit %d\n", what, WEXITSTATUS(status));
}

static int do_turn(void)
{
    turn();
    return 0;
}

// --- New processes ---

static int do_fork(void)
{
    turn();
    pid_t child = fork();
    if (child == 0) {
        printf("loop_fork %d\n", uv_loop_fork(uv_default_loop()));
        turn();
        exit(3);
    }
    say_status("child", child);
    turn();
    return 4;
}

// The child's copy of a loop that is in use, from inside a callback.
static void on_forking_timer(uv_timer_t *timer)
{
    pid_t child = fork();
    if (child == 0) {
        printf("loop_fork %d\n", uv_loop_fork(timer->loop));
        uv_close((uv_handle_t *)timer, NULL);
        return;
    }
    say_status("child", child);
    uv_close((uv_handle_t *)timer, NULL);
}

static int do_fork_in_callback(void)
{
    pid_t parent = getpid();
    uv_timer_t timer;
    uv_timer_init(uv_default_loop(), &timer);
    uv_timer_start(&timer, on_forking_timer, 1, 0);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    turn();
    return getpid() == parent ? 5 : 6;
}

static int do_double_fork(void)
{
    turn();
    if (fork() != 0)
        _exit(0);
    setsid();
    if (fork() != 0)
        _exit(0);
    printf("loop_fork %d\n", uv_loop_fork(uv_default_loop()));
    turn();
    return 7;
}

static int do_daemon(void)
{
    turn();
    if (daemon(1, 1) != 0)
        return 1;
    printf("loop_fork %d\n", uv_loop_fork(uv_default_loop()));
    turn();
    return 8;
}

static char *const turn_argv[] = {(char *)"guest", (char *)"turn", NULL};

static int do_fork_exec(void)
{
    turn();
    pid_t child = fork();
    if (child == 0) {
        execv(self, turn_argv);
        _exit(127);
    }
    say_status("child", child);
    turn();
    return 9;
}

static int do_vfork(void)
{
    turn();
    pid_t child = vfork();
    if (child == 0) {
        for (int fd = 3; fd < 1024; fd++)
            close(fd);
        execv(self, turn_argv);
        _exit(127);
    }
    say_status("child", child);
    turn();
    return 10;
}

static int do_posix_spawn(void)
{
    turn();
    pid_t child;
    int result = posix_spawn(&child, self, NULL, NULL, turn_argv, environ);
    say_status("child", child);
    printf("posix_spawn %d\n", result);
    printf("system %d\n", WEXITSTATUS(system("exit 11")));
    turn();
    return 11;
}

static int do_exec(void)
{
    turn();
    execv(self, turn_argv);
    return 127;
}

static void on_exit_of_child(uv_process_t *process, int64_t status, int signal)
{
    printf("child: exit %d signal %d\n", (int)status, signal);
    uv_close((uv_handle_t *)process, NULL);
}

static void spawn(char *file, char *argument)
{
    uv_process_t process;
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE}, {.flags = UV_INHERIT_FD, .data.fd = 1}, {.flags = UV_INHERIT_FD, .data.fd = 2}};
    const uv_process_options_t options = {.exit_cb = on_exit_of_child,
                                          .file = file,
                                          .args = (char *[]){file, argument, NULL},
                                          .stdio_count = 3,
                                          .stdio = stdio};
    int result = uv_spawn(uv_default_loop(), &process, &options);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    printf("spawn %d\n", result);
}

static int do_spawn(void)
{
    spawn(self, (char *)"turn");
    spawn((char *)"/nonexistent", NULL);
    turn();
    return 12;
}

// OTHER is a program that cannot be traced: set-uid, or static.
static int do_spawn_other(void)
{
    turn();
    spawn(getenv("OTHER"), NULL);
    return 13;
}

static int do_spawn_closed(void)
{
    close(0);
    spawn(self, (char *)"turn");
    close(2);
    spawn(self, (char *)"turn");
    turn();
    return 14;
}

// --- Descriptors ---

static void close_by_loop(void)
{
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
}

static void close_by_range(void)
{
    printf("close_range %d\n", close_range(3, ~0u, 0));
}

static void close_by_short_range(void)
{
    printf("close_range %d\n", close_range(3, 900, 0));
}

static void close_by_closefrom(void)
{
    closefrom(3);
}

// Before there is a loop, and when the loop is over. A descriptor that is opened in between is the program's.
static int close_all(void (*close_them)(void))
{
    close_them();
    turn();
    uv_loop_close(uv_default_loop());
    close_them();
    int fd = open("/dev/null", O_RDONLY);
    printf("open %d\n", fd >= 0);
    printf("read %d\n", (int)read(fd, &(char){0}, 1));
    printf("close %d\n", close(fd));
    errno = 0;
    int again = close(fd);
    printf("close %d %d\n", again, errno == EBADF);
    return 15;
}

static int do_close_loop(void)
{
    return close_all(close_by_loop);
}

static int do_close_range(void)
{
    return close_all(close_by_range);
}

static int do_close_short_range(void)
{
    return close_all(close_by_short_range);
}

static int do_closefrom(void)
{
    return close_all(close_by_closefrom);
}

// --- Rights and namespaces ---

static int do_setuid(void)
{
    turn();
    if (geteuid() == 0)
        printf("drop %d %d %d\n", setgroups(0, NULL), setgid(65534), setuid(65534));
    turn();
    printf("uid %d\n", (int)geteuid());
    return 16;
}

static int do_chroot(void)
{
    turn();
    printf("chroot %d\n", chroot("jail"));
    printf("chdir %d\n", chdir("/"));
    turn();
    return 17;
}

static int do_unshare_pid(void)
{
    turn();
    printf("unshare %d\n", unshare(CLONE_NEWPID));
    pid_t child = fork();
    if (child == 0) {
        printf("loop_fork %d\n", uv_loop_fork(uv_default_loop()));
        turn();
        exit(18);
    }
    say_status("child", child);
    return 18;
}

// --- Control flow ---

static void *run_loop(void *loop)
{
    uv_run(loop, UV_RUN_DEFAULT);
    return NULL;
}

static void on_never(uv_timer_t *timer)
{
    (void)timer;
    printf("never\n");
}

static void on_ready(uv_timer_t *timer)
{
    uv_sem_post(timer->data);
}

// The thread sits in epoll_wait, which is a cancellation point.
static int do_cancel(void)
{
    uv_loop_t loop;
    uv_timer_t ready, never;
    uv_sem_t semaphore;
    uv_loop_init(&loop);
    uv_sem_init(&semaphore, 0);
    uv_timer_init(&loop, &ready);
    uv_timer_init(&loop, &never);
    ready.data = &semaphore;
    uv_timer_start(&ready, on_ready, 1, 0);
    uv_timer_start(&never, on_never, 1000000, 0);
    pthread_t thread;
    pthread_create(&thread, NULL, run_loop, &loop);
    uv_sem_wait(&semaphore);
    pthread_cancel(thread);
    void *result;
    pthread_join(thread, &result);
    printf("cancelled %d\n", result == PTHREAD_CANCELED);
    turn();
    return 19;
}

// Other threads' loops run until the process is no more, while exit cleans up.
static int do_exit_beside_loops(void)
{
    spin_beside();
    return 24;
}

static jmp_buf jump;

static void on_jumping_timer(uv_timer_t *timer)
{
    uv_timer_stop(timer);
    longjmp(jump, 1);
}

static int do_longjmp(void)
{
    static uv_timer_t timer;
    static volatile int jumps;
    uv_timer_init(uv_default_loop(), &timer);
    if (setjmp(jump))
        printf("jump %d\n", ++jumps);
    if (jumps < 3) {
        uv_timer_start(&timer, on_jumping_timer, 1, 0);
        uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    }
    uv_close((uv_handle_t *)&timer, NULL);
    turn();
    return 20;
}

static uv_async_t async;
static int signals, asyncs;

static void on_signal(int number)
{
    (void)number;
    signals++;
    uv_async_send(&async);
}

static void on_async(uv_async_t *handle)
{
    if (++asyncs < 50)
        raise(SIGUSR1);
    else
        uv_close((uv_handle_t *)handle, NULL);
}

static int do_async_in_signal_handler(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    uv_async_init(uv_default_loop(), &async, on_async);
    raise(SIGUSR1);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    printf("signals %d asyncs %d\n", signals, asyncs);
    return 21;
}

// --- Words of its own ---

static void keep(uv_handle_t *handle)
{
    for (size_t i = 0; i < 4; i++)
        handle->u.reserved[i] = &handle->u.reserved[i];
}

static bool kept(const uv_handle_t *handle)
{
    for (size_t i = 0; i < 4; i++)
        if (handle->u.reserved[i] != &handle->u.reserved[i])
            return false;
    return true;
}

static void on_kept_close(uv_handle_t *handle)
{
    printf("closed: words %s\n", kept(handle) ? "kept" : "lost");
}

static void on_kept_timer(uv_timer_t *timer)
{
    printf("timer: words %s\n", kept((uv_handle_t *)timer) ? "kept" : "lost");
    uv_close((uv_handle_t *)timer, on_kept_close);
}

static void on_kept_idle(uv_idle_t *idle)
{
    printf("idle: words %s\n", kept((uv_handle_t *)idle) ? "kept" : "lost");
    uv_close((uv_handle_t *)idle, on_kept_close);
}

static void on_kept_change(uv_fs_poll_t *poll, int status, const uv_stat_t *before, const uv_stat_t *after)
{
    (void)before;
    (void)after;
    printf("fs_poll %d: words %s\n", status, kept((uv_handle_t *)poll) ? "kept" : "lost");
    uv_close((uv_handle_t *)poll, on_kept_close);
}

static int do_own_words(void)
{
    uv_loop_t *loop = uv_default_loop();
    uv_timer_t timer;
    uv_idle_t idle;
    uv_fs_poll_t poll;
    uv_timer_init(loop, &timer);
    uv_idle_init(loop, &idle);
    uv_fs_poll_init(loop, &poll);
    keep((uv_handle_t *)&timer);
    keep((uv_handle_t *)&idle);
    keep((uv_handle_t *)&poll);
    uv_idle_start(&idle, on_kept_idle);
    uv_run(loop, UV_RUN_NOWAIT);
    uv_timer_start(&timer, on_kept_timer, 5, 0);
    uv_run(loop, UV_RUN_DEFAULT);
    uv_fs_poll_start(&poll, on_kept_change, "/nonexistent", 10); // reported at once: it is not there
    uv_run(loop, UV_RUN_DEFAULT);
    turn();
    return 22;
}

static const struct {
    const char *name;
    int (*run)(void);
} modes[] = {
    {"turn", do_turn},
    {"fork", do_fork},
    {"fork_in_callback", do_fork_in_callback},
    {"double_fork", do_double_fork},
    {"daemon", do_daemon},
    {"fork_exec", do_fork_exec},
    {"vfork", do_vfork},
    {"posix_spawn", do_posix_spawn},
    {"exec", do_exec},
    {"spawn", do_spawn},
    {"spawn_other", do_spawn_other},
    {"spawn_closed", do_spawn_closed},
    {"close_loop", do_close_loop},
    {"close_range", do_close_range},
    {"close_short_range", do_close_short_range},
    {"closefrom", do_closefrom},
    {"setuid", do_setuid},
    {"chroot", do_chroot},
    {"unshare_pid", do_unshare_pid},
    {"cancel", do_cancel},
    {"exit_beside_loops", do_exit_beside_loops},
    {"longjmp", do_longjmp},
    {"async_in_signal_handler", do_async_in_signal_handler},
    {"own_words", do_own_words},
};

int main(int argc, char **argv)
{
    self = argv[0];
    setvbuf(stdout, NULL, _IONBF, 0);
    for (size_t i = 0; argc == 2 && i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(argv[1], modes[i].name) == 0)
            return modes[i].run();
    fprintf(stderr, "guest: no such mode\n");
    return 99;
}
