// SPDX-License-Identifier: MIT
// Which callback asked for which: chains from a root to its last consequence, and where their time went.
//
// An operation is told when it is asked for, inside the callback that asks, whose own end and begin are told
// later. So the asking callback has a link before it is known, which is filled when it returns. Links are
// kept while an operation, a consequence or the list of the slowest refers to them.
#include "analysis.h"

#include "ops.h"
#include "saturate.h"
#include "slab.h"

#include <stdlib.h>
#include <string.h>

// Operations that never run, or run for ever, are forgotten by age. A chain that is longer begins anew.
enum { NO_MEMORY = -UVS_E_ENVIRONMENT, MAX_OPERATIONS = 65536, MAX_LENGTH = 256 };

struct parts {
    uint64_t running_ns, delayed_ns, queue_ns, service_ns, waiting_ns;
};

// What a run waited for before it began.
struct waits {
    uint64_t delay_ns, queue_ns, service_ns;
};

// One run of a callback.
struct link {
    struct link *parent, *root; // parent NULL: a root
    unsigned references, length;
    uint32_t who;
    uint64_t op, begin_ns, end_ns;
    uint64_t start_ns;  // of the chain
    uint64_t asked_ns;  // for this run; of a root: start_ns
    uint64_t weight_ns; // of the chain until this run began
    struct waits waits;
    bool known;  // it returned: before that only parent and references mean something
    bool ranked; // of a root: one of the slowest chains is its
};

struct operation {
    uint64_t op;
    uint32_t process;
    uint32_t place;       // in state->ages
    struct link *asker;   // NULL: nobody, or not known
    struct link *running; // the run under way, if it has asked for something
    uint64_t asked_ns, queue_ns, service_ns;
    bool ran;
};

struct state {
    struct uvs__ops operations; // by process and op: struct operation
    struct uvs__slab operation_slab, link_slab;
    struct operation **ages; // the last MAX_OPERATIONS in the order in which they were added; NULL: forgotten
    struct link *slowest[UVS_SLOWEST_CHAINS], *wanted;
    size_t slowest_count;
    uint64_t added; // operations so far
};

// --- Links ---

static void release(struct state *state, struct link *link)
{
    while (link && --link->references == 0) {
        struct link *parent = link->parent;
        uvs__slab_give(&state->link_slab, link);
        link = parent;
    }
}

static struct link *hold(struct link *link)
{
    if (link)
        link->references++;
    return link;
}

static struct link *new_link(struct state *state)
{
    state->link_slab.element_size = sizeof(struct link);
    struct link *link = uvs__slab_take(&state->link_slab);
    if (!link)
        return NULL;
    link->parent = NULL;
    link->references = 1;
    link->known = link->ranked = false;
    return link;
}

// --- Operations ---

static struct operation *find(struct state *state, const struct uvs__process *process, uint64_t op)
{
    return uvs__ops_get(&state->operations, process->index, op);
}

static void forget(struct state *state, struct operation *operation)
{
    state->ages[operation->place] = NULL;
    release(state, operation->asker);
    release(state, operation->running);
    uvs__slab_give(&state->operation_slab, operation);
}

// Of so many operations the oldest makes room.
static bool take_place(struct state *state, uint32_t *ret_place)
{
    if (!state->ages && !(state->ages = calloc(MAX_OPERATIONS, sizeof(struct operation *))))
        return false;
    *ret_place = (uint32_t)(state->added++ % MAX_OPERATIONS);
    struct operation *oldest = state->ages[*ret_place];
    if (oldest) {
        uvs__ops_take(&state->operations, oldest->process, oldest->op);
        forget(state, oldest);
    }
    return true;
}

// There must be none with its number. NULL without memory.
static struct operation *add(struct state *state, const struct uvs__process *process, uint64_t op)
{
    uint32_t place;
    state->operation_slab.element_size = sizeof(struct operation);
    struct operation *operation = take_place(state, &place) ? uvs__slab_take(&state->operation_slab) : NULL;
    if (!operation)
        return NULL;
    if (uvs__ops_put(&state->operations, process->index, op, operation)) {
        uvs__slab_give(&state->operation_slab, operation);
        return NULL;
    }
    operation->op = op;
    operation->process = process->index;
    operation->place = place;
    operation->asker = operation->running = NULL;
    operation->asked_ns = UVS_ABSENT;
    operation->queue_ns = operation->service_ns = 0;
    operation->ran = false;
    state->ages[place] = operation;
    return operation;
}

