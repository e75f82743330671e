// SPDX-License-Identifier: MIT
// The samples of the watchdog: which stacks were seen for how long, in the trace, in each of the worst blocks
// and by each kind of request, and how much CPU time the thread used.
#include "stacks.h"

#include "saturate.h"
#include "stack_table.h"

#include <stdlib.h>
#include <string.h>

enum { NO_MEMORY = -UVS_E_ENVIRONMENT };

#define NO_STACK SIZE_MAX

struct look {
    size_t stack; // its index, or NO_STACK
    int call;     // that the thread waited in; -1 none
    uint64_t ns;  // that it stands for
};

// The samples of one busy interval, or of a kind of request.
struct samples {
    uint64_t begin_ns, duration_ns; // of the interval, once it is over
    uint64_t busy_ns, cpu_ns;       // as of the last sample; of requests, of the longest
    struct look *looks;
    size_t count, capacity;
};

struct loop_state {
    struct samples now;
    struct samples worst[UVS_WORST_BLOCKS]; // by duration
    size_t worst_count;
};

struct state {
    struct uvs__rows loops;    // struct loop_state by the loop's index
    struct uvs__rows requests; // struct samples by who
    struct uvs__stack_table stacks;
};

// --- Spans ---

static int add_sample(struct state *state, struct samples *samples, const struct uvs__span *span)
{
    struct look *grown = uvs__grow(samples->looks, samples->count, &samples->capacity,
                                   sizeof(*samples->looks));
    if (!grown)
        return NO_MEMORY;
    samples->looks = grown;
    struct look *look = &grown[samples->count++];
    *look = (struct look){NO_STACK, span->stall.call, uvs__sampled_ns(span->stall.since_ns, span->end_ns)};
    if (span->stall.frame_count == 0)
        return 0;
    struct uvs__stack *stack = uvs__stack_of(&state->stacks, span);
    if (!stack)
        return NO_MEMORY;
    stack->ns = uvs__add(stack->ns, look->ns);
    look->stack = stack->index;
    return 0;
}

static int on_loop_stall(struct state *state, struct loop_state *loop, const struct uvs__span *span)
{
    loop->now.busy_ns = span->end_ns - span->begin_ns;
    loop->now.cpu_ns = span->stall.cpu_ns;
    return add_sample(state, &loop->now, span);
}

// Without a name it counts among all stacks only.
static int on_work_stall(struct state *state, const struct uvs__span *span)
{
    struct samples nobody = {0}, *samples = &nobody;
    if (span->who != UVS__NOBODY && !(samples = uvs__rows_at(&state->requests, span->who, sizeof(*samples))))
        return NO_MEMORY;
    if (span->end_ns - span->begin_ns >= samples->busy_ns) {
        samples->begin_ns = span->begin_ns;
        samples->busy_ns = span->end_ns - span->begin_ns;
        samples->cpu_ns = span->stall.cpu_ns;
    }
    const int rc = add_sample(state, samples, span);
    free(nobody.looks);
    return rc;
}

static void keep_if_worst(struct loop_state *loop)
{
    size_t at = loop->worst_count;
    while (at > 0 && loop->worst[at - 1].duration_ns < loop->now.duration_ns)
        at--;
    if (at == UVS_WORST_BLOCKS)
        return;
    if (loop->worst_count == UVS_WORST_BLOCKS)
        free(loop->worst[UVS_WORST_BLOCKS - 1].looks);
    else
        loop->worst_count++;
    memmove(&loop->worst[at + 1], &loop->worst[at], (loop->worst_count - 1 - at) * sizeof(loop->now));
    loop->worst[at] = loop->now;
    loop->now = (struct samples){0};
}

static struct loop_state *state_of(struct state *state, const struct uvs__span *span)
{
    return uvs__rows_at(&state->loops, span->loop->index, sizeof(struct loop_state));
}

static int on_busy(void *data, const struct uvs__output *output __attribute__((unused)),
                   const struct uvs__span *span)
{
    struct loop_state *loop = state_of(data, span);
    if (!loop)
        return NO_MEMORY;
    if (loop->now.busy_ns && span->begin_ns != UVS_ABSENT) {
        loop->now.begin_ns = span->begin_ns;
        loop->now.duration_ns = span->end_ns - span->begin_ns;
        keep_if_worst(loop);
    }
    loop->now.busy_ns = loop->now.count = 0;
    return 0;
}

