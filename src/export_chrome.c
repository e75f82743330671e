// SPDX-License-Identifier: MIT
// The Trace Event format: loops and workers as threads, an arrow from where an operation was asked for to its
// callback, through the worker that ran it.
#include "export.h"

#include "command.h"
#include "json_out.h"
#include "timeline_nest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 1000000, LABEL_MAX = 256, KIND_MAX = 24 };

static const uint64_t HEADROOM_NS = 3600000000000;

// Rows that are no thread of the kernel's: of a loop beside its thread, and of what has none.
enum { PHASES_ROW = 10000000, LOOP_ROW = 20000000, POOL_ROW = 30000000, TAKEN_PID = 40000000 };

// A worker that has a row already.
struct worker {
    uint32_t process, tid;
};

struct timeline {
    const struct uvs__export *export;
    FILE *out;
    uint64_t events;
    struct worker *workers;
    size_t worker_count, worker_capacity;
    struct uvs__nest *nests; // of the loops' rows
};

// A pid that was taken again is another process's.
static uint32_t pid_of(const struct timeline *timeline, uint32_t process)
{
    const struct uvs_span_process *processes = timeline->export->tables->processes;
    for (uint32_t i = 0; i < process; i++)
        if (processes[i].pid == processes[process].pid)
            return TAKEN_PID + process;
    return processes[process].pid;
}

// Loops that share a thread, one after the other or nested, are told apart.
static uint32_t row_of_loop(const struct timeline *timeline, uint32_t loop)
{
    const struct uvs_span_loop *loops = timeline->export->tables->loops;
    for (uint32_t i = 0; i < loop; i++)
        if (loops[i].tid == loops[loop].tid && loops[i].process == loops[loop].process)
            return LOOP_ROW + loop;
    return loops[loop].tid ? loops[loop].tid : LOOP_ROW + loop;
}

// --- Events ---

static void begin_event(struct timeline *timeline, char phase, uint32_t process, uint32_t row)
{
    fprintf(timeline->out, "%s{\"ph\":\"%c\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32,
            timeline->events ? ",\n" : "", phase, pid_of(timeline, process), row);
    timeline->events++;
}

static void print_time(struct timeline *timeline, const char *key, uint64_t ns)
{
    fprintf(timeline->out, ",\"%s\":%" PRIu64 ".%03u", key, ns / 1000, (unsigned)(ns % 1000));
}

// Microseconds since not long before the trace, which doubles hold to the nanosecond. A session that begins
// late knows of what began before it, and Perfetto leaves out what is before 0.
static void print_moment(struct timeline *timeline, uint64_t ns)
{
    uint64_t begin_ns = timeline->export->tables->report->trace.begin_ns;
    uint64_t zero_ns = begin_ns > HEADROOM_NS ? begin_ns - HEADROOM_NS : 0;
    print_time(timeline, "ts", ns > zero_ns ? ns - zero_ns : 0);
}

static void print_slice(struct timeline *timeline, uint32_t process, uint32_t row, const char *name,
                        const char *category, const struct uvs_span *span)
{
    begin_event(timeline, 'X', process, row);
    uvs__json_text_member(timeline->out, "name", name);
    uvs__json_text_member(timeline->out, "cat", category);
    print_moment(timeline, span->begin_ns);
    print_time(timeline, "dur", span->end_ns - span->begin_ns);
    fputs(",\"args\":{\"", timeline->out);
}

// One end of a phase, which the next one touches: viewers that add a duration to a begin get a sum that is
// rounded, take the two for overlapping, and misplace all that follows.
static void print_edge(struct timeline *timeline, char phase, const struct uvs_span *span, const char *name,
                       uint64_t ns)
{
    begin_event(timeline, phase, span->process, PHASES_ROW + span->loop);
    uvs__json_text_member(timeline->out, "name", name);
    uvs__json_text_member(timeline->out, "cat", uvs_span_names[span->type]);
    print_moment(timeline, ns);
    fputc('}', timeline->out);
}

