// SPDX-License-Identifier: MIT
// Which callback asked for which: chains from a root to its last consequence, and where their time went.
//
// An operation is told when it is asked for, inside the callback that asks, whose own end and begin are told
// later. So the asking callback has a step before it is known, which is filled when it returns.
#include "analysis.h"

#include "chain_steps.h"
#include "saturate.h"

#include <stdlib.h>
#include <string.h>

// A chain that is longer begins anew.
enum { NO_MEMORY = -UVS_E_ENVIRONMENT, MAX_LENGTH = 256 };

struct parts {
    uint64_t running_ns, delayed_ns, queue_ns, service_ns, waiting_ns;
};

struct state {
    struct uvs__steps steps;
    struct uvs__step *slowest[UVS_SLOWEST_CHAINS], *wanted;
    size_t slowest_count;
};

// --- Runs ---

static bool is_once(uint8_t kind)
{
    enum uvs_kind_class class = uvs_kind_class(kind);
    return class == UVS_CLASS_REQUEST || class == UVS_CLASS_POOL;
}

// A timer that arms itself again and again is no chain of ever more steps. Requests may well come one after
// the other, as when a file is read.
static bool begins_anew(const struct uvs__step *step, uint32_t who, bool once)
{
    const struct uvs__step *asker = step->parent;
    if (!asker || !asker->known || step->ran || asker->length >= MAX_LENGTH)
        return true;
    for (const struct uvs__step *s = asker; s && !once; s = s->parent)
        if (s->who == who)
            return true;
    return false;
}

static uint64_t clamp(uint64_t value, uint64_t least, uint64_t most)
{
    return value < least ? least : value > most ? most : value;
}

// Of a chain counts what the program can do something about: not the waits for a timer or for the kernel.
static uint64_t weight_of(const struct uvs__step *step, uint64_t asked_ns)
{
    const uint64_t wait_ns = step->begin_ns - asked_ns;
    const uint64_t left_ns = uvs__minus(uvs__minus(wait_ns, step->delay_ns), step->queue_ns);
    return wait_ns - uvs__minus(left_ns, step->service_ns);
}

static void follow(struct uvs__step *step)
{
    const struct uvs__step *asker = step->parent;
    const uint64_t asked_ns = uvs__min(clamp(step->asked_ns, asker->begin_ns, asker->end_ns), step->begin_ns);
    step->weight_ns = uvs__add(asker->weight_ns,
                               uvs__add(uvs__minus(asked_ns, asker->begin_ns), weight_of(step, asked_ns)));
    step->asked_ns = asked_ns;
    step->root = asker->root;
    step->length = asker->length + 1;
}

// The first run of what nobody asked for begins with its asking; a further one, when it could have run.
static void begin_chain(struct uvs__steps *steps, struct uvs__step *step)
{
    if (step->ran || step->asked_ns > step->begin_ns)
        step->asked_ns = step->begin_ns - weight_of(step, 0);
    step->weight_ns = weight_of(step, step->asked_ns);
    uvs__step_release(steps, step->parent);
    step->parent = NULL;
    step->root = step;
    step->length = 1;
    step->ranked = false;
}

// --- The slowest ---

static uint64_t weight(const struct uvs__step *step)
{
    return step->weight_ns + (step->end_ns - step->begin_ns);
}

// Whether a run's chain may be one of the slowest. It weighs no more than until its asker began, and all the
// time since then: nearly none needs to be weighed.
static bool may_rank(const struct state *state, const struct uvs__step *asker, const struct uvs__span *run)
{
    const bool is_full = state->slowest_count == UVS_SLOWEST_CHAINS;
    if (!is_full || asker->root->ranked || run->begin_ns < asker->begin_ns)
        return true;
    const uint64_t most_ns = uvs__add(asker->weight_ns, run->end_ns - asker->begin_ns);
    return most_ns > weight(state->slowest[UVS_SLOWEST_CHAINS - 1]);
}

static void drop(struct state *state, size_t at)
{
    state->slowest[at]->root->ranked = false;
    uvs__step_release(&state->steps, state->slowest[at]);
    state->slowest_count--;
    memmove(&state->slowest[at], &state->slowest[at + 1],
            (state->slowest_count - at) * sizeof(state->slowest[0]));
}

// Of each root only the chain that ended last.
static void rank(struct state *state, struct uvs__step *step)
{
    size_t at = state->slowest_count, same = 0;
    while (same < state->slowest_count && state->slowest[same]->root != step->root)
        same++;
    if (same < state->slowest_count && state->slowest[same]->end_ns > step->end_ns)
        return;
    if (same < state->slowest_count)
        drop(state, same);
    for (at = state->slowest_count; at > 0 && weight(state->slowest[at - 1]) < weight(step);)
        at--;
    if (at == UVS_SLOWEST_CHAINS)
        return;
    if (state->slowest_count == UVS_SLOWEST_CHAINS)
        drop(state, UVS_SLOWEST_CHAINS - 1);
    memmove(&state->slowest[at + 1], &state->slowest[at],
            (state->slowest_count - at) * sizeof(state->slowest[0]));
    state->slowest[at] = uvs__step_hold(step);
    state->slowest_count++;
    step->root->ranked = true;
}