// --- Runs ---

static bool is_once(uint8_t kind)
{
    enum uvs_kind_class class = uvs_kind_class(kind);
    return class == UVS_CLASS_REQUEST || class == UVS_CLASS_POOL;
}

// A timer that arms itself again and again is no chain of ever more steps. Requests may well come one after
// the other, as when a file is read.
static bool begins_anew(const struct operation *operation, uint32_t who, bool once)
{
    const struct link *asker = operation ? operation->asker : NULL;
    if (!asker || !asker->known || operation->ran || asker->length >= MAX_LENGTH)
        return true;
    for (const struct link *link = asker; link && !once; link = link->parent)
        if (link->who == who)
            return true;
    return false;
}

static uint64_t clamp(uint64_t value, uint64_t least, uint64_t most)
{
    return value < least ? least : value > most ? most : value;
}

// Of a chain counts what the program can do something about: not the waits for a timer or for the kernel.
static uint64_t weight_of(uint64_t wait_ns, const struct waits *waits)
{
    const uint64_t known_ns = uvs__add(waits->delay_ns, uvs__add(waits->service_ns, waits->queue_ns));
    return known_ns < wait_ns ? known_ns : wait_ns;
}

static void follow(struct link *link, const struct operation *operation)
{
    struct link *asker = operation->asker;
    const uint64_t asked_ns = clamp(operation->asked_ns, asker->begin_ns, asker->end_ns);
    link->asked_ns = asked_ns > link->begin_ns ? link->begin_ns : asked_ns;
    link->weight_ns = uvs__add(asker->weight_ns,
                               uvs__add(uvs__minus(link->asked_ns, asker->begin_ns),
                                        weight_of(link->begin_ns - link->asked_ns, &link->waits)));
    link->parent = asker;
    link->root = asker->root;
    link->length = asker->length + 1;
    link->start_ns = asker->start_ns;
}

// The first run of what nobody asked for begins with its asking; a further one, when it could have run.
static void begin_chain(struct link *link, const struct operation *operation)
{
    const struct waits *waits = &link->waits;
    const bool is_first = operation && !operation->ran && operation->asked_ns <= link->begin_ns;
    const uint64_t known_ns = uvs__add(waits->delay_ns, uvs__add(waits->queue_ns, waits->service_ns));
    link->start_ns = is_first ? operation->asked_ns : uvs__minus(link->begin_ns, known_ns);
    link->asked_ns = link->start_ns;
    link->weight_ns = weight_of(link->begin_ns - link->start_ns, waits);
    link->parent = NULL;
    link->root = link;
    link->length = 1;
}

// --- The slowest ---

static uint64_t weight(const struct link *link)
{
    return link->weight_ns + (link->end_ns - link->begin_ns);
}

static bool may_rank(const struct state *state, const struct link *link)
{
    const bool is_full = state->slowest_count == UVS_SLOWEST_CHAINS;
    return link->length >= 2 &&
           (!is_full || link->root->ranked || weight(state->slowest[UVS_SLOWEST_CHAINS - 1]) < weight(link));
}

static void drop(struct state *state, size_t at)
{
    state->slowest[at]->root->ranked = false;
    release(state, state->slowest[at]);
    state->slowest_count--;
    memmove(&state->slowest[at], &state->slowest[at + 1],
            (state->slowest_count - at) * sizeof(state->slowest[0]));
}