static void print_arrow_part(struct timeline *timeline, char phase, uint32_t row, const struct uvs_span *span,
                             uint64_t ns)
{
    begin_event(timeline, phase, span->process, row);
    // A process's ops are its own, and the id must be nobody else's; Perfetto takes only hexadecimal ones.
    fprintf(timeline->out, ",\"name\":\"asked for\",\"cat\":\"flow\",\"id\":\"0x%" PRIx32 "%012" PRIx64 "\"",
            span->process, span->op);
    if (phase == 'f')
        fputs(",\"bp\":\"e\"", timeline->out);
    print_moment(timeline, ns);
    fputc('}', timeline->out);
}

// From the callback that asked, through the worker, to the callback. Each part needs a slice that it is in:
// what the program's main function asked for has none at the begin.
static void print_arrow(struct timeline *timeline, uint32_t row, const struct uvs_span *span)
{
    const uint64_t from_ns = timeline->export->tables->from_ns;
    const bool was_asked = span->parent && span->scheduled_ns >= from_ns;
    const bool was_work = span->work_ns != UVS_ABSENT && span->work_ns >= from_ns;
    if (!was_asked && !was_work)
        return;
    if (was_asked)
        print_arrow_part(timeline, 's', row, span, span->scheduled_ns);
    if (was_work)
        print_arrow_part(timeline, was_asked ? 't' : 's', span->tid, span, span->work_ns);
    print_arrow_part(timeline, 'f', row, span, span->begin_ns);
}

static void print_name(struct timeline *timeline, const char *what, uint32_t process, uint32_t row,
                       const char *name)
{
    begin_event(timeline, 'M', process, row);
    fprintf(timeline->out, ",\"name\":\"%s\",\"args\":{\"name\":", what);
    uvs__json_string(timeline->out, name);
    fputs("}}", timeline->out);
}

// --- Names ---

static void cut(char *to, size_t size, const char *from)
{
    size_t length = strnlen(from, size);
    bool is_cut = length >= size;
    length = is_cut ? size - sizeof("…") : length;
    // Not in the middle of a character.
    while (is_cut && length && ((unsigned char)from[length] & 0xc0) == 0x80)
        length--;
    memcpy(to, from, length);
    strcpy(to + length, is_cut ? "…" : "");
}

static const char *kind_of(const struct uvs_span *span, char number[KIND_MAX])
{
    const char *name = span->kind < 0 ? NULL : uvs_kind_name((uint8_t)span->kind);
    snprintf(number, KIND_MAX, "kind %d", span->kind);
    return name ? name : number;
}

static void label_of(const struct timeline *timeline, const struct uvs_span *span, char label[LABEL_MAX])
{
    const struct uvs_report *report = timeline->export->tables->report;
    char number[KIND_MAX];
    cut(label, LABEL_MAX,
        span->site == UVS_SPAN_NONE ? kind_of(span, number) : report->sites[span->site]->label);
}

static void name_process(struct timeline *timeline, uint32_t process)
{
    const struct uvs_span_process *facts = &timeline->export->tables->processes[process];
    char name[LABEL_MAX];
    cut(name, sizeof(name), facts->argv && *facts->argv ? facts->argv : facts->exe ? facts->exe : "process");
    print_name(timeline, "process_name", process, 0, name);
}

static void name_loop(struct timeline *timeline, uint32_t number)
{
    const struct uvs_span_loop *loop = &timeline->export->tables->loops[number];
    char thread[LABEL_MAX / 2], name[LABEL_MAX];
    cut(thread, sizeof(thread), loop->name ? loop->name : "thread");
    snprintf(name, sizeof(name), "loop %" PRIu32 " (%s)", loop->slot, thread);
    print_name(timeline, "thread_name", loop->process, row_of_loop(timeline, number), name);
    snprintf(name, sizeof(name), "loop %" PRIu32 " phases", loop->slot);
    print_name(timeline, "thread_name", loop->process, PHASES_ROW + number, name);
}

