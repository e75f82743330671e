// SPDX-License-Identifier: MIT
// A sweep over the changes of a pool's state, in the order of time.
#include "workers.h"

// What a change does to the numbers of requests.
static const struct {
    int8_t running, waiting, stuck_waiting;
} changes[UVS__CHANGES] = {
    [UVS__BEGIN] = {1, -1, 0}, [UVS__HOLD] = {1, 0, 0},         [UVS__END] = {-1, 0, 0},
    [UVS__SUBMIT] = {0, 1, 0}, [UVS__SUBMIT_STUCK] = {0, 1, 1},
};

static int push(struct uvs__workers *workers, enum uvs__change_type type, uint64_t time_ns)
{
    return uvs__agenda_add(&workers->agenda, type, &(struct uvs__change){.time_ns = time_ns});
}

int uvs__workers_add(struct uvs__workers *workers, uint64_t submit_ns, uint64_t begin_ns, uint64_t end_ns)
{
    int rc = push(workers, UVS__SUBMIT, submit_ns);
    if (!rc)
        rc = push(workers, UVS__BEGIN, begin_ns);
    return rc ? rc : push(workers, UVS__END, end_ns);
}

int uvs__workers_hold(struct uvs__workers *workers, uint64_t submit_ns)
{
    return push(workers, UVS__HOLD, submit_ns);
}

int uvs__workers_release(struct uvs__workers *workers, uint64_t end_ns)
{
    return push(workers, UVS__END, end_ns);
}

int uvs__workers_add_stuck(struct uvs__workers *workers, uint64_t submit_ns)
{
    return push(workers, UVS__SUBMIT_STUCK, submit_ns);
}

static void pass_until(struct uvs__workers *workers, uint32_t size, uint64_t time_ns)
{
    if (time_ns <= workers->settled_ns)
        return;
    if (size && workers->running >= size && workers->waiting > 0)
        workers->saturated_ns += time_ns - workers->settled_ns;
    workers->settled_ns = time_ns;
}

static void take_stuck(struct uvs__workers *workers, uint32_t size)
{
    while (workers->stuck_waiting > 0 && workers->running < size) {
        workers->stuck_waiting--;
        workers->waiting--;
        workers->running++;
    }
}

// All changes of one instant count before its state does: a request that is taken at once never waited.
static void pass_instant(struct uvs__workers *workers, uint32_t size, enum uvs__change_type type)
{
    uint64_t time_ns = uvs__agenda_time(&workers->agenda, type);
    pass_until(workers, size, time_ns);
    for (; type != UVS__CHANGES; type = uvs__agenda_first(&workers->agenda, time_ns)) {
        uvs__agenda_take(&workers->agenda, type);
        workers->running += changes[type].running;
        workers->waiting += changes[type].waiting;
        workers->stuck_waiting += changes[type].stuck_waiting;
    }
    take_stuck(workers, size);
    // Without the size, nobody knows which of those that never ended were waiting.
    const int64_t waiting = workers->waiting - (size ? 0 : workers->stuck_waiting);
    // One that comes late is not counted with what came after it.
    if (waiting > 0 && time_ns >= workers->settled_ns && (uint64_t)waiting > workers->max_waiting)
        workers->max_waiting = (uint64_t)waiting;
}

static void settle_to(struct uvs__workers *workers, uint32_t size, uint64_t last_ns)
{
    for (enum uvs__change_type type; (type = uvs__agenda_first(&workers->agenda, last_ns)) != UVS__CHANGES;)
        pass_instant(workers, size, type);
}

void uvs__workers_settle(struct uvs__workers *workers, uint32_t size, uint64_t until_ns)
{
    if (until_ns)
        settle_to(workers, size, until_ns - 1);
}

void uvs__workers_finish(struct uvs__workers *workers, uint32_t size, uint64_t end_ns)
{
    settle_to(workers, size, UINT64_MAX);
    pass_until(workers, size, end_ns);
}

void uvs__workers_clear(struct uvs__workers *workers)
{
    uvs__agenda_clear(&workers->agenda);
    *workers = (struct uvs__workers){0};
}
