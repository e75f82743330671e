// SPDX-License-Identifier: MIT
// What test_stacks.py samples: stacks MODE. Every mode prints the same whether it is sampled or not.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <resolv.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "truth.h"

enum { LONG_MS = 300, SHORT_MS = 2, SHORT_WAITS = 150, STRESS_ROUNDS = 60 };

static uint64_t mix(uint64_t value)
{
    value ^= value << 13;
    value ^= value >> 7;
    return value ^ value << 17;
}

static volatile uint64_t result;

// Computes without a call for most of its time.
__attribute__((noinline)) static void superSlowFunction(uint64_t ms)
{
    const uint64_t end_ns = uv_hrtime() + ms * TRUTH_MS;
    uint64_t value = 1;
    while (uv_hrtime() < end_ns)
        for (int i = 0; i < 100000; i++)
            value = mix(value);
    result = value;
}

static uint64_t cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

static void compute(void)
{
    const uint64_t begin_ns = cpu_ns();
    superSlowFunction(LONG_MS);
    printf("cpu %llu\n", (unsigned long long)(cpu_ns() - begin_ns));
}

// --- Waits ---

static const char *fifo;

static void *write_later(void *unused)
{
    const int fd = open(fifo, O_WRONLY | O_CLOEXEC);
    const struct timespec pause = {.tv_nsec = LONG_MS * TRUTH_MS};
    nanosleep(&pause, NULL);
    if (write(fd, "x", 1) != 1)
        perror("write");
    close(fd);
    return unused;
}

static void read_fifo(void)
{
    uv_fs_t request;
    char byte;
    uv_buf_t buffer = uv_buf_init(&byte, 1);
    pthread_t writer;
    MUST(-mkfifo(fifo, 0600));
    pthread_create(&writer, NULL, write_later, NULL);
    const int fd = open(fifo, O_RDONLY | O_CLOEXEC);
    printf("read %d\n", uv_fs_read(NULL, &request, fd, &buffer, 1, -1, NULL));
    pthread_join(writer, NULL);
    close(fd);
    unlink(fifo);
}

static void *unlock_later(void *lock)
{
    const struct timespec pause = {.tv_nsec = LONG_MS * TRUTH_MS};
    nanosleep(&pause, NULL);
    flock(*(int *)lock, LOCK_UN);
    return NULL;
}

// The fifo's name serves as a file's.
static void wait_for_lock(void)
{
    int lock = open(fifo, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const int other = open(fifo, O_RDWR | O_CLOEXEC);
    pthread_t holder;
    MUST(flock(lock, LOCK_EX));
    pthread_create(&holder, NULL, unlock_later, &lock);
    printf("flock %d\n", flock(other, LOCK_EX));
    pthread_join(holder, NULL);
    close(other);
    close(lock);
    unlink(fifo);
}

// A name server that never answers.
static void look_up(void)
{
    uv_getaddrinfo_t request;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    const int server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    MUST(-bind(server, (struct sockaddr *)&address, length));
    MUST(-getsockname(server, (struct sockaddr *)&address, &length));
    MUST(-res_init());
    _res.nscount = 1;
    _res.nsaddr_list[0] = address;
    _res.retrans = _res.retry = 1;
    const int status = uv_getaddrinfo(uv_default_loop(), &request, NULL, "nowhere.example.", NULL, NULL);
    printf("getaddrinfo %s\n", uv_err_name(status));
    close(server);
}

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

static const struct {
    const char *name;
    int (*wait)(uint64_t ms);
} ways[] = {
    {"nanosleep", by_nanosleep}, {"poll", by_poll},           {"select", by_select},
    {"epoll", by_epoll},         {"semaphore", by_semaphore}, {"socket", by_socket},
};

// Times are rounded by the kernel's ticks.
static bool lasted(uint64_t begin_ns, uint64_t ms)
{
    return uv_hrtime() - begin_ns >= (ms - 1) * TRUTH_MS;
}

// Many short ones, each after a computation of its own length: a signal meets the way into the kernel.
static void wait_every_way(void)
{
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        int failures = 0, early = 0, last_error = 0;
        for (int j = 0; j < SHORT_WAITS; j++) {
            const uint64_t ms = j == 0 ? LONG_MS : SHORT_MS;
            truth_busy(j % 3);
            const uint64_t begin_ns = uv_hrtime();
            errno = 0;
            if (ways[i].wait(ms) != 0) {
                failures++;
                last_error = errno;
            }
            early += !lasted(begin_ns, ms);
        }
        printf("%s: %d failures (errno %d), %d early\n", ways[i].name, failures, last_error, early);
    }
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
    int kept = 0;
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
        sigaction(number, &action, NULL);
    superSlowFunction(LONG_MS);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
        kept += sigaction(number, NULL, &action) == 0 && action.sa_handler == handle;
    printf("handled %d, kept %d of %d\n", (int)handled, kept, SIGRTMAX - SIGRTMIN + 1);
}