static int name_worker(struct timeline *timeline, const struct uvs_span *span)
{
    for (size_t i = 0; i < timeline->worker_count; i++)
        if (timeline->workers[i].process == span->process && timeline->workers[i].tid == span->tid)
            return 0;
    if (timeline->worker_count == timeline->worker_capacity) {
        size_t capacity = timeline->worker_capacity ? 2 * timeline->worker_capacity : 16;
        struct worker *grown = realloc(timeline->workers, capacity * sizeof(*grown));
        if (!grown)
            return -UVS_E_ENVIRONMENT;
        timeline->workers = grown;
        timeline->worker_capacity = capacity;
    }
    timeline->workers[timeline->worker_count++] = (struct worker){span->process, span->tid};
    print_name(timeline, "thread_name", span->process, span->tid, "pool worker");
    return 0;
}

// --- Spans ---

static int add_callback(struct timeline *timeline, const struct uvs_span *span)
{
    char label[LABEL_MAX], number[KIND_MAX];
    uint32_t row = row_of_loop(timeline, span->loop);
    label_of(timeline, span, label);
    print_slice(timeline, span->process, row, label, "callback", span);
    fprintf(timeline->out, "kind\":\"%s\",\"op\":%" PRIu64, kind_of(span, number), span->op);
    uvs__json_number_member(timeline->out, "delay_ns", span->delay_ns);
    uvs__json_number_member(timeline->out, "latency_ns", span->latency_ns);
    uvs__json_signed_member(timeline->out, "result", span->result);
    fputs("}}", timeline->out);
    print_arrow(timeline, row, span);
    return 0;
}

static int add_sync_call(struct timeline *timeline, const struct uvs_span *span)
{
    char label[LABEL_MAX], number[KIND_MAX];
    uint32_t row = span->loop == UVS_SPAN_NONE ? pid_of(timeline, span->process)
                                               : row_of_loop(timeline, span->loop);
    label_of(timeline, span, label);
    print_slice(timeline, span->process, row, kind_of(span, number), "sync_call", span);
    fputs("called_from\":", timeline->out);
    uvs__json_string(timeline->out, label);
    fputs("}}", timeline->out);
    return 0;
}

static int add_work(struct timeline *timeline, const struct uvs_span *span)
{
    char label[LABEL_MAX], number[KIND_MAX];
    int rc = name_worker(timeline, span);
    if (rc)
        return rc;
    label_of(timeline, span, label);
    print_slice(timeline, span->process, span->tid, label, "work", span);
    fprintf(timeline->out, "kind\":\"%s\",\"op\":%" PRIu64, kind_of(span, number), span->op);
    uvs__json_number_member(timeline->out, "queue_ns", span->queue_ns);
    fputs("}}", timeline->out);
    return 0;
}

static int add_phase(struct timeline *timeline, const struct uvs_span *span)
{
    uint64_t threshold_ns = timeline->export->tables->report->block_threshold_ns;
    bool is_block = span->type == UVS_SPAN_BUSY && span->end_ns - span->begin_ns >= threshold_ns;
    char name[KIND_MAX];
    snprintf(name, sizeof(name), "%s%s", is_block ? "blocked" : uvs_span_names[span->type],
             span->open ? ", not over" : "");
    print_edge(timeline, 'B', span, name, span->begin_ns);
    print_edge(timeline, 'E', span, name, span->end_ns);
    return 0;
}

static int add_unfinished(struct timeline *timeline, const struct uvs_span *span)
{
    char label[LABEL_MAX], number[KIND_MAX];
    label_of(timeline, span, label);
    begin_event(timeline, 'i', span->process, POOL_ROW);
    uvs__json_text_member(timeline->out, "name", label);
    fputs(",\"cat\":\"unfinished\",\"s\":\"p\"", timeline->out);
    print_moment(timeline, span->begin_ns);
    fprintf(timeline->out, ",\"args\":{\"kind\":\"%s\",\"started\":%s,\"stuck\":%s}}", kind_of(span, number),
            span->started ? "true" : "false", span->stuck ? "true" : "false");
    return 0;
}

// Over the callback that it interrupted.
static int add_collection(struct timeline *timeline, const struct uvs_span *span)
{
    const char *name = uvs_gc_name(span->collection);
    const uint32_t row = span->loop == UVS_SPAN_NONE ? pid_of(timeline, span->process)
                                                     : row_of_loop(timeline, span->loop);
    char label[LABEL_MAX];
    snprintf(label, sizeof(label), "GC: %s", name ? name : "of an unknown kind");
    print_slice(timeline, span->process, row, label, "gc", span);
    fprintf(timeline->out, "collection\":%u}}", span->collection);
    return 0;
}