static int on_stall(void *data, const struct uvs__output *output __attribute__((unused)),
                    const struct uvs__span *span)
{
    if (!span->loop)
        return on_work_stall(data, span);
    struct loop_state *loop = state_of(data, span);
    return loop ? on_loop_stall(data, loop, span) : NO_MEMORY;
}

// --- Rows ---

// A frame is a function and those that it was inlined into.
static int add_frame(struct uvs_stack_row *row, size_t *capacity, struct uvs_site *site)
{
    do {
        struct uvs_site **frames = uvs__grow(row->frames, row->frame_count, capacity,
                                             sizeof(struct uvs_site *));
        if (!frames)
            return NO_MEMORY;
        row->frames = frames;
        frames[row->frame_count++] = site;
        site = site ? site->inliner : NULL;
    } while (site);
    return 0;
}

static int fill_stack(const struct uvs__stack *stack, struct uvs__output *output, struct uvs_stack_row *row)
{
    size_t capacity = 0;
    int rc = 0;
    *row = (struct uvs_stack_row){
        .pid = stack->process->pid, .loop = stack->loop ? (int)stack->loop->slot : -1, .ns = stack->ns};
    for (size_t i = 0; i < stack->frame_count && !rc; i++) {
        struct uvs_site *site;
        rc = uvs__site_of(output, stack->frames[i], &site);
        if (!rc)
            rc = add_frame(row, &capacity, site);
    }
    return rc;
}

static int fill_stacks(const struct state *state, struct uvs__output *output)
{
    struct uvs_report *report = output->report;
    report->stacks = calloc(state->stacks.count + 1, sizeof(*report->stacks));
    int rc = report->stacks ? 0 : NO_MEMORY;
    for (size_t i = 0; i < state->stacks.count && !rc; i++)
        rc = fill_stack(state->stacks.stacks[i], output, &report->stacks[report->stack_count++]);
    return rc;
}

static int by_stack(const void *left, const void *right)
{
    const struct look *a = left, *b = right;
    return (a->stack > b->stack) - (a->stack < b->stack);
}

static int sum_stacks(struct samples *samples, struct uvs_block *block)
{
    block->stacks = calloc(samples->count + 1, sizeof(*block->stacks));
    if (!block->stacks)
        return NO_MEMORY;
    qsort(samples->looks, samples->count, sizeof(*samples->looks), by_stack);
    for (size_t i = 0; i < samples->count && samples->looks[i].stack != NO_STACK; i++) {
        const struct look *look = &samples->looks[i];
        if (i == 0 || look->stack != look[-1].stack)
            block->stacks[block->stacks_count++].index = look->stack;
        struct uvs_block_stack *stack = &block->stacks[block->stacks_count - 1];
        stack->ns = uvs__add(stack->ns, look->ns);
        block->samples++;
    }
    return 0;
}

static int by_call(const void *left, const void *right)
{
    const struct look *a = left, *b = right;
    return (a->call > b->call) - (a->call < b->call);
}

static int call_of_most(struct samples *samples)
{
    uint64_t all_ns = 0, most_ns = 0, call_ns = 0;
    int call = -1;
    qsort(samples->looks, samples->count, sizeof(*samples->looks), by_call);
    for (size_t i = 0; i < samples->count; i++) {
        const struct look *look = &samples->looks[i];
        call_ns = uvs__add(i && look->call == look[-1].call ? call_ns : 0, look->ns);
        all_ns = uvs__add(all_ns, look->ns);
        if (call_ns > most_ns) {
            most_ns = call_ns;
            call = look->call;
        }
    }
    return most_ns >= all_ns - all_ns / 2 ? call : -1;
}

static int fill_from_looks(const struct uvs_report *report, struct samples *samples, struct uvs_block *block)
{
    block->waiting_in = samples->count ? call_of_most(samples) : -1;
    block->looks = samples->count;
    for (size_t i = 0; i < samples->count; i++)
        block->waits += samples->looks[i].call >= 0;
    const int rc = samples->count ? sum_stacks(samples, block) : 0;
    return rc || !block->samples ? rc : uvs__merge_stacks(report, block);
}