static void block_all(void)
{
    sigset_t all, before, pending;
    int waiting = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    superSlowFunction(LONG_MS);
    sigpending(&pending);
    for (int number = 1; number <= SIGRTMAX; number++)
        waiting += sigismember(&pending, number) == 1;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    printf("%d signals were waiting\n", waiting);
}

// The default of a signal that the program does not handle is to end it.
static void kill_itself(void)
{
    superSlowFunction(LONG_MS);
    fflush(stdout);
    kill(getpid(), SIGRTMAX - 1);
    by_nanosleep(LONG_MS);
}

// --- Stacks that are not the thread's own ---

static void on_alternative_stack(int number)
{
    (void)number;
    superSlowFunction(LONG_MS);
}

static void use_alternative_stack(void)
{
    const stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
    const struct sigaction action = {.sa_handler = on_alternative_stack, .sa_flags = SA_ONSTACK};
    sigaltstack(&stack, NULL);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    printf("back\n");
}

static uint64_t descend(unsigned depth)
{
    volatile char room[512];
    memset((char *)room, (int)depth, sizeof(room));
    if (depth == 0)
        superSlowFunction(LONG_MS);
    return depth ? descend(depth - 1) + (uint64_t)room[depth % sizeof(room)] : 0;
}

static void go_deep(void)
{
    printf("deep %s\n", descend(2000) ? "and back" : "");
}

// --- Much of everything ---

static uint64_t use_files(uint64_t value)
{
    uv_fs_t request;
    char text[32];
    const int fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
    const ssize_t length = read(fd, text, sizeof(text));
    close(fd);
    const int found = uv_fs_stat(NULL, &request, "/", NULL);
    uv_fs_req_cleanup(&request);
    return mix(value + (uint64_t)length + (uint64_t)found);
}

static uint64_t use_children(uint64_t value)
{
    int status = 0;
    const pid_t child = fork();
    if (child == 0)
        _exit((int)(value & 0x3f));
    while (waitpid(child, &status, 0) < 0)
        printf("waitpid: %s\n", strerror(errno));
    return mix(value + (uint64_t)WEXITSTATUS(status));
}

static void stress(void)
{
    uint64_t value = 1;
    for (int round = 0; round < STRESS_ROUNDS; round++) {
        truth_busy(4);
        for (int i = 0; i < 200; i++)
            value = use_files(value);
        value = use_children(value);
        for (int i = 0; i < 100000; i++)
            value = mix(value);
    }
    printf("checksum %016llx\n", (unsigned long long)value);
}

// --- Long jobs of the pool ---

static void short_job(uv_work_t *request)
{
    (void)request;
    result = mix(result);
}

static void computing_job(uv_work_t *request)
{
    (void)request;
    superSlowFunction(LONG_MS);
    result = mix(result);
}

static void waiting_job(uv_work_t *request)
{
    (void)request;
    by_nanosleep(LONG_MS);
    result = mix(result);
}

static void after_job(uv_work_t *request, int status)
{
    (void)request;
    printf("done %d\n", status);
}

static void use_pool(void)
{
    static uv_work_t requests[4];
    static const uv_work_cb jobs[] = {short_job, computing_job, waiting_job, short_job};
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
        MUST(uv_queue_work(uv_default_loop(), &requests[i], jobs[i], after_job));
}

// --- Modes ---

static unsigned left = 1000000;

static void short_callback(uv_idle_t *idle)
{
    if (--left == 0)
        uv_idle_stop(idle);
}

static void run_short(void)
{
    static uv_idle_t idle;
    uv_idle_init(uv_default_loop(), &idle);
    uv_idle_start(&idle, short_callback);
}

static const struct {
    const char *name;
    void (*run)(void);
} modes[] = {
    {"compute", compute},      {"fifo", read_fifo},
    {"flock", wait_for_lock},  {"dns", look_up},
    {"waits", wait_every_way}, {"handle", handle_all},
    {"block", block_all},      {"kill", kill_itself},
    {"deep", go_deep},         {"altstack", use_alternative_stack},
    {"stress", stress},        {"short", run_short},
    {"work", use_pool},
};

static const char *wanted;

static void my_callback(uv_timer_t *timer)
{
    (void)timer;
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(modes[i].name, wanted) == 0)
            modes[i].run();
}

int main(int argc, char **argv)
{
    uv_timer_t timer;
    wanted = argc > 1 ? argv[1] : "compute";
    fifo = argc > 2 ? argv[2] : "fifo";
    uv_timer_init(uv_default_loop(), &timer);
    uv_timer_start(&timer, my_callback, 1, 0);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
