// SPDX-License-Identifier: MIT
// From the builder's spans to those that others may see. The builder numbers processes, loops and names in
// the order of appearance, so the numbers of the first reading hold for the second, which reads as much.
#include "spans_read.h"

#include "analysis.h"
#include "extent.h"
#include "reader.h"
#include "saturate.h"
#include "window.h"

#include <stdlib.h>
#include <string.h>

enum { NO_MEMORY = -UVS_E_ENVIRONMENT, PROGRESS_EVENTS = 10000, MAX_ASKED = 1 << 20 };

const char *const uvs_span_names[UVS_SPAN_COUNT] = {
#define X(NAME, name) [UVS_SPAN_##NAME] = name,
    UVS_SPAN_MAP(X)
#undef X
};

struct uvs_span_source {
    const char *path;
    struct uvs_span_options options;
    struct uvs_report *report;
    struct uvs_span_tables tables;
    struct uvs__extent_wish wish; // what was read
    bool is_part;                 // of the trace
    // By the builder's numbers; UVS_SPAN_NONE: of another recording, or nothing of it is in the window.
    uint32_t *process_of, *loop_of;
    size_t process_of_count, loop_of_count;
    uint32_t *site_of; // by the builder's number of a name
    size_t site_of_count;
};

// --- The first reading ---

static char *join_arguments(const char *argv)
{
    char *joined = strdup(argv);
    for (char *at = joined; at && *at; at++)
        if (*at == '\x1f')
            *at = ' ';
    return joined;
}

static int add_process(struct uvs_span_source *source, const struct uvs__process *from)
{
    struct uvs_span_process *to = &source->tables.processes[source->tables.process_count];
    source->process_of[from->index] = (uint32_t)source->tables.process_count++;
    *to = (struct uvs_span_process){.pid = from->pid, .pool_size = from->pool_size, .libuv = from->libuv};
    if (!from->exe)
        return 0;
    to->exe = strdup(from->exe);
    to->argv = join_arguments(from->argv);
    return to->exe && to->argv ? 0 : NO_MEMORY;
}

static int collect_processes(struct uvs_span_source *source, const struct uvs__spans *spans)
{
    size_t count = spans->last_process ? spans->last_process->index + 1 : 0;
    source->process_of = malloc((count + 1) * sizeof(*source->process_of));
    source->tables.processes = calloc(count + 1, sizeof(*source->tables.processes));
    if (!source->process_of || !source->tables.processes)
        return NO_MEMORY;
    source->process_of_count = count;
    int rc = 0;
    for (const struct uvs__process *p = spans->processes; p && !rc; p = p->next) {
        source->process_of[p->index] = UVS_SPAN_NONE;
        if (!p->foreign && (p->touched || !source->is_part))
            rc = add_process(source, p);
    }
    return rc;
}

static int add_loop(struct uvs_span_source *source, const struct uvs__loop *from)
{
    struct uvs_span_loop *to = &source->tables.loops[source->tables.loop_count];
    source->loop_of[from->index] = (uint32_t)source->tables.loop_count++;
    *to = (struct uvs_span_loop){.process = source->process_of[from->process->index],
                                 .slot = from->slot,
                                 .tid = from->tid,
                                 .is_default = from->is_default};
    return from->name && !(to->name = strdup(from->name)) ? NO_MEMORY : 0;
}

static int collect_loops(struct uvs_span_source *source, const struct uvs__spans *spans)
{
    size_t count = spans->last_loop ? spans->last_loop->index + 1 : 0;
    source->loop_of = malloc((count + 1) * sizeof(*source->loop_of));
    source->tables.loops = calloc(count + 1, sizeof(*source->tables.loops));
    if (!source->loop_of || !source->tables.loops)
        return NO_MEMORY;
    source->loop_of_count = count;
    int rc = 0;
    for (const struct uvs__loop *from = spans->loops; from && !rc; from = from->next) {
        source->loop_of[from->index] = UVS_SPAN_NONE;
        if (from->touched || !source->is_part)
            rc = add_loop(source, from);
    }
    return rc;
}

static int collect_sites(struct uvs_span_source *source, struct uvs__output *output)
{
    struct uvs__map numbers = {0};
    size_t count = output->spans->who_count, numbered = 0;
    int rc = 0;
    source->site_of = malloc((count + 1) * sizeof(*source->site_of));
    if (!source->site_of)
        return NO_MEMORY;
    source->site_of_count = count;
    for (size_t i = 0; i < count && !rc; i++) {
        struct uvs_site *site = NULL;
        source->site_of[i] = UVS_SPAN_NONE;
        if (!output->spans->whos[i]->process->foreign)
            rc = uvs__site_of(output, (uint32_t)i, &site);
        for (; numbered < output->report->site_count && !rc; numbered++)
            rc = uvs__map_put(&numbers, (uintptr_t)output->report->sites[numbered], 0,
                              (void *)(numbered + 1));
        if (site && !rc)
            source->site_of[i] = (uint32_t)((uintptr_t)uvs__map_get(&numbers, (uintptr_t)site, 0) - 1);
    }
    uvs__map_clear(&numbers);
    return rc;
}

