// SPDX-License-Identifier: MIT
// The steps of chains: operations from when they are asked for, each with its run, which may have asked for
// others before anything else is known of it. A step is kept while it is in the table, which forgets by age
// those that never run or run for ever, and for as long as a consequence or somebody else refers to it.
#ifndef UVS_CHAIN_STEPS_H
#define UVS_CHAIN_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "event.h"
#include "slab.h"

enum { UVS__STEPS = 65536 };

// Two lines of the cache: what is known before it runs, and what consequences look at.
struct uvs__step {
    _Alignas(UVS__SLAB_LINE) struct uvs__step *next; // in the same bucket
    uint64_t op;
    uint32_t process;              // its index
    uint32_t references;           // the table's is one
    struct uvs__step *parent;      // whose run asked for it; NULL: nobody's, or that is not known
    uint64_t asked_ns;             // UVS_ABSENT: unknown; of a root that ran: when the chain began
    uint64_t queue_ns, service_ns; // before it ran
    uint16_t place;                // in ages
    bool asked;                    // it was told who asked for it
    bool ran;                      // the operation did, before this run
    bool over;                     // the run is: if there is a further one, it is another step
    bool known;                    // how it ran: before that, nothing of what follows is

    struct uvs__step *root;
    uint64_t begin_ns, end_ns;
    uint64_t weight_ns; // of the chain until this run began
    uint64_t delay_ns;  // before it ran
    uint32_t who;
    uint16_t length; // of the chain
    bool ranked;     // of a root: one of the slowest chains is its
};

// Zero-initialise to create.
struct uvs__steps {
    // By process and operation. Numbers are given one after the other: neighbours lie beside each other.
    struct uvs__step *buckets[UVS__STEPS];
    struct uvs__step *ages[UVS__STEPS]; // the last that were added, in order; NULL: forgotten
    uint64_t added;
    struct uvs__slab slab;
};

// --- References ---

static inline struct uvs__step *uvs__step_hold(struct uvs__step *step)
{
    step->references++;
    return step;
}

// NULL is allowed.
static inline void uvs__step_release(struct uvs__steps *steps, struct uvs__step *step)
{
    while (step && --step->references == 0) {
        struct uvs__step *parent = step->parent;
        uvs__slab_give(&steps->slab, step);
        step = parent;
    }
}

// --- The table ---

// Threads are given numbers by the block, and may use no more than the first of each. Processes have the same
// numbers.
static inline struct uvs__step **uvs__steps_bucket(struct uvs__steps *steps, uint32_t process, uint64_t op)
{
    return &steps->buckets[(op + (op >> 10) + process * 40503u) % UVS__STEPS];
}

// NULL: there is none.
static inline struct uvs__step *uvs__steps_find(struct uvs__steps *steps, uint32_t process, uint64_t op)
{
    struct uvs__step *step = *uvs__steps_bucket(steps, process, op);
    while (step && (step->op != op || step->process != process))
        step = step->next;
    return step;
}

// The table. Nobody asks a step that is not known for its parent, and nonsense may ask in a circle.
static inline void uvs__step_leave(struct uvs__steps *steps, struct uvs__step *step)
{
    if (!step->known) {
        uvs__step_release(steps, step->parent);
        step->parent = NULL;
    }
    uvs__step_release(steps, step);
}

static inline void uvs__steps_forget(struct uvs__steps *steps, struct uvs__step *step)
{
    struct uvs__step **link = uvs__steps_bucket(steps, step->process, step->op);
    while (*link != step)
        link = &(*link)->next;
    *link = step->next;
    steps->ages[step->place] = NULL;
    uvs__step_leave(steps, step);
}

void uvs__steps_forget_oldest(struct uvs__steps *steps, struct uvs__step *oldest);

// One in no table, with one reference. NULL without memory.
static inline struct uvs__step *uvs__step_create(struct uvs__steps *steps, uint32_t process, uint64_t op)
{
    steps->slab.element_size = sizeof(struct uvs__step);
    struct uvs__step *step = uvs__slab_take(&steps->slab);
    if (!step)
        return NULL;
    step->op = op;
    step->process = process;
    step->references = 1;
    step->parent = NULL;
    step->asked_ns = UVS_ABSENT;
    step->queue_ns = step->service_ns = 0;
    step->asked = step->ran = step->over = step->known = false;
    return step;
}

// There must be none of that number; of UVS__STEPS the oldest makes room. NULL without memory.
static inline struct uvs__step *uvs__steps_add(struct uvs__steps *steps, uint32_t process, uint64_t op)
{
    const uint16_t place = (uint16_t)(steps->added++ % UVS__STEPS);
    struct uvs__step *oldest = steps->ages[place];
    if (oldest)
        uvs__steps_forget_oldest(steps, oldest);
    struct uvs__step *step = uvs__step_create(steps, process, op);
    if (!step)
        return NULL;
    struct uvs__step **bucket = uvs__steps_bucket(steps, process, op);
    step->next = *bucket;
    step->place = place;
    steps->ages[place] = *bucket = step;
    return step;
}

struct uvs__step *uvs__steps_replace(struct uvs__steps *steps, struct uvs__step *step);

// For the next run of an operation one of whose runs is over: its step, if nobody refers to that any more, or
// else one that takes its place. NULL without memory.
static inline struct uvs__step *uvs__steps_again(struct uvs__steps *steps, struct uvs__step *step)
{
    if (step->references > 1)
        return uvs__steps_replace(steps, step);
    uvs__step_release(steps, step->parent);
    step->parent = NULL;
    step->ran = true;
    step->over = step->known = false;
    return step;
}

// Steps that somebody refers to are gone too, and the table is of no more use.
void uvs__steps_clear(struct uvs__steps *steps);

#endif