static bool is_wanted(const struct uvs_report *report, const struct uvs__span *span)
{
    return report->chain_op == span->op && span->begin_ns != UVS_ABSENT &&
           (!report->chain_pid || report->chain_pid == span->process->pid);
}

// --- Spans ---

// Of the run of `op` that is under way. NULL without memory.
static struct uvs__step *asker_of(struct uvs__steps *steps, uint32_t process, uint64_t op)
{
    struct uvs__step *asker = uvs__steps_find(steps, process, op);
    asker = asker ? asker : uvs__steps_add(steps, process, op);
    return asker && asker->over ? uvs__steps_again(steps, asker) : asker;
}

// Of what is asked for. It is asked for once: what has its number is another one. NULL without memory.
static struct uvs__step *asked_of(struct uvs__steps *steps, uint32_t process, uint64_t op)
{
    struct uvs__step *step = uvs__steps_find(steps, process, op);
    if (step && !step->asked)
        return step->over ? uvs__steps_again(steps, step) : step;
    if (step)
        uvs__steps_forget(steps, step);
    return uvs__steps_add(steps, process, op);
}

// Adding one may forget another: the asker is held before.
static int on_schedule(struct uvs__steps *steps, const struct uvs__span *span)
{
    const uint64_t parent = span->schedule.parent;
    const uint32_t process = span->process->index;
    struct uvs__step *asker = parent ? asker_of(steps, process, parent) : NULL;
    if (parent && !asker)
        return NO_MEMORY;
    if (asker)
        uvs__step_hold(asker);
    struct uvs__step *step = asked_of(steps, process, span->op);
    if (!step) {
        uvs__step_release(steps, asker);
        return NO_MEMORY;
    }
    step->asked = true;
    step->asked_ns = span->begin_ns;
    step->parent = asker;
    return 0;
}

static int on_work(struct uvs__steps *steps, const struct uvs__span *span)
{
    struct uvs__step *step = uvs__steps_find(steps, span->process->index, span->op);
    if (step && step->over && !(step = uvs__steps_again(steps, step)))
        return NO_MEMORY;
    if (step) {
        step->queue_ns = span->work.queue_ns;
        step->service_ns = span->end_ns - span->begin_ns;
    }
    return 0;
}

// Most runs ask for nothing, and their chains are none of the slowest or even none: nobody will look at them.
static void on_run(struct state *state, struct uvs__step *step, const struct uvs__span *span, bool once)
{
    const bool anew = begins_anew(step, span->who, once);
    const bool ranks = !anew && may_rank(state, step->parent, span);
    if (!ranks && step->references == 1)
        return;
    step->begin_ns = span->begin_ns;
    step->end_ns = span->end_ns;
    step->delay_ns = span->callback.delay_ns == UVS_ABSENT ? 0 : span->callback.delay_ns;
    step->who = span->who;
    step->known = true;
    if (anew)
        begin_chain(&state->steps, step);
    else
        follow(step);
    if (ranks)
        rank(state, step);
}

// The last run of the operation whose chain is wanted is kept, though nobody may have asked for it. NULL
// without memory.
static __attribute__((cold)) struct uvs__step *want(struct state *state, struct uvs__step *found,
                                                    const struct uvs__span *span)
{
    struct uvs__steps *steps = &state->steps;
    struct uvs__step *step = found;
    if (!found)
        step = uvs__step_create(steps, span->process->index, span->op);
    else if (found->over)
        step = uvs__steps_again(steps, found);
    if (!step)
        return NULL;
    uvs__step_release(steps, state->wanted);
    return state->wanted = uvs__step_hold(step);
}

// What runs once is forgotten.
static int on_callback(struct state *state, const struct uvs__output *output, const struct uvs__span *span)
{
    struct uvs__steps *steps = &state->steps;
    struct uvs__step *const found = uvs__steps_find(steps, span->process->index, span->op), *step = found;
    if (is_wanted(output->report, span) && !(step = want(state, found, span)))
        return NO_MEMORY;
    if (!step)
        return 0;
    const bool once = is_once(output->spans->whos[span->who]->kind);
    if (!step->over && span->begin_ns != UVS_ABSENT)
        on_run(state, step, span, once);
    if (!found)
        uvs__step_release(steps, step);
    else if (once)
        uvs__steps_forget(steps, step);
    else
        step->over = true;
    return 0;
}

