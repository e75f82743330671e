// SPDX-License-Identifier: MIT
// faults WAY [N]: a libuv program to which something happens. Prints the same with and without uvscope.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

static int number;

static void say(const char *text)
{
    puts(text);
    fflush(stdout);
}

// --- Ends in the middle ---

static void end_exit(void)
{
    exit(31);
}

static void end_at_once(void)
{
    _exit(32);
}

static void end_abort(void)
{
    abort();
}

static void end_kill(void)
{
    raise(SIGKILL);
}

static void (*const ends[])(void) = {end_exit, end_at_once, end_abort, end_kill};

static void end_in_callback(uv_timer_t *timer)
{
    (void)timer;
    say("ending");
    ends[number]();
}

static void end_in_work(uv_work_t *work)
{
    (void)work;
    say("ending");
    ends[number]();
}

static void ignore_work(uv_work_t *work, int status)
{
    (void)work, (void)status;
}

static void on_stat(uv_fs_t *request)
{
    printf("stat %d\n", (int)request->result);
    uv_fs_req_cleanup(request);
}

// Something whole before the end, to be found in the trace.
static void run_stat(uv_loop_t *loop)
{
    static uv_fs_t request;
    uv_fs_stat(loop, &request, "/", on_stat);
    uv_run(loop, UV_RUN_DEFAULT);
}

static int callback(uv_loop_t *loop)
{
    uv_timer_t timer;
    run_stat(loop);
    uv_timer_init(loop, &timer);
    uv_timer_start(&timer, end_in_callback, 1, 0);
    return uv_run(loop, UV_RUN_DEFAULT);
}

static int work(uv_loop_t *loop)
{
    uv_work_t job;
    run_stat(loop);
    uv_queue_work(loop, &job, end_in_work, ignore_work);
    return uv_run(loop, UV_RUN_DEFAULT);
}

// --- Many of everything ---

// A few at a time, as make and test runners do.
static int children(uv_loop_t *loop)
{
    enum { AT_ONCE = 8 };
    int failed = 0, running = 0;
    run_stat(loop);
    for (int started = 0; started < number || running > 0;) {
        if (started < number && running < AT_ONCE) {
            pid_t child = fork();
            if (child == 0)
                execl("/proc/self/exe", "faults", "turn", (char *)NULL);
            running += child > 0;
            failed += child < 0;
            started++;
            continue;
        }
        int status = 0;
        failed += wait(&status) < 0 || status != 0;
        running--;
    }
    printf("%d failed\n", failed);
    return 0;
}

static void count_tick(uv_timer_t *timer)
{
    ++*(int *)timer->data;
}

// One loop turns in each process of `children`.
static int turn(uv_loop_t *loop)
{
    int ticks = 0;
    uv_timer_t timer = {.data = &ticks};
    uv_timer_init(loop, &timer);
    uv_timer_start(&timer, count_tick, 0, 0);
    uv_run(loop, UV_RUN_DEFAULT);
    return ticks != 1;
}

// All of them at once.
static int loops(uv_loop_t *first)
{
    int ticks = 0;
    uv_loop_t *all = calloc((size_t)number, sizeof(*all));
    uv_timer_t *timers = calloc((size_t)number, sizeof(*timers));
    run_stat(first);
    for (int i = 0; i < number; i++) {
        if (uv_loop_init(&all[i]))
            return 1;
        timers[i].data = &ticks;
        uv_timer_init(&all[i], &timers[i]);
        uv_timer_start(&timers[i], count_tick, 1, 0);
    }
    for (int i = 0; i < number; i++) {
        uv_run(&all[i], UV_RUN_DEFAULT);
        uv_close((uv_handle_t *)&timers[i], NULL);
        uv_run(&all[i], UV_RUN_DEFAULT);
    }
    int open = 0;
    for (int i = 0; i < number; i++)
        open += uv_loop_close(&all[i]) != 0;
    printf("%d ticks, %d loops not closed\n", ticks, open);
    free(timers);
    free(all);
    return 0;
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *wait_and_send(void *async)
{
    uv_async_send(async);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return NULL;
}

static void on_async(uv_async_t *async)
{
    uv_close((uv_handle_t *)async, NULL);
}

// All of them at once, and each has touched libuv.
static int threads(uv_loop_t *loop)
{
    pthread_t *all = calloc((size_t)number, sizeof(*all));
    pthread_attr_t small;
    uv_async_t async;
    int started = 0;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 << 10);
    uv_async_init(loop, &async, on_async);
    pthread_mutex_lock(&gate);
    while (started < number && pthread_create(&all[started], &small, wait_and_send, &async) == 0)
        started++;
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < started; i++)
        pthread_join(all[i], NULL);
    printf("%s\n", started == number ? "all" : "too few");
    free(all);
    run_stat(loop);
    return 0;
}

// Takes every descriptor that there is, and frees them again in the middle of the loop's life.
static int descriptors(uv_loop_t *loop)
{
    enum { MOST = 4096 };
    static int taken[MOST];
    int count = 0;
    while (count < MOST && (taken[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        count++;
    printf("%s\n", count < MOST && errno == EMFILE ? "none left" : "descriptors are left");
    uv_tcp_t tcp;
    printf("%s\n", uv_strerror(uv_tcp_init_ex(loop, &tcp, AF_INET)));
    while (count > 0)
        close(taken[--count]);
    run_stat(loop);
    return 0;
}

// --- Until it is told ---

static void on_told(uv_signal_t *handle, int signum)
{
    printf("told %d\n", signum);
    fflush(stdout);
    if (handle->data && signum == SIGHUP)
        kill(0, SIGTERM);
    if (!handle->data)
        uv_stop(handle->loop);
}

static void on_tick(uv_timer_t *timer)
{
    if (timer->data)
        return;
    timer->data = timer;
    say("ready");
}

// Ticks each millisecond until it is told to end.
static int tick_until(uv_loop_t *loop, bool (*is_end)(int signum))
{
    static const int told[] = {SIGTERM, SIGHUP, SIGINT, SIGWINCH};
    uv_signal_t handles[4];
    uv_timer_t timer = {.data = NULL};
    uv_timer_init(loop, &timer);
    uv_timer_start(&timer, on_tick, 1, 1);
    for (int i = 0; i < 4; i++) {
        uv_signal_init(loop, &handles[i]);
        handles[i].data = is_end(told[i]) ? NULL : &handles[i];
        uv_signal_start(&handles[i], on_told, told[i]);
    }
    uv_run(loop, UV_RUN_DEFAULT);
    return 7;
}

static bool asks_to_end(int signum)
{
    return signum != SIGWINCH;
}

static int tick(uv_loop_t *loop)
{
    return tick_until(loop, asks_to_end);
}

// The last of the signals that may come together: what it was told before, it was told.
static bool is_last(int signum)
{
    return signum == SIGWINCH;
}

static int tell(uv_loop_t *loop)
{
    alarm(60); // where nobody sends the last one
    return tick_until(loop, is_last);
}

static const struct {
    const char *name;
    int (*run)(uv_loop_t *loop);
} ways[] = {
    {"callback", callback}, {"work", work},       {"children", children},       {"turn", turn},
    {"loops", loops},       {"threads", threads}, {"descriptors", descriptors}, {"tick", tick},
    {"tell", tell},
};

int main(int argc, char **argv)
{
    number = argc > 2 ? atoi(argv[2]) : 0;
    for (size_t i = 0; argc > 1 && i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (strcmp(argv[1], ways[i].name) == 0)
            return ways[i].run(uv_default_loop());
    }
    return 2;
}
