// SPDX-License-Identifier: MIT
// Who made whom wait: what the two halves of the blame share, late callbacks of loops and waits in pools'
// queues.
#ifndef UVS_BLAME_H
#define UVS_BLAME_H

#include "analysis.h"
#include "stack_table.h"
#include "timeline.h"
#include "workers.h"

// A cause names a culprit: what it is, and whom it belongs to.
enum uvs__owner { UVS__OF_WHO, UVS__OF_LOOP, UVS__OF_PROCESS };

static inline uint64_t uvs__cause(enum uvs_blame_what what, enum uvs__owner owner, uint32_t index)
{
    return (uint64_t)what << 40 | (uint64_t)owner << 32 | index;
}

// Requests have a second track for the waits of slow I/O, which may be held up by other slow I/O alone.
enum uvs__queue { UVS__QUEUE_ALL, UVS__QUEUE_SLOW, UVS__QUEUE_COUNT };

struct uvs__culprit {
    struct uvs__track tracks[UVS__QUEUE_COUNT]; // named by its cause
    struct uvs_hist inflicted;                  // on each victim
    uint64_t wall_ns;
};

// How the time of one victim divides.
struct uvs__share {
    uint64_t cause, ns;
};

struct uvs__shares {
    struct uvs__share *items;
    size_t count, capacity;
};

struct uvs__victim {
    struct uvs_hist waited;
    uint64_t stale, stale_ns; // timers: that a poll slept beyond them, and for how long
};

struct uvs__sampled {
    uint64_t samples, ns; // ns: that they stand for
};

// Whose samples were in which stacks.
struct uvs__scripts {
    struct uvs__stack_table stacks;
    struct uvs__map counts; // (cause, a stack's index) -> struct uvs__sampled
    uint64_t *causes;       // after the finish: of the report's scripts, in order
    size_t cause_count;
};

struct uvs__blame {
    uint64_t threshold_ns;    // of the span that is taken or settled: how long who waited is a victim
    struct uvs__map culprits; // cause -> struct uvs__culprit
    struct uvs__map pairs;    // (who, cause) -> struct uvs__pair
    struct uvs__rows victims; // struct uvs__victim by who
    struct uvs__rows loops;   // of blame_loops.c, by the loop's index
    struct uvs__rows pools;   // of blame_pools.c, by the process's index
    struct uvs__rows capped;  // uint64_t by who: requests that waited for the cap of slow I/O
    struct uvs__shares shares;
    struct uvs__scripts scripts;
};

struct uvs__pair {
    uint64_t ns, times; // times: that it was the greatest of the victim's causes
};

// Whoever is not asked about is no victim, however late; what it did meanwhile made others wait.
static inline uint64_t uvs__blame_threshold(const struct uvs__output *output, bool counts)
{
    return counts ? output->report->blame_threshold_ns : UVS_ABSENT;
}

// NULL without memory.
struct uvs__culprit *uvs__culprit_of(struct uvs__blame *blame, uint64_t cause);
int uvs__share_add(struct uvs__shares *shares, uint64_t cause, uint64_t ns);
// What each holder on the timeline had of [begin_ns, end_ns) is added to the shares; returns their sum in
// *ret_sum_ns.
int uvs__shares_between(struct uvs__shares *shares, const struct uvs__timeline *timeline, uint64_t begin_ns,
                        uint64_t end_ns, uint64_t *ret_sum_ns);
// Victim `who` waited for wait_ns, which blame->shares divides.
int uvs__blame_tally(struct uvs__blame *blame, const struct uvs__spans *spans, uint32_t who,
                     uint64_t wait_ns);

// A sample with this stack was taken while the cause ran. 0 or -UVS_E_ENVIRONMENT.
int uvs__scripts_count(struct uvs__scripts *scripts, uint64_t cause, const struct uvs__stack *stack,
                       uint64_t ns);
// Fills report->scripts. 0 or -UVS_E_ENVIRONMENT.
int uvs__scripts_finish(struct uvs__scripts *scripts, struct uvs__output *output);
// After the finish. NULL: none.
const struct uvs_scripts *uvs__scripts_of(const struct uvs__scripts *scripts, const struct uvs_report *report,
                                          uint64_t cause);
void uvs__scripts_clear(struct uvs__scripts *scripts);

// 0 or -UVS_E_ENVIRONMENT.
int uvs__blame_loops_take(struct uvs__blame *blame, const struct uvs__output *output,
                          const struct uvs__span *spans, size_t count);
int uvs__blame_loops_finish(struct uvs__blame *blame, const struct uvs__output *output);
void uvs__blame_loops_clear(struct uvs__blame *blame);
int uvs__blame_pools_take(struct uvs__blame *blame, const struct uvs__output *output,
                          const struct uvs__span *spans, size_t count);
int uvs__blame_pools_finish(struct uvs__blame *blame, const struct uvs__spans *spans);
// How many of a process's pool ran and waited, of requests that count; of no use before the finish.
const struct uvs__workers *uvs__blame_workers(const struct uvs__blame *blame, uint32_t process);
void uvs__blame_pools_clear(struct uvs__blame *blame);

#endif
