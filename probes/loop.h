// SPDX-License-Identifier: MIT
// One slot per live loop in a static array; uv_loop_t has no reserved word, so the loop's own wq_async
// carries the pointer.
#ifndef UVS_LOOP_H
#define UVS_LOOP_H

#include "probes/runtime.h"

// What the watchdog reads from another thread while the loop's thread writes: relaxed stores, no lock.
// busy_since 0: in poll, or outside uv_run.
struct uvs__watch {
    uint64_t busy_since;
    uint64_t op;
    void *callback;
    uint8_t kind;
};

// A poll phase that may still go on (EINTR, or the zero-timeout look before the real wait): not emitted yet.
struct uvs__poll {
    uint64_t begin_ns, end_ns, busy_ns;
    uint32_t callbacks;
    int32_t timeout_ms;
    uint16_t ready;
    uint8_t calls; // 0 = nothing pending
    bool told;     // lean: something of the busy interval before it was told
};

// The watchdog's own: the busy interval that it saw last, and when and with how much CPU time it saw it
// first.
struct uvs__watched {
    uint64_t since_ns, next_ns, seen_ns, seen_cpu_ns;
};

struct uvs__loop {
    uv_loop_t *loop; // NULL = free
    uint32_t key, tid;
    uintptr_t stack_low, stack_high; // of the thread that runs it
    int backend_fd;
    uint32_t callbacks;     // outermost callback events since the busy interval began
    uint64_t busy_begin_ns; // 0 = unknown
    uint64_t announced_ns;
    uint64_t try_writes, announced_try_writes;
    struct uvs__poll poll;
    struct uvs__watch watch;
    struct uvs__watched watched;
    uint64_t refused_ns;    // when handles that kept it from being closed were told; 0 = they were not
    bool sees_gc;           // the collections of its thread's isolate are recorded
    uint8_t base_depth;     // the thread's callback depth at the innermost uv_run's entry
    bool told;              // lean: something of this busy interval was told
    bool told_nested;       // likewise, and callbacks around it still run
    struct uvs__lean *lean; // NULL: everything is told
} __attribute__((aligned(64)));

extern struct uvs__loop uvs__loops[UVS_SLOT_NONE];

// The loop's slot, or NULL when it has none.
struct uvs__loop *uvs__loop_of(const uv_loop_t *loop);

// The key for events of `loop`; slot NONE when it has no slot.
uint32_t uvs__key_of(const uv_loop_t *loop);

static inline uint32_t uvs__key(const struct uvs__loop *loop)
{
    return loop ? loop->key : uvs_loop_key(uvs__pid, UVS_SLOT_NONE);
}

// The same, where it is most likely the loop that this thread runs.
static inline uint32_t uvs__key_here(const uv_loop_t *loop)
{
    const struct uvs__loop *here = uvs__self.loop;
    return here && here->loop == loop ? here->key : uvs__key_of(loop);
}

// Gives a loop of that copy of libuv a slot. NULL, said in the trace, when none is left.
struct uvs__loop *uvs__loop_attach(uv_loop_t *loop, unsigned copy);
void uvs__loop_detach(struct uvs__loop *slot);

void uvs__note_default_loop(const uv_loop_t *loop, unsigned copy);
bool uvs__is_default_loop(const uv_loop_t *loop);

// At each turn: what is repeated about once a second.
static inline void uvs__announce_turn(struct uvs__loop *loop, uint64_t now_ns)
{
    const uint64_t process_ns = __atomic_load_n(&uvs__process_announced_ns, __ATOMIC_RELAXED);
    if (__builtin_expect(now_ns - process_ns >= UVS__ANNOUNCE_EVERY_NS ||
                             now_ns - loop->announced_ns >= UVS__ANNOUNCE_EVERY_NS,
                         0))
        uvs__announce(loop, now_ns);
}

// This thread enters and leaves uv_run of the loop.
void uvs__run_begin(struct uvs__loop *loop, int backend_fd);
void uvs__run_end(struct uvs__loop *loop);

// Emits a poll phase that was held back.
void uvs__flush_poll(struct uvs__loop *loop);

#endif