static int collect(void *data, struct uvs__output *output)
{
    struct uvs_span_source *source = data;
    source->wish.look_back_ns = output->look_back_ns;
    int rc = collect_processes(source, output->spans);
    if (!rc)
        rc = collect_loops(source, output->spans);
    return rc ? rc : collect_sites(source, output);
}

// --- The window ---

static const struct uvs_block *find_worst(const struct uvs_report *report)
{
    const struct uvs_block *worst = NULL;
    for (size_t i = 0; i < report->loop_count; i++) {
        const struct uvs_loop_row *loop = &report->loops[i];
        if (loop->worst_count && (!worst || loop->worst[0].duration_ns > worst->duration_ns))
            worst = &loop->worst[0];
    }
    return worst;
}

// The longest block with as much again before and after it, and at least a tenth of a second.
static int find_around_worst(struct uvs_span_source *source, struct uvs_error *error)
{
    struct uvs_report *report;
    int rc = uvs_analyse(source->path, &source->options.analysis, &report, error);
    if (rc)
        return rc;
    const struct uvs_block *worst = find_worst(report);
    if (worst) {
        const uint64_t margin_ns = uvs__max(worst->duration_ns, 100000000);
        const uint64_t since_ns = uvs__minus(worst->begin_ns, report->trace.begin_ns);
        source->options.from_ns = uvs__minus(since_ns, margin_ns);
        source->options.to_ns = uvs__add(uvs__add(since_ns, worst->duration_ns), margin_ns);
    } else {
        rc = uvs_error_set(error, UVS_E_TRACE, "%s has no busy interval to look around", source->path);
    }
    uvs_report_destroy(report);
    return rc;
}

// What is read for the report of it is what is read of it once more.
static void set_window(struct uvs_span_source *source)
{
    struct uvs_span_options *options = &source->options;
    source->wish.touching = true;
    source->wish.from_ns = options->from_ns;
    source->wish.until_ns = options->to_ns ? uvs__add(options->to_ns, 1) : UVS_ABSENT;
    source->is_part = options->from_ns || options->to_ns;
    options->analysis.from_ns = options->from_ns;
    options->analysis.until_ns = options->to_ns ? source->wish.until_ns : 0;
}

// In the events' times. What began before the first of them belongs to the trace.
static void tell_window(struct uvs_span_source *source)
{
    const uint64_t begin_ns = source->report->trace.begin_ns;
    source->tables.from_ns = source->wish.from_ns ? uvs__add(begin_ns, source->wish.from_ns) : 0;
    source->tables.to_ns = source->options.to_ns ? uvs__add(begin_ns, source->options.to_ns) : UVS_ABSENT;
}

int uvs_span_source_create(const char *path, const struct uvs_span_options *options,
                           struct uvs_span_source **ret_source, struct uvs_error *error)
{
    struct uvs_span_source *source = calloc(1, sizeof(*source));
    if (!source)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory to read %s", path);
    source->path = path;
    source->options = *options;
    int rc = options->around_worst ? find_around_worst(source, error) : 0;
    set_window(source);
    if (!rc)
        rc = uvs__analyse(path, &source->options.analysis, collect, source, &source->report, error);
    if (rc) {
        uvs_span_source_destroy(source);
        return rc;
    }
    source->tables.report = source->report;
    tell_window(source);
    *ret_source = source;
    return 0;
}

const struct uvs_span_tables *uvs_span_source_tables(const struct uvs_span_source *source)
{
    return &source->tables;
}

void uvs_span_source_destroy(struct uvs_span_source *source)
{
    if (!source)
        return;
    for (size_t i = 0; i < source->tables.process_count; i++) {
        free(source->tables.processes[i].exe);
        free(source->tables.processes[i].argv);
    }
    for (size_t i = 0; i < source->tables.loop_count; i++)
        free(source->tables.loops[i].name);
    free(source->tables.processes);
    free(source->tables.loops);
    free(source->process_of);
    free(source->loop_of);
    free(source->site_of);
    uvs_report_destroy(source->report);
    free(source);
}

// --- The second reading ---

// An operation that was asked for, or that a worker has run, and whose callback has not run yet.
struct asked {
    uint64_t time_ns, parent; // time_ns UVS_ABSENT: unknown
    uint64_t work_ns;         // UVS_ABSENT: by no worker yet
    uint32_t tid;
};

