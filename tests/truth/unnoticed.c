// SPDX-License-Identifier: MIT
// What must not notice that it is sampled: unnoticed MODE. Every mode prints the same whether it is sampled
// or not.
#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <uv.h>

#include "truth.h"

enum {
    LONG_MS = 300,
    SHORT_MS = 2,
    SHORT_WAITS = 60,
    SWITCHES = 400,
    COROUTINE_BYTES = 32768,
    EXECS = 30,
    EXEC_BYTES = 100000, // of each argument
    EXEC_ARGUMENTS = 16,
};

static uint64_t mix(uint64_t value)
{
    value ^= value << 13;
    value ^= value >> 7;
    return value ^ value << 17;
}

// --- Many callbacks ---

static void on_idle(uv_idle_t *idle)
{
    bool (*step)(void) = (bool (*)(void))idle->data;
    if (!step())
        uv_idle_stop(idle);
}

// Each callback that is long enough is sampled, but one long callback is sampled ever more rarely.
static void in_callbacks(bool (*step)(void))
{
    static uv_idle_t idle;
    idle.data = (void *)step;
    uv_idle_init(uv_default_loop(), &idle);
    uv_idle_start(&idle, on_idle);
}

// Until the watchdog looks, or not quite: a signal meets what comes behind.
static void busy_for_about_a_sample(void)
{
    static uint64_t random = 1;
    random = mix(random);
    const uint64_t end_ns = uv_hrtime() + 900000 + random % 700000;
    while (uv_hrtime() < end_ns)
        ;
}

// --- Waits ---

static int by_nanosleep(uint64_t ms)
{
    const struct timespec pause = {.tv_nsec = (long)(ms * TRUTH_MS)};
    return nanosleep(&pause, NULL);
}

static int by_poll(uint64_t ms)
{
    return poll(NULL, 0, (int)ms);
}

static int by_select(uint64_t ms)
{
    struct timeval limit = {.tv_usec = (long)ms * 1000};
    return select(0, NULL, NULL, NULL, &limit);
}

static int by_epoll(uint64_t ms)
{
    struct epoll_event event;
    const int fd = epoll_create1(EPOLL_CLOEXEC), got = epoll_wait(fd, &event, 1, (int)ms), saved = errno;
    close(fd);
    errno = saved;
    return got;
}

static int by_semaphore(uint64_t ms)
{
    sem_t semaphore;
    struct timespec limit;
    sem_init(&semaphore, 0, 0);
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_nsec += (long)(ms * TRUTH_MS);
    limit.tv_sec += limit.tv_nsec / 1000000000;
    limit.tv_nsec %= 1000000000;
    const int got = sem_timedwait(&semaphore, &limit) == -1 && errno == ETIMEDOUT ? 0 : -1, saved = errno;
    sem_destroy(&semaphore);
    errno = saved;
    return got;
}