// Of each root only the chain that ended last.
static void rank(struct state *state, struct link *link)
{
    size_t at = state->slowest_count, same = 0;
    while (same < state->slowest_count && state->slowest[same]->root != link->root)
        same++;
    if (same < state->slowest_count && state->slowest[same]->end_ns > link->end_ns)
        return;
    if (same < state->slowest_count)
        drop(state, same);
    for (at = state->slowest_count; at > 0 && weight(state->slowest[at - 1]) < weight(link);)
        at--;
    if (at == UVS_SLOWEST_CHAINS)
        return;
    if (state->slowest_count == UVS_SLOWEST_CHAINS)
        drop(state, UVS_SLOWEST_CHAINS - 1);
    memmove(&state->slowest[at + 1], &state->slowest[at],
            (state->slowest_count - at) * sizeof(state->slowest[0]));
    state->slowest[at] = hold(link);
    state->slowest_count++;
    link->root->ranked = true;
}

static bool is_wanted(const struct uvs_report *report, const struct uvs__span *span)
{
    return report->chain_op == span->op && (!report->chain_pid || report->chain_pid == span->process->pid);
}

static void want(struct state *state, struct link *link)
{
    release(state, state->wanted);
    state->wanted = hold(link);
}

// --- Spans ---

// The run of `op` that is under way and asks for something.
static struct link *asker_of(struct state *state, const struct uvs__process *process, uint64_t op)
{
    struct operation *asker = find(state, process, op);
    asker = asker ? asker : add(state, process, op);
    if (asker && !asker->running)
        asker->running = new_link(state);
    return asker ? asker->running : NULL;
}

// Of a window the chains that began in it; but one that was asked for wherever it began.
static bool is_of_interest(const struct uvs__output *output, const struct uvs__span *span)
{
    return span->op != 0 && (span->counts || output->report->chain_op);
}

// Adding one operation may forget another: the asker's link is held before.
static int on_schedule(struct state *state, const struct uvs__span *span)
{
    uint64_t parent = span->schedule.parent;
    struct link *asker = parent ? hold(asker_of(state, span->process, parent)) : NULL;
    if (parent && !asker)
        return NO_MEMORY;
    struct operation *operation = find(state, span->process, span->op);
    if (operation && operation->asked_ns != UVS_ABSENT) {
        uvs__ops_take(&state->operations, span->process->index, span->op);
        forget(state, operation);
        operation = NULL;
    }
    operation = operation ? operation : add(state, span->process, span->op);
    if (!operation) {
        release(state, asker);
        return NO_MEMORY;
    }
    operation->asked_ns = span->begin_ns;
    release(state, operation->asker);
    operation->asker = asker;
    return 0;
}

static void on_work(struct state *state, const struct uvs__span *span)
{
    struct operation *operation = find(state, span->process, span->op);
    if (operation) {
        operation->queue_ns = span->work.queue_ns;
        operation->service_ns = span->end_ns - span->begin_ns;
    }
}

static void fill(struct link *link, const struct operation *operation, const struct uvs__span *span,
                 bool anew)
{
    link->who = span->who;
    link->op = span->op;
    link->begin_ns = span->begin_ns;
    link->end_ns = span->end_ns;
    link->waits = (struct waits){.delay_ns = span->callback.delay_ns == UVS_ABSENT ? 0
                                                                                   : span->callback.delay_ns,
                                 .queue_ns = operation ? operation->queue_ns : 0,
                                 .service_ns = operation ? operation->service_ns : 0};
    if (anew)
        begin_chain(link, operation);
    else
        follow(link, operation);
    link->known = true;
}

// A link of its own for a run that nobody refers to yet.
static struct link *keep(struct state *state, const struct link *run)
{
    struct link *link = new_link(state);
    if (!link)
        return NULL;
    *link = *run;
    link->references = 1;
    link->ranked = false;
    link->root = run->root == run ? link : run->root;
    return link;
}

// Most runs ask for nothing, and their chains are none of the slowest: they need no link. What nobody asked
// for and asks for nothing is no chain at all.
static int on_run(struct state *state, const struct operation *operation, const struct uvs__span *span,
                  bool once, bool wanted)
{
    struct link leaf, *link = operation && operation->running ? operation->running : &leaf;
    const bool anew = begins_anew(operation, span->who, once);
    if (anew && link == &leaf && !wanted)
        return 0;
    fill(link, operation, span, anew);
    const bool ranks = may_rank(state, link);
    if (link == &leaf) {
        if (!ranks && !wanted)
            return 0;
        link = keep(state, &leaf);
        if (!link)
            return NO_MEMORY;
    } else {
        hold(link);
    }
    hold(link->parent);
    if (ranks)
        rank(state, link);
    if (wanted)
        want(state, link);
    release(state, link);
    return 0;
}