struct visit {
    const struct uvs_span_source *source;
    struct uvs_recording recording;
    struct uvs_reader *reader;
    struct uvs__spans spans;
    struct uvs__extent extent;
    struct uvs__map asked; // process and op -> struct asked
    int (*visit)(void *data, const struct uvs_span *span, struct uvs_error *error);
    void *data;
    struct uvs_error *error;
    bool refused; // by visit, which has set the error
};

static void forget_asked(struct visit *visit)
{
    for (size_t i = 0; i < visit->asked.capacity; i++)
        free(visit->asked.entries[i].value);
    uvs__map_clear(&visit->asked);
}

// Handles that are started again and again without ever running leave theirs behind: beyond so many all are
// forgotten rather than memory filled. NULL without memory.
static struct asked *asked_of(struct visit *visit, const struct uvs__span *span)
{
    if (visit->asked.count >= MAX_ASKED)
        forget_asked(visit);
    struct asked *asked = uvs__map_get(&visit->asked, span->op, span->process->index);
    if (asked)
        return asked;
    asked = malloc(sizeof(*asked));
    if (!asked || uvs__map_put(&visit->asked, span->op, span->process->index, asked)) {
        free(asked);
        return NULL;
    }
    *asked = (struct asked){.time_ns = UVS_ABSENT, .work_ns = UVS_ABSENT};
    return asked;
}

static int ask(struct visit *visit, const struct uvs__span *span)
{
    struct asked *asked = asked_of(visit, span);
    if (!asked)
        return NO_MEMORY;
    *asked = (struct asked){
        .time_ns = span->begin_ns, .parent = span->schedule.parent, .work_ns = UVS_ABSENT};
    return 0;
}

static int note_work(struct visit *visit, const struct uvs__span *span)
{
    struct asked *asked = span->op ? asked_of(visit, span) : NULL;
    if (!asked)
        return span->op ? NO_MEMORY : 0;
    asked->work_ns = span->begin_ns;
    asked->tid = span->work.tid;
    return 0;
}

// How much is read before a window depends on what is in it; who is told to have asked does not.
static bool is_near(const struct visit *visit, uint64_t asked_ns)
{
    return asked_ns != UVS_ABSENT &&
           (!visit->source->is_part || asked_ns >= uvs__minus(visit->extent.from_ns, UVS__LOOK_NEAR_NS));
}

static void describe_callback(struct visit *visit, const struct uvs__span *from, struct uvs_span *to)
{
    to->delay_ns = from->callback.delay_ns;
    to->latency_ns = from->callback.latency_ns;
    to->result = from->callback.result;
    to->cancelled = from->callback.cancelled;
    struct asked *asked = uvs__map_remove(&visit->asked, from->op, from->process->index);
    if (!asked)
        return;
    // What was asked for again, and lost, had another time and parent.
    if (is_near(visit, asked->time_ns) && !uvs__lost_between(&visit->spans, asked->time_ns, from->end_ns)) {
        to->scheduled_ns = asked->time_ns;
        to->parent = asked->parent;
    }
    to->work_ns = asked->work_ns;
    to->tid = asked->tid;
    free(asked);
}

static const enum uvs_span_type types[UVS__SPAN_COUNT] = {
    [UVS__SPAN_CALLBACK] = UVS_SPAN_CALLBACK,
    [UVS__SPAN_BUSY] = UVS_SPAN_BUSY,
    [UVS__SPAN_POLL] = UVS_SPAN_POLL,
    [UVS__SPAN_OUTSIDE] = UVS_SPAN_OUTSIDE,
    [UVS__SPAN_SYNC_CALL] = UVS_SPAN_SYNC_CALL,
    [UVS__SPAN_GC] = UVS_SPAN_GC,
    [UVS__SPAN_STALL] = UVS_SPAN_STALL,
    [UVS__SPAN_WORK] = UVS_SPAN_WORK,
    [UVS__SPAN_UNFINISHED] = UVS_SPAN_UNFINISHED,
};

static uint32_t site_of(const struct uvs_span_source *source, uint32_t who)
{
    return who < source->site_of_count ? source->site_of[who] : UVS_SPAN_NONE;
}

static void describe(struct visit *visit, const struct uvs__span *from, struct uvs_span *to)
{
    const struct uvs_span_source *source = visit->source;
    to->type = types[from->type];
    to->begin_ns = from->begin_ns;
    to->end_ns = from->end_ns;
    to->process = source->process_of[from->process->index];
    to->loop = from->loop ? source->loop_of[from->loop->index] : UVS_SPAN_NONE;
    to->kind = from->who == UVS__NOBODY ? -1 : visit->spans.whos[from->who]->kind;
    to->site = site_of(source, from->who);
    to->op = from->op;
    switch (to->type) {
    case UVS_SPAN_CALLBACK:
        describe_callback(visit, from, to);
        break;
    case UVS_SPAN_BUSY:
        to->complete = from->busy.complete;
        to->open = from->busy.open;
        break;
    case UVS_SPAN_GC:
        to->collection = from->gc.kind;
        break;
    case UVS_SPAN_STALL:
        to->begin_ns = to->end_ns;
        to->sampled_ns = uvs__minus(from->end_ns, from->stall.since_ns);
        to->kind = -1;
        to->site = from->stall.frame_count ? site_of(source, from->stall.frames[0]) : UVS_SPAN_NONE;
        break;
    case UVS_SPAN_WORK:
        to->queue_ns = from->work.queue_ns;
        to->tid = from->work.tid;
        break;
    case UVS_SPAN_UNFINISHED:
        to->started = from->unfinished.started;
        to->stuck = from->unfinished.stuck;
        break;
    default:
        break;
    }
}