static int by_socket(uint64_t ms)
{
    int ends[2];
    char byte;
    const struct timeval limit = {.tv_usec = (long)ms * 1000};
    MUST(-socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    const ssize_t got = recv(ends[0], &byte, 1, 0) == -1 && errno == EAGAIN ? 0 : -1;
    const int saved = errno;
    close(ends[0]);
    close(ends[1]);
    errno = saved;
    return (int)got;
}

static int by_accept(uint64_t ms)
{
    const struct timeval limit = {.tv_usec = (long)ms * 1000};
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct sockaddr_un address = {.sun_family = AF_UNIX};
    MUST(-bind(listener, (const struct sockaddr *)&address, sizeof(address.sun_family))); // any name
    MUST(-listen(listener, 1));
    setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    const int got = accept(listener, NULL, NULL) == -1 && errno == EAGAIN ? 0 : -1, saved = errno;
    close(listener);
    errno = saved;
    return got;
}

// To one who accepts nobody, after as many as fit.
static int by_connect(uint64_t ms)
{
    const struct timeval limit = {.tv_usec = (long)ms * 1000};
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int ends[2], got = 0;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = sizeof(address);
    MUST(-bind(listener, (const struct sockaddr *)&address, sizeof(address.sun_family)));
    MUST(-getsockname(listener, (struct sockaddr *)&address, &length));
    MUST(-listen(listener, 0));
    for (int i = 0; i < 2; i++) {
        ends[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        setsockopt(ends[i], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
        got = connect(ends[i], (struct sockaddr *)&address, length);
    }
    const int saved = errno;
    for (int i = 0; i < 2; i++)
        close(ends[i]);
    close(listener);
    errno = saved;
    return got == -1 && saved == EAGAIN ? 0 : -1;
}

static int by_semop(uint64_t ms)
{
    struct sembuf take = {.sem_op = -1};
    const struct timespec limit = {.tv_nsec = (long)(ms * TRUTH_MS)};
    const int semaphore = semget(IPC_PRIVATE, 1, 0600);
    const int got = semtimedop(semaphore, &take, 1, &limit) == -1 && errno == EAGAIN ? 0 : -1, saved = errno;
    semctl(semaphore, 0, IPC_RMID);
    errno = saved;
    return got;
}

// For a signal that does not come: others than it are no reason to wake up.
static int by_sigtimedwait(uint64_t ms)
{
    sigset_t set;
    const struct timespec limit = {.tv_nsec = (long)(ms * TRUTH_MS)};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    return sigtimedwait(&set, NULL, &limit) == -1 && errno == EAGAIN ? 0 : -1;
}

static const struct {
    const char *name;
    int (*wait)(uint64_t ms);
} ways[] = {
    {"nanosleep", by_nanosleep}, {"poll", by_poll},
    {"select", by_select},       {"epoll", by_epoll},
    {"semaphore", by_semaphore}, {"socket", by_socket},
    {"accept", by_accept},       {"connect", by_connect},
    {"semop", by_semop},         {"sigtimedwait", by_sigtimedwait},
};

// Times are rounded by the kernel's ticks.
static bool lasted(uint64_t begin_ns, uint64_t ms)
{
    return uv_hrtime() - begin_ns >= (ms - 1) * TRUTH_MS;
}

// The wait that comes next.
static struct {
    size_t way;
    int done, failures, early, last_error;
} turn;

static bool take_turn(void)
{
    const uint64_t ms = turn.way == 0 && turn.done == 0 ? LONG_MS : SHORT_MS;
    busy_for_about_a_sample();
    const uint64_t begin_ns = uv_hrtime();
    errno = 0;
    if (ways[turn.way].wait(ms) != 0) {
        turn.failures++;
        turn.last_error = errno;
    }
    turn.early += !lasted(begin_ns, ms);
    if (++turn.done < SHORT_WAITS)
        return true;
    printf("%s: %d failures (errno %d), %d early\n", ways[turn.way].name, turn.failures, turn.last_error,
           turn.early);
    turn.done = turn.failures = turn.early = turn.last_error = 0;
    return ++turn.way < sizeof(ways) / sizeof(ways[0]);
}

static void wait_every_way(void)
{
    in_callbacks(take_turn);
}

// --- Signals of the program's own ---

static volatile sig_atomic_t handled;

static void handle(int number)
{
    (void)number;
    handled++;
}

static void handle_all(void)
{
    struct sigaction action = {.sa_handler = handle};
    int taken = 0, kept = 0;
    for (int number = 1; number <= SIGRTMAX; number++)
        taken += sigaction(number, &action, NULL) == 0; // not SIGKILL, SIGSTOP and the C library's own
    truth_busy(LONG_MS);
    for (int number = 1; number <= SIGRTMAX; number++)
        kept += sigaction(number, NULL, &action) == 0 && action.sa_handler == handle;
    printf("handled %d, kept %d of %d\n", (int)handled, kept, taken);
}

static void block_all(void)
{
    sigset_t all, before, pending;
    int waiting = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    truth_busy(LONG_MS);
    sigpending(&pending);
    for (int number = 1; number <= SIGRTMAX; number++)
        waiting += sigismember(&pending, number) == 1;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    printf("%d signals were waiting\n", waiting);
}

// The defaults of signals that the program does not handle: to be ignored, and to end it.
static void send_itself(void)
{
    truth_busy(LONG_MS);
    printf("ignored %d\n", kill(getpid(), SIGURG));
    truth_busy(LONG_MS);
    fflush(stdout);
    kill(getpid(), SIGRTMAX - 1);
    by_nanosleep(LONG_MS);
}

// --- Stacks that are not the thread's own ---

static void on_alternative_stack(int number)
{
    (void)number;
    truth_busy(LONG_MS);
}

static void use_alternative_stack(void)
{
    const stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
    struct sigaction action = {.sa_handler = on_alternative_stack, .sa_flags = SA_ONSTACK};
    stack_t now;
    sigaltstack(&stack, NULL);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    sigfillset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    sigaltstack(NULL, &now);
    printf("back, the stack is %s\n", now.ss_sp == stack.ss_sp && now.ss_flags == 0 ? "kept" : "lost");
}

static uint64_t descend(unsigned depth)
{
    volatile char room[512];
    memset((char *)room, (int)depth, sizeof(room));
    if (depth == 0)
        truth_busy(LONG_MS);
    return depth ? descend(depth - 1) + (uint64_t)room[depth % sizeof(room)] : 0;
}

static void go_deep(void)
{
    printf("deep %s\n", descend(2000) ? "and back" : "");
}

// --- Coroutines ---

static ucontext_t main_context, contexts[2];
static uint64_t values[2];

static void compute_in_coroutine(int number)
{
    double sum = 0;
    for (int i = 0; i < SWITCHES / 2; i++) {
        busy_for_about_a_sample();
        values[number] = mix(values[number] + (uint64_t)i);
        sum += 1.0 / (double)(values[number] | 1);
        swapcontext(&contexts[number], &main_context);
    }
    printf("coroutine %d: %016llx %a\n", number, (unsigned long long)values[number], sum);
}

static void start_coroutine(int number)
{
    ucontext_t *context = &contexts[number];
    values[number] = (uint64_t)number + 1;
    getcontext(context);
    context->uc_stack.ss_sp = malloc(COROUTINE_BYTES);
    context->uc_stack.ss_size = COROUTINE_BYTES;
    context->uc_link = &main_context;
    makecontext(context, (void (*)(void))compute_in_coroutine, 1, number);
}

// Callbacks that go on where they were, on stacks of their own.
static bool resume(void)
{
    static int switches;
    swapcontext(&main_context, &contexts[switches % 2]);
    return ++switches < SWITCHES + 2; // and once each, for it to end
}

static void switch_stacks(void)
{
    for (int number = 0; number < 2; number++)
        start_coroutine(number);
    in_callbacks(resume);
}

// --- execve ---

static char **arguments;

// What is asked of a thread while it is in execve would reach the new program, which handles nothing. Long
// arguments, so that it is there for long.
static void execute(void)
{
    static char number[12], text[EXEC_BYTES];
    const int left = arguments[2] ? atoi(arguments[2]) : EXECS;
    char *argv[EXEC_ARGUMENTS + 4] = {arguments[0], arguments[1], number};
    sigset_t blocked;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    for (int i = 1; i <= SIGRTMAX; i++)
        if (sigismember(&blocked, i) == 1)
            printf("signal %d is blocked\n", i);
    if (left == 0) {
        printf("the last program\n");
        return;
    }
    snprintf(number, sizeof(number), "%d", left - 1);
    memset(text, 'x', sizeof(text) - 1);
    for (size_t i = 0; i < EXEC_ARGUMENTS; i++)
        argv[i + 3] = text;
    truth_busy((uint64_t)(2 + left % 3));
    fflush(stdout);
    execv("/proc/self/exe", argv);
    perror("execv");
}

// --- Modes ---

static const struct {
    const char *name;
    void (*run)(void);
} modes[] = {
    {"waits", wait_every_way}, {"handle", handle_all}, {"block", block_all},
    {"send", send_itself},     {"deep", go_deep},      {"altstack", use_alternative_stack},
    {"switch", switch_stacks}, {"exec", execute},
};

static void my_callback(uv_timer_t *timer)
{
    (void)timer;
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(modes[i].name, arguments[1]) == 0)
            modes[i].run();
}

int main(int argc, char **argv)
{
    uv_timer_t timer;
    if (argc < 2)
        return 99;
    arguments = argv;
    uv_timer_init(uv_default_loop(), &timer);
    uv_timer_start(&timer, my_callback, 1, 0);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
