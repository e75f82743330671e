// SPDX-License-Identifier: MIT
// A place in a static array for each worker of the pool, so that the watchdog can see what it does and since
// when. libuv's workers live as long as the process, so that places are not given back.
#include "probes/worker.h"

#include <string.h>

#include "probes/sampler.h"

#include "probes/poison.h"

struct uvs__worker uvs__workers[UVS__WORKERS_MAX];
static uint32_t asked_for; // places; may be more than there are

uint32_t uvs__workers_used(void)
{
    const uint32_t count = __atomic_load_n(&asked_for, __ATOMIC_ACQUIRE);
    return count < UVS__WORKERS_MAX ? count : UVS__WORKERS_MAX;
}

void uvs__workers_after_fork(void)
{
    memset(uvs__workers, 0, sizeof(uvs__workers));
    asked_for = 0;
}

static struct uvs__worker *take_place(struct uvs__thread *self)
{
    const uint32_t place = __atomic_fetch_add(&asked_for, 1, __ATOMIC_ACQ_REL);
    self->has_asked_for_place = true;
    if (place >= UVS__WORKERS_MAX)
        return NULL;
    struct uvs__worker *worker = &uvs__workers[place];
    uvs__find_own_stack(&worker->stack_low, &worker->stack_high);
    worker->tid = uvs__tid(self);
    return worker;
}

UVS__APART void uvs__worker_begin(uint64_t op, uint8_t kind, void *asked)
{
    struct uvs__thread *self = &uvs__self;
    uvs__watchdog_start(); // the pool may work before a loop runs
    uvs__sampler_admit();
    if (!self->place && !self->has_asked_for_place)
        self->place = take_place(self);
    if (!self->place)
        return;
    struct uvs__watch *watch = &self->place->watch;
    __atomic_store_n(&watch->op, op, __ATOMIC_RELAXED);
    __atomic_store_n(&watch->kind, kind, __ATOMIC_RELAXED);
    __atomic_store_n(&watch->callback, asked, __ATOMIC_RELAXED);
    __atomic_store_n(&watch->busy_since, uvs__now(), __ATOMIC_RELEASE);
    uvs__watchdog_wake();
}

UVS__APART void uvs__worker_end(void)
{
    struct uvs__worker *worker = uvs__self.place;
    if (worker)
        __atomic_store_n(&worker->watch.busy_since, 0, __ATOMIC_RELAXED);
}