static bool in_window(const struct visit *visit, const struct uvs__span *span)
{
    return !visit->source->is_part ||
           uvs__window_touches(span, visit->extent.from_ns, visit->extent.until_ns);
}

// A recording that still grows may have more in it than the first time.
static bool is_known(const struct uvs_span_source *source, const struct uvs__span *span)
{
    return span->process->index < source->process_of_count && !span->process->foreign &&
           (!span->loop || span->loop->index < source->loop_of_count);
}

static int on_span(void *data, const struct uvs__span *from)
{
    struct visit *visit = data;
    if (!is_known(visit->source, from))
        return 0;
    if (from->type == UVS__SPAN_SCHEDULE)
        return ask(visit, from);
    if (from->type == UVS__SPAN_WORK && note_work(visit, from))
        return NO_MEMORY;
    if (from->type != UVS__SPAN_CALLBACK && types[from->type] == UVS_SPAN_CALLBACK)
        return 0; // not one that others see
    struct uvs_span span = {.scheduled_ns = UVS_ABSENT,
                            .delay_ns = UVS_ABSENT,
                            .latency_ns = UVS_ABSENT,
                            .queue_ns = UVS_ABSENT,
                            .work_ns = UVS_ABSENT,
                            .sampled_ns = UVS_ABSENT};
    describe(visit, from, &span);
    if (span.process == UVS_SPAN_NONE || !in_window(visit, from))
        return 0;
    int rc = visit->visit(visit->data, &span, visit->error);
    visit->refused = rc != 0;
    return rc;
}

static int take_event(struct visit *visit, const struct uvs_event *event)
{
    const struct uvs_span_source *source = visit->source;
    struct uvs_error ours = {0};
    if (source->is_part &&
        uvs__extent_passes_over(&visit->extent, &source->wish, &visit->spans, visit->reader, event))
        return 0;
    int rc = uvs__spans_event(&visit->spans, event, &ours);
    if (rc && !visit->refused && visit->error)
        *visit->error = ours;
    return rc;
}

static bool is_over(struct visit *visit, uint64_t now_ns)
{
    return visit->extent.has_begun && uvs__extent_is_over(&visit->extent, &visit->spans, now_ns);
}

static int read_events(struct visit *visit)
{
    const struct uvs_analysis_options *options = &visit->source->options.analysis;
    const struct uvs_event *event;
    uint64_t count = 0;
    while (uvs_reader_next(visit->reader, &event, NULL) > 0) {
        const uint64_t time_ns = event->time_ns;
        int rc = take_event(visit, event);
        if (rc)
            return rc;
        if (is_over(visit, time_ns))
            return 0;
        if (++count % PROGRESS_EVENTS == 0 && options->progress)
            options->progress(options->progress_data, visit->source->report->trace.events + count,
                              1 + uvs_reader_share(visit->reader));
    }
    int rc = uvs__spans_finish(&visit->spans);
    return rc && !visit->refused
               ? uvs_error_set(visit->error, UVS_E_ENVIRONMENT, "no memory to read the trace")
               : rc;
}

static int open_visit(struct visit *visit)
{
    int is_recording = uvs_recording_load(visit->source->path, &visit->recording, visit->error);
    if (is_recording < 0)
        return is_recording;
    visit->spans = (struct uvs__spans){.sink = on_span, .sink_data = visit, .main_end_ns = UVS_ABSENT};
    if (is_recording)
        uvs__spans_recorded(&visit->spans, &visit->recording);
    return uvs_reader_create(visit->source->path, &visit->reader, visit->error);
}

int uvs_span_source_visit(const struct uvs_span_source *source,
                          int (*visit)(void *data, const struct uvs_span *span, struct uvs_error *error),
                          void *data, struct uvs_error *error)
{
    struct visit state = {.source = source, .visit = visit, .data = data, .error = error};
    int rc = open_visit(&state);
    if (!rc)
        rc = read_events(&state);
    forget_asked(&state);
    uvs__spans_clear(&state.spans);
    uvs_reader_destroy(state.reader);
    uvs_recording_clear(&state.recording);
    return rc;
}
