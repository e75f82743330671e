// SPDX-License-Identifier: MIT
// What test_stacks.py samples: stacks MODE. Every mode prints the same whether it is sampled or not.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <resolv.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "truth.h"

enum { LONG_MS = 300, ROUNDS_PER_CHILD = 50 };

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

static const char *argument; // a fifo's name, or how many rounds

static void *write_later(void *unused)
{
    const int fd = open(argument, O_WRONLY | O_CLOEXEC);
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
    MUST(-mkfifo(argument, 0600));
    pthread_create(&writer, NULL, write_later, NULL);
    const int fd = open(argument, O_RDONLY | O_CLOEXEC);
    printf("read %d\n", uv_fs_read(NULL, &request, fd, &buffer, 1, -1, NULL));
    pthread_join(writer, NULL);
    close(fd);
    unlink(argument);
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
    int lock = open(argument, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const int other = open(argument, O_RDWR | O_CLOEXEC);
    pthread_t holder;
    MUST(flock(lock, LOCK_EX));
    pthread_create(&holder, NULL, unlock_later, &lock);
    printf("flock %d\n", flock(other, LOCK_EX));
    pthread_join(holder, NULL);
    close(other);
    close(lock);
    unlink(argument);
}

// Reads of what is in memory are not interrupted, and are no wait: as long as it takes, the thread is in the
// kernel. It goes on for a little afterwards.
__attribute__((noinline)) static void read_much(void)
{
    enum { PARTS = 1000, PART = 1 << 20, FOR_MS = 1500 };
    struct iovec parts[PARTS];
    char *bytes = malloc(PART);
    const int fd = memfd_create("holes", MFD_CLOEXEC);
    MUST(bytes && ftruncate(fd, (off_t)PARTS * PART) == 0 ? 0 : UV_ENOMEM);
    for (size_t i = 0; i < PARTS; i++)
        parts[i] = (struct iovec){bytes, PART};
    long long length = 0;
    for (const uint64_t end_ns = uv_hrtime() + FOR_MS * TRUTH_MS; uv_hrtime() < end_ns;)
        length = preadv(fd, parts, PARTS, 0);
    printf("preadv %lld\n", length);
    close(fd);
    free(bytes);
}

static void read_from_memory(void)
{
    read_much();
    superSlowFunction(100);
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

static uint64_t use_names(uint64_t value)
{
    uv_getaddrinfo_t request;
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_flags = AI_NUMERICSERV};
    const int status = uv_getaddrinfo(uv_default_loop(), &request, NULL, "localhost", "80", &hints);
    uv_freeaddrinfo(request.addrinfo);
    return mix(value + (uint64_t)status);
}

// From 1 to 3 ms.
static void busy_for_some_samples(uint64_t value)
{
    const uint64_t end_ns = uv_hrtime() + TRUTH_MS + value % (2 * TRUTH_MS);
    while (uv_hrtime() < end_ns)
        ;
}

// A callback of its own, because one long callback is sampled ever more rarely.
static void stress_round(uv_idle_t *idle)
{
    static uint64_t value = 1;
    static long done;
    busy_for_some_samples(value);
    for (int i = 0; i < 20; i++)
        value = use_files(value);
    value = use_names(value);
    if (done % ROUNDS_PER_CHILD == 0) // children that are traced start slowly
        value = use_children(value);
    if (++done < strtol(argument, NULL, 10))
        return;
    uv_idle_stop(idle);
    printf("checksum %016llx\n", (unsigned long long)value);
}

static void stress(void)
{
    static uv_idle_t idle;
    uv_idle_init(uv_default_loop(), &idle);
    uv_idle_start(&idle, stress_round);
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
    const struct timespec pause = {.tv_nsec = LONG_MS * TRUTH_MS};
    nanosleep(&pause, NULL);
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
    {"compute", compute}, {"fifo", read_fifo},  {"flock", wait_for_lock}, {"dns", look_up},
    {"stress", stress},   {"short", run_short}, {"work", use_pool},       {"memory", read_from_memory},
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
    argument = argc > 2 ? argv[2] : "fifo";
    uv_timer_init(uv_default_loop(), &timer);
    uv_timer_start(&timer, my_callback, 1, 0);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