static uint64_t whole_cpu_ns(const struct samples *samples)
{
    if (samples->cpu_ns == UVS_ABSENT || samples->busy_ns == 0)
        return UVS_ABSENT;
    const double share = (double)samples->cpu_ns / (double)samples->busy_ns;
    return share < 1 ? (uint64_t)(share * (double)samples->duration_ns) : samples->duration_ns;
}

// Another loop may have had the slot, and in a damaged trace a block that began at the same time.
static int fill_block(struct loop_state *loop, const struct uvs_report *report, struct uvs_block *block)
{
    for (size_t i = 0; i < loop->worst_count && !block->stacks; i++) {
        if (loop->worst[i].begin_ns != block->begin_ns || loop->worst[i].duration_ns != block->duration_ns)
            continue;
        block->cpu_ns = whole_cpu_ns(&loop->worst[i]);
        return fill_from_looks(report, &loop->worst[i], block);
    }
    return 0;
}

static int fill_loop(struct uvs_report *report, const struct uvs__loop *loop, struct loop_state *state)
{
    int rc = 0;
    for (size_t i = 0; i < report->loop_count; i++) {
        struct uvs_loop_row *row = &report->loops[i];
        for (size_t j = 0;
             row->pid == loop->process->pid && row->loop == loop->slot && j < row->worst_count && !rc; j++)
            rc = fill_block(state, report, &row->worst[j]);
    }
    return rc;
}

static int fill_request(const struct uvs_report *report, struct samples *samples,
                        struct uvs_pool_request_row *request)
{
    struct uvs_block *block = request->sampled = calloc(1, sizeof(*block));
    if (!block)
        return NO_MEMORY;
    *block = (struct uvs_block){.begin_ns = samples->begin_ns,
                                .duration_ns = samples->busy_ns,
                                .cpu_ns = samples->cpu_ns,
                                .gc_ns = UVS_ABSENT,
                                .class = UVS_BLOCK_UNKNOWN};
    return fill_from_looks(report, samples, block);
}

static int fill_requests(const struct state *state, const struct uvs_report *report)
{
    int rc = 0;
    for (size_t i = 0; i < report->pool_count; i++)
        for (size_t j = 0; j < report->pools[i].request_count && !rc; j++) {
            struct uvs_pool_request_row *request = &report->pools[i].requests[j];
            struct samples *samples = request->who < state->requests.count
                                          ? state->requests.items[request->who]
                                          : NULL;
            rc = samples ? fill_request(report, samples, request) : 0;
        }
    return rc;
}

static int finish(void *data, struct uvs__output *output)
{
    struct state *state = data;
    int rc = fill_stacks(state, output);
    for (const struct uvs__loop *loop = output->spans->loops; loop && !rc; loop = loop->next)
        if (loop->index < state->loops.count && state->loops.items[loop->index])
            rc = fill_loop(output->report, loop, state->loops.items[loop->index]);
    return rc ? rc : fill_requests(state, output->report);
}

static void clear_loop(struct loop_state *loop)
{
    for (size_t i = 0; i < loop->worst_count; i++)
        free(loop->worst[i].looks);
    free(loop->now.looks);
}

static void clear(void *data)
{
    struct state *state = data;
    for (size_t i = 0; i < state->loops.count; i++)
        if (state->loops.items[i])
            clear_loop(state->loops.items[i]);
    uvs__rows_clear(&state->loops);
    for (size_t i = 0; i < state->requests.count; i++)
        if (state->requests.items[i])
            free(((struct samples *)state->requests.items[i])->looks);
    uvs__rows_clear(&state->requests);
    uvs__stack_table_clear(&state->stacks);
}

UVS__EACH(on_stall)
UVS__EACH(on_busy)

const struct uvs__analysis uvs__stacks_analysis = {
    .state_size = sizeof(struct state),
    .spans = {[UVS__SPAN_STALL] = each_on_stall, [UVS__SPAN_BUSY] = each_on_busy},
    .finish = finish,
    .clear = clear};
