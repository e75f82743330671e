// SPDX-License-Identifier: MIT
// The watchdog: one thread per process that sees a loop busy beyond the threshold and says so while it is
// still busy. A program killed in the middle of a block leaves no `callback` event; the `stall` events are
// what is known of it.
//
// It sleeps on a futex while no loop is busy. The loop's thread wakes it when it finds it asleep; a wake-up
// that is missed between the last look and the sleep costs at most SLEEP_NS.
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probes/emit.h"
#include "probes/environment.h"
#include "probes/loop.h"
#include "probes/sampler.h"
#include "probes/worker.h"

#include "probes/poison.h"

#define DEFAULT_THRESHOLD_MS 50u
#define NS_PER_MS            1000000u
#define SLEEP_NS             1000000000u
#define MAX_GAP_NS           250000000u
#define STACK_SIZE           (256u * 1024)

static uint32_t asleep; // the futex
static bool started;
static uint64_t threshold_ns, work_threshold_ns; // 0: off

// A thread that the watchdog looks at: a loop's, or a worker's.
struct subject {
    uint32_t key;
    struct uvs__sampled_thread thread;
    const struct uvs__watch *watch;
    struct uvs__watched *watched;
    uint64_t threshold_ns;
};

static uint64_t read_threshold_ns(const char *text, unsigned default_ms)
{
    if (!text)
        return default_ms * (uint64_t)NS_PER_MS;
    long ms = atol(text);
    return ms > 0 ? (uint64_t)ms * NS_PER_MS : 0;
}

static struct timespec to_timespec(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
}

static uint64_t busy_since(const struct uvs__watch *watch)
{
    return __atomic_load_n(&watch->busy_since, __ATOMIC_ACQUIRE);
}

// At threshold, then at distances that grow with the interval: a block of 10 s is seen about fifty times.
static uint64_t gap_ns(uint64_t busy_ns, uint64_t least_ns)
{
    const uint64_t gap = busy_ns / 4;
    return gap < least_ns / 2 ? least_ns / 2 : gap < MAX_GAP_NS ? gap : MAX_GAP_NS;
}

static bool sample_is_due(const struct subject *subject, uint64_t since_ns, uint64_t now_ns)
{
    struct uvs__watched *watched = subject->watched;
    if (watched->since_ns == since_ns && uvs__has_answered_late(&subject->thread, since_ns))
        watched->next_ns = now_ns;
    if (watched->since_ns != since_ns)
        *watched = (struct uvs__watched){.since_ns = since_ns,
                                         .next_ns = since_ns + subject->threshold_ns,
                                         .seen_ns = now_ns,
                                         .seen_cpu_ns = uvs__thread_cpu_ns(subject->thread.tid)};
    if (now_ns < watched->next_ns)
        return false;
    watched->next_ns = now_ns + gap_ns(now_ns - since_ns, subject->threshold_ns);
    return true;
}

// Between the begin of the interval and the first look at it the thread's clock was not read: what it used
// then is taken to be like what it used since.
static uint64_t cpu_of_interval(const struct subject *subject, uint64_t busy_ns, uint64_t now_ns)
{
    const struct uvs__watched *watched = subject->watched;
    const uint64_t cpu_ns = uvs__thread_cpu_ns(subject->thread.tid);
    if (cpu_ns == UVS_ABSENT || watched->seen_cpu_ns == UVS_ABSENT || now_ns <= watched->seen_ns)
        return UVS_ABSENT;
    const double share = (double)(cpu_ns - watched->seen_cpu_ns) / (double)(now_ns - watched->seen_ns);
    return share < 1 ? (uint64_t)(share * (double)busy_ns) : busy_ns;
}

static void sample(const struct subject *subject, uint64_t since_ns, uint64_t now_ns)
{
    static uint64_t frames[UVS__FRAMES_MAX];
    const struct uvs__watch *watch = subject->watch;
    int call;
    struct uvs_ev_stall stall = {
        .loop = subject->key,
        .op = __atomic_load_n(&watch->op, __ATOMIC_RELAXED),
        .kind = __atomic_load_n(&watch->kind, __ATOMIC_RELAXED),
        .callback = (uintptr_t)__atomic_load_n(&watch->callback, __ATOMIC_RELAXED),
        .tid = subject->thread.tid,
        .cpu_ns = cpu_of_interval(subject, now_ns - since_ns, now_ns),
        .frames = frames,
    };
    stall.frames_count = (uint8_t)uvs__sample_thread(&subject->thread, since_ns, frames, &call);
    if (busy_since(watch) != since_ns)
        return;
    if (call >= 0)
        uvs__emit_waiting(
            &(struct uvs_ev_waiting){.loop = stall.loop, .tid = stall.tid, .call = (uint16_t)call});
    // As of the event's own time.
    stall.busy_ns = uvs__now() - since_ns;
    uvs__emit_stall(&stall);
    uvs__announce_new_modules();
}

