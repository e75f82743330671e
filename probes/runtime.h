// SPDX-License-Identifier: MIT
// What every file of the runtime knows: the calling thread's state, the process, the clock, operation
// numbers.
//
// This code runs in other people's processes. It never prints (unless UVSCOPE_DEBUG), exits, aborts,
// allocates on a hot path, holds a lock around a user callback, or changes errno.
#ifndef UVS_RUNTIME_H
#define UVS_RUNTIME_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <uv.h>
#include "probes/uvs_abi.h"

// What is done only while somebody records, or hardly ever, is a function of its own, so that what is always
// passed through is short and needs no frame.
#define UVS__APART __attribute__((noinline))

// What programs pass through all the time: its code lies together, away from what is hardly ever needed.
#define UVS__HOT   __attribute__((hot))

struct uvs__loop;
struct uvs__worker;
struct uvs__copy;

// initial-exec: the library is always preloaded, so its TLS is in the static block. No allocation at first
// touch, and safe in signal handlers. No pointer to a stack frame may be kept here: coroutines move between
// stacks.
struct uvs__thread {
    // What every hook looks at is one line of the cache.
    struct uvs__loop *loop; // the loop that this thread runs (inside uv_run), or NULL
    uint64_t op;            // of the innermost callback that is running, 0 = none
    uint64_t next_op;       // of this thread's block of unused operation numbers
    uint64_t event_ns;      // of the event that was emitted last, see clock.h; 0 = not known
    uv_req_t *submitting;   // a pool request on its way through libuv, see pool.h
    struct uv__work *submitting_work;
    void *submitting_callback;
    uint8_t submitting_kind;
    uint8_t depth; // callbacks around the current point
    bool worker;   // a thread of libuv's pool
    bool in_sync_call;
    bool spawning;   // inside uv_spawn: its child only execs
    bool in_fs_poll; // inside uv_fs_poll_start, whose uv_fs_stat is libuv's own
    bool known_to_lttng;
    bool has_asked_for_place;
    uintptr_t stack_low, stack_high; // high 0 = not asked yet
    uint64_t gc_begin_ns;            // of the outermost collection that is under way, 0 = none
    void *isolate;                   // whose collections are seen
    struct uvs__worker *place;       // of a worker of the pool, where the watchdog sees it
    uint32_t tid;                    // 0 = not asked yet
    uint32_t pool_threads;           // that libuv has started for the request being submitted
    uint8_t gc_kind;
    uint8_t isolates; // that this thread has had
} __attribute__((aligned(64)));

extern __thread struct uvs__thread uvs__self __attribute__((tls_model("initial-exec")));

extern uint32_t uvs__pid;
extern bool uvs__provider_loaded;

static inline uint64_t uvs__now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// Unique in the process; a multiple of the block's size, and so 0, is never handed out.
#define UVS__OP_BLOCK 1024u
uint64_t uvs__next_op_block(struct uvs__thread *self);

static inline bool uvs__has_op(const struct uvs__thread *self)
{
    return __builtin_expect(self->next_op % UVS__OP_BLOCK != 0, 1);
}

static inline uint64_t uvs__next_op(struct uvs__thread *self)
{
    return uvs__has_op(self) ? self->next_op++ : uvs__next_op_block(self);
}

uint32_t uvs__tid(struct uvs__thread *self);

// init.c: loads the LTTng provider once; later calls do nothing.
void uvs__load_provider(void);
// Before a loop gets its key: libuv may have been loaded long after our constructor, or before it.
void uvs__first_loop(void);
// dlopens an object that lies beside this library, or at `path` if that is given. NULL, said to
// UVSCOPE_DEBUG.
void *uvs__open_beside(const char *file, const char *path);
void uvs__register_thread(struct uvs__thread *self);
// Registers the thread with LTTng outside of any callback, so that its first event is not the expensive one.
static inline void uvs__know_thread(struct uvs__thread *self)
{
    if (!self->known_to_lttng)
        uvs__register_thread(self);
}

// announce.c. What process_info says of the program's arguments; while there is one thread.
void uvs__note_arguments(int argc, char *const *argv);
// process_info, modules and loop_info, about once a second. loop may be NULL.
#define UVS__ANNOUNCE_EVERY_NS 1000000000u
extern uint64_t uvs__process_announced_ns; // 0 = to be announced
void uvs__announce(struct uvs__loop *loop, uint64_t now_ns);
// When the loop stops: what was counted since it was announced last.
void uvs__announce_counts(struct uvs__loop *loop, uint64_t now_ns);
// Those that were loaded since the last time: a program may be over within the second.
void uvs__announce_new_modules(void);
// So that process_info comes before any other event of the process.
void uvs__announce_first(void);
// A loop is entered while nobody traces.
void uvs__runs_untraced(void);
// Soon, because something of it has changed.
void uvs__announce_again(void);
void uvs__pool_started(struct uvs__copy *copy, uint32_t threads);

// watchdog.c
void uvs__watchdog_start(void);
void uvs__watchdog_wake(void);

// In the child of a fork that goes on running this program.
void uvs__process_after_fork(void);
void uvs__loops_after_fork(void);
void uvs__announce_after_fork(void);
void uvs__watchdog_after_fork(void);

// UVSCOPE_DEBUG only.
void uvs__debug(const char *format, ...) __attribute__((format(__printf__, 1, 2)));

#endif