static int on_span(struct state *state, const struct uvs__output *output, const struct uvs__span *span)
{
    if (span->type == UVS__SPAN_SCHEDULE)
        return on_schedule(&state->steps, span);
    if (span->type == UVS__SPAN_CALLBACK)
        return on_callback(state, output, span);
    return on_work(&state->steps, span);
}

static int in_order(void *data, const struct uvs__output *output, const struct uvs__span *spans, size_t count)
{
    const uint32_t types = 1u << UVS__SPAN_SCHEDULE | 1u << UVS__SPAN_CALLBACK | 1u << UVS__SPAN_WORK;
    // Of a window the chains that began in it; but one that was asked for wherever it began.
    const bool all = output->report->chain_op != 0;
    for (const struct uvs__span *span = spans, *end = spans + count; span < end; span++)
        if (types >> span->type & 1 && span->op && (span->counts || all) && on_span(data, output, span))
            return NO_MEMORY;
    return 0;
}

// --- Rows ---

static uint64_t take(uint64_t *left_ns, uint64_t part_ns)
{
    uint64_t taken_ns = part_ns < *left_ns ? part_ns : *left_ns;
    *left_ns -= taken_ns;
    return taken_ns;
}

// From when it was asked for to its run, from the end backwards: delayed, served, queued; what is left is the
// wait for a timer or for the kernel. running: of the one that asked, until it asked.
static struct parts divide(const struct uvs__step *run)
{
    uint64_t wait_ns = run->begin_ns - run->asked_ns;
    struct parts parts = {.delayed_ns = take(&wait_ns, run->delay_ns)};
    parts.service_ns = take(&wait_ns, run->service_ns);
    parts.queue_ns = take(&wait_ns, run->queue_ns);
    parts.waiting_ns = wait_ns;
    parts.running_ns = run->parent ? uvs__minus(run->asked_ns, run->parent->begin_ns) : 0;
    return parts;
}

static void add_parts(struct uvs_chain_row *row, const struct parts *parts)
{
    row->running_ns = uvs__add(row->running_ns, parts->running_ns);
    row->delayed_ns = uvs__add(row->delayed_ns, parts->delayed_ns);
    row->queue_ns = uvs__add(row->queue_ns, parts->queue_ns);
    row->service_ns = uvs__add(row->service_ns, parts->service_ns);
    row->waiting_ns = uvs__add(row->waiting_ns, parts->waiting_ns);
}

static int fill_step(struct uvs__output *output, const struct uvs__step *run, const struct parts *parts,
                     uint64_t running_ns, struct uvs_chain_step *step)
{
    *step = (struct uvs_chain_step){.op = run->op,
                                    .kind = output->spans->whos[run->who]->kind,
                                    .begin_ns = run->begin_ns,
                                    .waiting_ns = parts->waiting_ns,
                                    .queue_ns = parts->queue_ns,
                                    .service_ns = parts->service_ns,
                                    .delayed_ns = parts->delayed_ns,
                                    .running_ns = running_ns};
    return uvs__site_of(output, run->who, &step->site);
}

static int fill_row(struct uvs__output *output, const struct uvs__step *last, struct uvs_chain_row *row)
{
    *row = (struct uvs_chain_row){.pid = output->spans->whos[last->who]->process->pid,
                                  .op = last->op,
                                  .begin_ns = last->root->asked_ns,
                                  .total_ns = last->end_ns - last->root->asked_ns,
                                  .steps = calloc(last->length, sizeof(*row->steps)),
                                  .step_count = last->length};
    uint64_t running_ns = last->end_ns - last->begin_ns;
    int rc = row->steps ? 0 : NO_MEMORY;
    size_t at = last->length;
    for (const struct uvs__step *run = last; run && !rc; run = run->parent) {
        const struct parts parts = divide(run);
        rc = fill_step(output, run, &parts, running_ns, &row->steps[--at]);
        add_parts(row, &parts);
        running_ns = parts.running_ns;
    }
    row->running_ns += last->end_ns - last->begin_ns;
    return rc;
}

static int finish(void *data, struct uvs__output *output)
{
    const struct state *state = data;
    struct uvs_report *report = output->report;
    struct uvs__step *const *links = report->chain_op ? &state->wanted : state->slowest;
    size_t count = report->chain_op ? state->wanted != NULL : state->slowest_count;
    report->chains = calloc(count + 1, sizeof(*report->chains));
    int rc = report->chains ? 0 : NO_MEMORY;
    for (size_t i = 0; i < count && !rc; i++)
        rc = fill_row(output, links[i], &report->chains[report->chain_count++]);
    return rc;
}

static void clear(void *data)
{
    struct state *state = data;
    uvs__steps_clear(&state->steps);
}

const struct uvs__analysis uvs__chains_analysis = {
    .state_size = sizeof(struct state), .in_order = in_order, .finish = finish, .clear = clear};