// A moment; without a stack it says that the loop was held, not by whom.
static int add_stall(struct timeline *timeline, const struct uvs_span *span)
{
    char label[LABEL_MAX] = "stalled";
    if (span->loop == UVS_SPAN_NONE)
        return 0;
    if (span->site != UVS_SPAN_NONE)
        label_of(timeline, span, label);
    begin_event(timeline, 'i', span->process, PHASES_ROW + span->loop);
    uvs__json_text_member(timeline->out, "name", label);
    fputs(",\"cat\":\"stall\",\"s\":\"t\"", timeline->out);
    print_moment(timeline, span->begin_ns);
    fputc('}', timeline->out);
    return 0;
}

static int (*const adders[UVS_SPAN_COUNT])(struct timeline *timeline, const struct uvs_span *span) = {
    [UVS_SPAN_CALLBACK] = add_callback,
    [UVS_SPAN_BUSY] = add_phase,
    [UVS_SPAN_POLL] = add_phase,
    [UVS_SPAN_OUTSIDE] = add_phase,
    [UVS_SPAN_SYNC_CALL] = add_sync_call,
    [UVS_SPAN_WORK] = add_work,
    [UVS_SPAN_UNFINISHED] = add_unfinished,
    [UVS_SPAN_GC] = add_collection,
    [UVS_SPAN_STALL] = add_stall,
};

// What is on the row of a loop fits into each other. Nothing reaches from one phase into the next.
static int fit(struct timeline *timeline, struct uvs_span *span)
{
    if (span->loop == UVS_SPAN_NONE)
        return 0;
    struct uvs__nest *nest = &timeline->nests[span->loop];
    switch (span->type) {
    case UVS_SPAN_CALLBACK:
    case UVS_SPAN_SYNC_CALL:
    case UVS_SPAN_GC:
        return uvs__nest_add(nest, &span->begin_ns, span->end_ns);
    case UVS_SPAN_BUSY:
        nest->count = 0;
        return 0;
    default:
        return 0;
    }
}

static int on_span(void *data, const struct uvs_span *span, struct uvs_error *error)
{
    struct timeline *timeline = data;
    if (span->begin_ns == UVS_ABSENT)
        return 0;
    struct uvs_span fitted = *span;
    int rc = fit(timeline, &fitted);
    if (!rc)
        rc = adders[span->type](timeline, &fitted);
    if (rc)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory for the timeline");
    return ferror(timeline->out)
               ? uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot write the timeline: %s", strerror(errno))
               : 0;
}

static int run(const struct uvs__export *export, struct uvs_error *error)
{
    struct timeline timeline = {.export = export, .out = export->out};
    const size_t loop_count = export->tables->loop_count;
    timeline.nests = calloc(loop_count + 1, sizeof(*timeline.nests));
    if (!timeline.nests)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory for the timeline");
    fputs("{\"displayTimeUnit\":\"ms\",\"otherData\":{\"version\":\"uvscope " UVS_VERSION
          "\"},\"traceEvents\":[\n",
          export->out);
    for (uint32_t i = 0; i < export->tables->process_count; i++)
        name_process(&timeline, i);
    for (uint32_t i = 0; i < export->tables->loop_count; i++)
        name_loop(&timeline, i);
    int rc = uvs_span_source_visit(export->source, on_span, &timeline, error);
    fputs("\n]}\n", export->out);
    for (size_t i = 0; i < loop_count; i++)
        uvs__nest_clear(&timeline.nests[i]);
    free(timeline.nests);
    free(timeline.workers);
    if (!rc && timeline.events > EVENTS_MAX)
        uvs_complain(0,
                     "warning: %" PRIu64 " events are more than viewers like; --around worst, --from and "
                     "--until leave out the rest",
                     timeline.events);
    return rc;
}

const struct uvs__export_form uvs__export_chrome = {.run = run};