static void look_at(const struct subject *subject, uint64_t since_ns, uint64_t now_ns)
{
    if (now_ns > since_ns && sample_is_due(subject, since_ns, now_ns))
        sample(subject, since_ns, now_ns);
}

static bool look_at_loops(uint64_t now_ns)
{
    bool any = false;
    for (uint32_t i = 0; i < UVS_SLOT_NONE && threshold_ns; i++) {
        struct uvs__loop *loop = &uvs__loops[i];
        if (!__atomic_load_n(&loop->loop, __ATOMIC_ACQUIRE))
            continue;
        // Only then is it written whose thread that is.
        const uint64_t since_ns = busy_since(&loop->watch);
        if (!since_ns)
            continue;
        any = true;
        const struct subject subject = {.key = loop->key,
                                        .thread = {loop->tid, loop->stack_low, loop->stack_high},
                                        .watch = &loop->watch,
                                        .watched = &loop->watched,
                                        .threshold_ns = threshold_ns};
        look_at(&subject, since_ns, now_ns);
    }
    return any;
}

static bool look_at_workers(uint64_t now_ns)
{
    const uint32_t count = uvs__workers_used();
    bool any = false;
    for (uint32_t i = 0; i < count; i++) {
        struct uvs__worker *worker = &uvs__workers[i];
        const uint64_t since_ns = busy_since(&worker->watch);
        if (!since_ns)
            continue;
        any = true;
        const struct subject subject = {.key = uvs__key(NULL),
                                        .thread = {worker->tid, worker->stack_low, worker->stack_high},
                                        .watch = &worker->watch,
                                        .watched = &worker->watched,
                                        .threshold_ns = work_threshold_ns};
        look_at(&subject, since_ns, now_ns);
    }
    return any;
}

// Returns whether anybody is busy.
static bool look(void)
{
    const uint64_t now_ns = uvs__now();
    const bool loops = look_at_loops(now_ns);
    return look_at_workers(now_ns) || loops;
}

static uint64_t tick_ns(void)
{
    const bool is_work = !threshold_ns || (work_threshold_ns && work_threshold_ns < threshold_ns);
    return (is_work ? work_threshold_ns : threshold_ns) / 2;
}

static void *watch_all(void *unused)
{
    (void)unused;
    const struct timespec tick = to_timespec(tick_ns()), sleep = to_timespec(SLEEP_NS);
    uvs__know_thread(&uvs__self);
    uvs__sampler_start();
    for (;;) {
        clock_nanosleep(CLOCK_MONOTONIC, 0, &tick, NULL);
        if (look())
            continue;
        __atomic_store_n(&asleep, 1, __ATOMIC_SEQ_CST);
        if (!look())
            syscall(SYS_futex, &asleep, FUTEX_WAIT_PRIVATE, 1, &sleep, NULL, 0);
        __atomic_store_n(&asleep, 0, __ATOMIC_RELAXED);
    }
    return NULL;
}

void uvs__watchdog_wake(void)
{
    if (__builtin_expect(__atomic_load_n(&asleep, __ATOMIC_RELAXED), 0)) {
        int saved = errno;
        __atomic_store_n(&asleep, 0, __ATOMIC_RELAXED);
        syscall(SYS_futex, &asleep, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
        errno = saved;
    }
}

static void start_thread(void)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    // The program's signals are for the program's threads.
    sigset_t all, saved;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &saved);
    pthread_t thread;
    if (pthread_create(&thread, &attributes, watch_all, NULL) == 0)
        pthread_setname_np(thread, "uvscope-watch");
    pthread_sigmask(SIG_SETMASK, &saved, NULL);
    pthread_attr_destroy(&attributes);
}

void uvs__watchdog_start(void)
{
    if (__atomic_load_n(&started, __ATOMIC_RELAXED) || !uvs__on(stall) ||
        __atomic_exchange_n(&started, true, __ATOMIC_RELAXED))
        return;
    int saved = errno;
    threshold_ns = read_threshold_ns(uvs__environment.UVSCOPE_STALL_MS, DEFAULT_THRESHOLD_MS);
    work_threshold_ns = read_threshold_ns(uvs__environment.UVSCOPE_STALL_WORK_MS, 0);
    if (threshold_ns || work_threshold_ns) {
        uvs__sampler_choose();
        start_thread();
    }
    errno = saved;
}

void uvs__watchdog_after_fork(void)
{
    asleep = 0;
    started = false;
    uvs__workers_after_fork();
}
