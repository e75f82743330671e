// SPDX-License-Identifier: MIT
// Lean recording: what is short is counted per site in the process, and told about once a second.
//
// Each loop has a table of its own, which only the thread that runs the loop writes: no lock, and no
// allocation but the table's own when the loop first runs. What is not short is told as ever, and not
// counted: totals and events together are everything that happened.
#ifndef UVS_LEAN_H
#define UVS_LEAN_H

#include "probes/call.h"
#include "probes/emit.h"
#include "probes/loop.h"

struct uvs__lean;

// 0: not lean. At most UVS__LEAN_MAX_NS.
extern uint64_t uvs__lean_ns;

// What a pool request's worker left: times 0 are unknown.
struct uvs__triple {
    uint64_t submit_ns, begin_ns, end_ns;
    void *asked; // what will be named: the function for a worker, or the callback
};

static inline bool uvs__lean_on(void)
{
    return __builtin_expect(uvs__lean_ns != 0, 0) && uvs__on(totals);
}

void uvs__lean_start(const char *threshold_us);

// uv_run begins and ends on this thread.
void uvs__lean_enter(struct uvs__loop *loop, uint64_t now_ns);
void uvs__lean_leave(struct uvs__loop *loop, uint64_t now_ns);

// Each returns true when it was counted, and need not be told.
bool uvs__lean_callback(struct uvs__loop *loop, const struct uvs__call *call, uint64_t duration_ns,
                        int64_t result, const struct uvs__triple *triple);
bool uvs__lean_sync_call(struct uvs__loop *loop, uint8_t kind, const void *caller, uint64_t duration_ns);
bool uvs__lean_poll(struct uvs__loop *loop);
// calls 0: uv_run returns.
bool uvs__lean_last_busy(struct uvs__loop *loop, uint64_t busy_ns);
// Asked by the worker and again by the loop's thread: the answer depends on the times alone.
bool uvs__lean_work(uint64_t queue_ns, uint64_t service_ns);

// Outside of callbacks: tells about once a second.
void uvs__lean_turn(struct uvs__loop *loop, uint64_t now_ns);
// The loop is closed, or the process ends.
void uvs__lean_end(struct uvs__loop *loop);
// The slot gets another loop: what one before, that was not closed, has left is nobody's.
void uvs__lean_forget(struct uvs__loop *loop);
void uvs__lean_after_fork(void);
void uvs__lean_announce(void);

#endif