// What runs once is forgotten.
static int on_callback(struct state *state, const struct uvs__output *output, const struct uvs__span *span)
{
    const uint8_t kind = output->spans->whos[span->who]->kind;
    const bool once = is_once(kind), wanted = is_wanted(output->report, span);
    const uint32_t process = span->process->index;
    struct operation *operation = once ? uvs__ops_take(&state->operations, process, span->op)
                                       : uvs__ops_get(&state->operations, process, span->op);
    int rc = 0;
    if (span->begin_ns != UVS_ABSENT && (operation || wanted))
        rc = on_run(state, operation, span, once, wanted);
    if (!operation)
        return rc;
    operation->ran = true;
    if (once) {
        forget(state, operation);
    } else if (operation->running) {
        release(state, operation->running);
        operation->running = NULL;
    }
    return rc;
}

static int in_order(void *data, const struct uvs__output *output, const struct uvs__span *spans, size_t count)
{
    const uint32_t types = 1u << UVS__SPAN_SCHEDULE | 1u << UVS__SPAN_CALLBACK | 1u << UVS__SPAN_WORK;
    struct state *state = data;
    int rc = 0;
    for (const struct uvs__span *span = spans, *end = spans + count; span < end; span++) {
        if (!(types >> span->type & 1) || !is_of_interest(output, span))
            continue;
        if (span->type == UVS__SPAN_SCHEDULE)
            rc = on_schedule(state, span);
        else if (span->type == UVS__SPAN_CALLBACK)
            rc = on_callback(state, output, span);
        else
            on_work(state, span);
        if (rc)
            return rc;
    }
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
static struct parts divide(const struct link *link)
{
    uint64_t wait_ns = link->begin_ns - link->asked_ns;
    struct parts parts = {.delayed_ns = take(&wait_ns, link->waits.delay_ns)};
    parts.service_ns = take(&wait_ns, link->waits.service_ns);
    parts.queue_ns = take(&wait_ns, link->waits.queue_ns);
    parts.waiting_ns = wait_ns;
    parts.running_ns = link->parent ? uvs__minus(link->asked_ns, link->parent->begin_ns) : 0;
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

static int fill_step(struct uvs__output *output, const struct link *link, const struct parts *parts,
                     uint64_t running_ns, struct uvs_chain_step *step)
{
    *step = (struct uvs_chain_step){.op = link->op,
                                    .kind = output->spans->whos[link->who]->kind,
                                    .begin_ns = link->begin_ns,
                                    .waiting_ns = parts->waiting_ns,
                                    .queue_ns = parts->queue_ns,
                                    .service_ns = parts->service_ns,
                                    .delayed_ns = parts->delayed_ns,
                                    .running_ns = running_ns};
    return uvs__site_of(output, link->who, &step->site);
}

static int fill_row(struct uvs__output *output, const struct link *last, struct uvs_chain_row *row)
{
    *row = (struct uvs_chain_row){.pid = output->spans->whos[last->who]->process->pid,
                                  .op = last->op,
                                  .begin_ns = last->start_ns,
                                  .total_ns = last->end_ns - last->start_ns,
                                  .steps = calloc(last->length, sizeof(*row->steps)),
                                  .step_count = last->length};
    uint64_t running_ns = last->end_ns - last->begin_ns;
    int rc = row->steps ? 0 : NO_MEMORY;
    size_t at = last->length;
    for (const struct link *link = last; link && !rc; link = link->parent) {
        const struct parts parts = divide(link);
        rc = fill_step(output, link, &parts, running_ns, &row->steps[--at]);
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
    struct link *const *links = report->chain_op ? &state->wanted : state->slowest;
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
    uvs__ops_clear(&state->operations);
    free(state->ages);
    uvs__slab_clear(&state->operation_slab);
    uvs__slab_clear(&state->link_slab);
}

const struct uvs__analysis uvs__chains_analysis = {
    .state_size = sizeof(struct state), .in_order = in_order, .finish = finish, .clear = clear};
