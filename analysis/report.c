// SPDX-License-Identifier: MIT
// From a trace to its report: reader, spans, analyses, findings.
#include "report.h"

#include "analysis.h"
#include "extent.h"
#include "reader.h"
#include "reader_ahead.h"
#include "saturate.h"
#include "span_queue.h"
#include "takers.h"
#include "window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NO_MEMORY = -UVS_E_ENVIRONMENT, PROGRESS_EVENTS = 10000 };

static const struct uvs__analysis *const analyses[] = {
#define X(name) &uvs__##name##_analysis,
    UVS__ANALYSIS_MAP(X)
#undef X
};
enum { ANALYSIS_COUNT = sizeof(analyses) / sizeof(analyses[0]) };
_Static_assert((int)ANALYSIS_COUNT <= (int)UVS__ANALYSES, "there is room for all of them");

struct job {
    struct uvs__spans spans;
    struct uvs__output output;
    struct uvs_recording recording;
    struct uvs_reader *reader;
    struct uvs__extent extent;
    uint64_t window_events; // in the window
    bool failed;            // an event could not be taken
    void *states[ANALYSIS_COUNT];
    struct uvs__takers takers;
    struct uvs__span_queue *queue; // to the analyses
    uvs__finish_function *finish;  // of who asked; NULL: nobody
    void *finish_data;
};

// --- Reading ---

// The first taker has all analyses by type, the others those in order between them.
static int take(void *data, size_t taker, const struct uvs__span *spans, size_t count)
{
    struct job *job = data;
    if (taker == 0)
        return uvs__takers_take_typed(&job->takers, &job->output, spans, count);
    int rc = 0;
    for (size_t i = taker - 1; i < job->takers.ordered_count && !rc; i += UVS__SPAN_TAKERS - 1)
        rc = uvs__takers_take_ordered(&job->takers, i, &job->output, spans, count);
    return rc;
}

static bool counts_in_window(struct job *job, const struct uvs__span *span)
{
    // They are the job's own: spans only show them.
    if (uvs__window_touches(span, job->extent.from_ns, job->extent.until_ns)) {
        ((struct uvs__process *)span->process)->touched = true;
        if (span->loop)
            ((struct uvs__loop *)span->loop)->touched = true;
    }
    if (!uvs__window_has(&job->output, span))
        return false;
    uvs__extent_counts(&job->extent, span, job->output.report->blame_threshold_ns);
    ((struct uvs__process *)span->process)->counted = true;
    if (span->loop)
        ((struct uvs__loop *)span->loop)->counted = true;
    return true;
}

static int on_windowed_span(void *data, const struct uvs__span *span)
{
    struct job *job = data;
    return uvs__span_queue_add(job->queue, span, counts_in_window(job, span));
}

static int on_span(void *data, const struct uvs__span *span)
{
    return uvs__span_queue_add(((struct job *)data)->queue, span, true);
}

static void quiet(void *data)
{
    uvs__span_queue_settle(((struct job *)data)->queue);
}

// All spans were taken when it returns.
static int close_queue(struct job *job)
{
    struct uvs__span_queue *queue = job->queue;
    job->queue = NULL;
    return uvs__span_queue_destroy(queue);
}

// A pid that was taken again has other modules from now on: what the one before called its own is named
// first.
static int name_predecessors(struct job *job, const struct uvs__process *last)
{
    const struct uvs__process *now = job->spans.last_process;
    int rc = 0;
    for (size_t i = 0; last && i < job->spans.who_count && !rc; i++) {
        const struct uvs__process *process = job->spans.whos[i]->process;
        struct uvs_site *site;
        if (process != now && process->pid == now->pid && process->copy == now->copy)
            rc = uvs__site_of(&job->output, (uint32_t)i, &site);
    }
    return rc;
}

static int add_module(struct job *job, const struct uvs_ev_module *module)
{
    return uvs_symbols_add_module(job->output.symbols, uvs_key_pid(module->loop), module->base, module->size,
                                  module->bias, module->build_id, module->path);
}

// What is shorter in a process of the recording's own is not told one by one.
static void raise_thresholds(struct job *job, uint32_t key)
{
    struct uvs_report *report = job->output.report;
    const struct uvs__process *process = uvs__map_get(&job->spans.process_by_pid, uvs_key_pid(key),
                                                      uvs_slot_copy(uvs_key_slot(key)));
    const uint64_t lean_ns = process && !process->foreign && process->lean_ns != UVS_ABSENT ? process->lean_ns
                                                                                            : 0;
    if (lean_ns <= report->block_threshold_ns && lean_ns <= report->blame_threshold_ns)
        return;
    quiet(job);
    report->block_threshold_ns = uvs__max(report->block_threshold_ns, lean_ns);
    report->blame_threshold_ns = uvs__max(report->blame_threshold_ns, lean_ns);
}

static int note_names(struct job *job, const struct uvs_event *event, const struct uvs__process *last,
                      struct uvs_error *error)
{
    if ((job->spans.last_process != last && name_predecessors(job, last)) ||
        (event->type == UVS_EV_module && add_module(job, &event->module)))
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory to analyse the trace");
    return 0;
}

static int on_event(struct job *job, const struct uvs_event *event, struct uvs_error *error)
{
    const struct uvs__process *last = job->spans.last_process;
    int rc = uvs__spans_event(&job->spans, event, error);
    if (event->type == UVS_EV_lean || event->type == UVS_EV_process_info)
        raise_thresholds(job, event->loop);
    if (!rc && (job->spans.last_process != last || event->type == UVS_EV_module))
        rc = note_names(job, event, last, error);
    return rc;
}

static int on_events(struct job *job, const struct uvs_event *events, size_t count, struct uvs_error *error)
{
    int rc = 0;
    for (size_t i = 0, taken; i < count && !rc; i += taken + 1) {
        rc = uvs__spans_run(&job->spans, &events[i], count - i, &taken, error);
        if (!rc && i + taken < count)
            rc = on_event(job, &events[i + taken], error);
    }
    return rc;
}

static void tell_progress(const struct job *job, const struct uvs_analysis_options *options, uint64_t count)
{
    if (options && options->progress)
        options->progress(options->progress_data, count, uvs_reader_share(job->reader));
}

// 1: nothing that comes can count.
static int on_windowed_event(struct job *job, const struct uvs_event *event, struct uvs_error *error)
{
    const uint64_t time_ns = event->time_ns, events = job->spans.events;
    const struct uvs_shown *shown = &job->output.report->shown;
    const struct uvs__extent_wish wish = {.from_ns = shown->from_ns,
                                          .until_ns = shown->until_ns,
                                          .look_back_ns = job->output.look_back_ns,
                                          .touching = job->finish != NULL};
    if (uvs__extent_passes_over(&job->extent, &wish, &job->spans, job->reader, event))
        return 0;
    uvs__extent_look(&job->extent, &job->spans, event);
    int rc = on_event(job, event, error);
    if (rc || !job->extent.has_begun)
        return rc;
    if (time_ns >= job->extent.from_ns && time_ns < job->extent.until_ns)
        job->window_events += job->spans.events - events;
    return job->extent.is_too_short || uvs__extent_is_over(&job->extent, &job->spans, time_ns);
}

static int read_window(struct job *job, const struct uvs_analysis_options *options, struct uvs_error *error)
{
    uint64_t count = 0;
    const struct uvs_event *event;
    int rc;
    while ((rc = uvs_reader_next(job->reader, &event, error)) > 0) {
        rc = on_windowed_event(job, event, error);
        job->failed = rc < 0;
        if (rc)
            return rc < 0 ? rc : 0;
        if (++count % PROGRESS_EVENTS == 0)
            tell_progress(job, options, count);
    }
    return rc;
}

static int read_whole(struct job *job, const struct uvs_analysis_options *options, struct uvs_error *error)
{
    uint64_t count = 0, told = 0;
    const struct uvs_event *events;
    size_t some;
    int rc;
    while ((rc = uvs_reader_next_some(job->reader, &events, &some, error)) > 0) {
        rc = on_events(job, events, some, error);
        job->failed = rc != 0;
        if (rc)
            return rc;
        count += some;
        if (count - told >= PROGRESS_EVENTS)
            tell_progress(job, options, told = count);
    }
    return rc;
}

static int read_events(struct job *job, const struct uvs_analysis_options *options, struct uvs_error *error)
{
    int rc = (job->output.report->shown.any ? read_window : read_whole)(job, options, error);
    if (rc == 0 || job->failed || job->spans.events == 0)
        return rc;
    // What was read before is as good as ever.
    job->output.report->trace.incomplete = strdup(error ? error->text : "it is damaged");
    if (error)
        error->text[0] = '\0';
    return job->output.report->trace.incomplete ? 0 : NO_MEMORY;
}

// --- The report ---

static void set_window(struct uvs_shown *shown, const struct uvs_analysis_options *options)
{
    shown->from_ns = options ? options->from_ns : 0;
    shown->until_ns = options && options->until_ns ? options->until_ns : UVS_ABSENT;
    shown->any = shown->from_ns != 0 || shown->until_ns != UVS_ABSENT;
}

// Of a stream whose begin was overwritten nobody knows what was before its first event: where that is the
// trace's first one, nothing of the trace is missing.
static bool is_before_trace(const struct uvs__spans *spans, const struct uvs_interval *range,
                            uint64_t trace_begin_ns)
{
    return range->end_ns < trace_begin_ns ||
           (range->end_ns == trace_begin_ns && range->end_ns == spans->uncounted_ns);
}

static int fill_loss(const struct job *job, struct uvs_trace_facts *trace)
{
    const struct uvs__spans *spans = &job->spans;
    trace->loss.events = spans->lost_events;
    trace->loss.packets = spans->lost_packets;
    trace->loss.uncounted = spans->uncounted_ns > trace->begin_ns;
    if (job->output.recording && job->recording.lost_events > trace->loss.events)
        trace->loss.events = job->recording.lost_events;
    if (job->output.recording && job->recording.lost_packets > trace->loss.packets)
        trace->loss.packets = job->recording.lost_packets;
    trace->loss.intervals = calloc(spans->lost_count + 1, sizeof(*trace->loss.intervals));
    if (!trace->loss.intervals)
        return NO_MEMORY;
    for (size_t i = 0; i < spans->lost_count; i++) {
        struct uvs_interval range = spans->lost[i];
        if (is_before_trace(spans, &range, trace->begin_ns))
            continue;
        if (range.begin_ns < trace->begin_ns)
            range.begin_ns = trace->begin_ns;
        if (range.end_ns == UVS_ABSENT)
            range.end_ns = trace->begin_ns + trace->duration_ns;
        if (range.end_ns < range.begin_ns)
            range.end_ns = range.begin_ns;
        trace->loss.intervals[trace->loss.interval_count++] = range;
    }
    return 0;
}

static int fill_trace(const struct job *job, const char *path)
{
    struct uvs_trace_facts *trace = &job->output.report->trace;
    trace->path = strdup(path);
    trace->reader = job->reader->ops->name;
    trace->reader_note = job->reader->note ? strdup(job->reader->note) : NULL;
    trace->begin_ns = job->spans.begin_ns;
    trace->duration_ns = job->spans.end_ns - job->spans.begin_ns;
    trace->events = job->spans.events;
    if (job->output.report->shown.any) {
        trace->events = job->window_events;
        if (trace->duration_ns > job->output.report->shown.until_ns)
            trace->duration_ns = job->output.report->shown.until_ns;
    }
    if (job->output.recording && job->recording.overwritten && trace->begin_ns > job->recording.begin_ns)
        trace->overwritten_ns = trace->begin_ns - job->recording.begin_ns;
    return trace->path ? fill_loss(job, trace) : NO_MEMORY;
}

static int fill_report(struct job *job, const char *path)
{
    // What is open then does not count, and does not touch the window.
    int rc = job->extent.stage == UVS__EXTENT_OVER ? 0 : uvs__spans_finish(&job->spans);
    if (!rc)
        rc = close_queue(job);
    if (!rc)
        rc = fill_trace(job, path);
    for (size_t i = 0; i < ANALYSIS_COUNT && !rc; i++)
        rc = analyses[i]->finish(job->states[i], &job->output);
    if (!rc && job->finish)
        rc = job->finish(job->finish_data, &job->output);
    return rc ? rc : uvs__find(&job->output);
}

void uvs__spans_recorded(struct uvs__spans *spans, const struct uvs_recording *recording)
{
    spans->recording = recording->id;
    spans->has_no_others = recording->own_daemon;
    spans->main_pid = recording->pid;
    spans->main_end_ns = recording->exit ? recording->end_ns : UVS_ABSENT;
}

static int open_reader(struct job *job, const char *path, const struct uvs_analysis_options *options,
                       struct uvs_error *error)
{
    if (options && options->open)
        return options->open(options->open_data, &job->reader, error);
    int rc = uvs_reader_create_of(options ? options->reader : UVS_READER_AUTO, path, &job->reader, error);
    if (!rc)
        job->reader = uvs__reader_ahead(job->reader);
    return rc;
}

static int open_job(struct job *job, const char *path, const struct uvs_analysis_options *options,
                    struct uvs_error *error)
{
    int is_recording = path ? uvs_recording_load(path, &job->recording, error) : 0;
    if (is_recording < 0)
        return is_recording;
    job->output.recording = is_recording ? &job->recording : NULL;
    int rc = open_reader(job, path, options, error);
    if (!rc)
        rc = uvs_symbols_create(is_recording ? path : NULL, &job->output.symbols, error);
    if (rc)
        return rc;
    job->spans = (struct uvs__spans){
        .sink = on_span, .quiet = quiet, .sink_data = job, .main_end_ns = UVS_ABSENT};
    job->output.spans = &job->spans;
    if (is_recording)
        uvs__spans_recorded(&job->spans, &job->recording);
    job->output.report = calloc(1, sizeof(*job->output.report));
    bool complete = job->output.report != NULL;
    for (size_t i = 0; i < ANALYSIS_COUNT; i++)
        complete &= (job->states[i] = calloc(1, analyses[i]->state_size + 1)) != NULL;
    if (!complete)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory to analyse the trace");
    for (size_t i = 0; i < ANALYSIS_COUNT; i++)
        uvs__takers_add(&job->takers, analyses[i], job->states[i]);
    set_window(&job->output.report->shown, options);
    // Each span is looked at first.
    const bool is_part = job->output.report->shown.any;
    if (is_part)
        job->spans.sink = on_windowed_span;
    job->queue = uvs__span_queue(is_part ? NULL : &job->spans.room, take, job);
    if (!job->queue)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory to analyse the trace");
    job->extent.sure_ns = UVS_ABSENT;
    job->output.report->block_threshold_ns = options && options->block_threshold_ns
                                                 ? options->block_threshold_ns
                                                 : UVS_DEFAULT_BLOCK_THRESHOLD_NS;
    job->output.report->chain_op = options ? options->chain_op : 0;
    job->output.report->chain_pid = options ? options->chain_pid : 0;
    job->output.report->blame_threshold_ns = options && options->blame_threshold_ns
                                                 ? options->blame_threshold_ns
                                                 : UVS_DEFAULT_BLAME_THRESHOLD_NS;
    return 0;
}

static bool is_own(const char *directory)
{
    struct stat facts;
    return stat(directory, &facts) == 0 && facts.st_uid == geteuid();
}

// The names outlive the files they came from when the recording keeps them. A recording that cannot be
// written to, or is another user's, is only read.
static void keep_symbols(struct job *job, const char *path)
{
    char *file;
    if (!job->output.recording || job->output.report->shown.any || !is_own(path) ||
        asprintf(&file, "%s/%s", path, UVS_RECORDING_SYMBOLS) < 0)
        return;
    if (access(file, F_OK))
        uvs_symbols_save(job->output.symbols, path, NULL);
    free(file);
}

static void close_job(struct job *job)
{
    close_queue(job);
    for (size_t i = 0; i < ANALYSIS_COUNT; i++) {
        if (job->states[i] && analyses[i]->clear)
            analyses[i]->clear(job->states[i]);
        free(job->states[i]);
    }
    uvs__spans_clear(&job->spans);
    uvs__map_clear(&job->output.sites);
    uvs_symbols_destroy(job->output.symbols);
    uvs_reader_destroy(job->reader);
    uvs_recording_clear(&job->recording);
    uvs_report_destroy(job->output.report);
}

static int analyse(struct job *job, const char *path, const struct uvs_analysis_options *options,
                   struct uvs_report **ret_report, struct uvs_error *error)
{
    const char *name = path ? path : "the babeltrace2 graph";
    int rc = open_job(job, path, options, error);
    if (!rc)
        rc = read_events(job, options, error);
    // A window behind the end has no event of its own.
    if (!rc && job->spans.events == 0 && job->spans.has_begin)
        job->extent.is_too_short = true;
    if (rc || job->extent.is_too_short)
        return rc;
    if (job->spans.events == 0 && options && options->ret_empty)
        *options->ret_empty = true;
    if (job->spans.events == 0)
        return uvs_error_set(error, UVS_E_TRACE,
                             "%s holds no event of uvscope; record a program that uses the shared libuv with "
                             "`uvscope record -- PROGRAM`",
                             name);
    if (fill_report(job, name))
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory for the report of %s", name);
    keep_symbols(job, path);
    *ret_report = job->output.report;
    job->output.report = NULL;
    return 0;
}

int uvs__analyse(const char *path, const struct uvs_analysis_options *options, uvs__finish_function *finish,
                 void *finish_data, struct uvs_report **ret_report, struct uvs_error *error)
{
    // What others give is given once, and a chain may go back to the trace's begin.
    static const uint64_t looks_ns[] = {UVS__LOOK_NEAR_NS, UVS__LOOK_FAR_NS, UVS_ABSENT};
    const size_t last = sizeof(looks_ns) / sizeof(looks_ns[0]) - 1;
    const bool is_whole = !options || options->open || options->chain_op;
    bool is_over = false;
    int rc = 0;
    for (size_t i = is_whole ? last : 0; !is_over; i++) {
        struct job job = {
            .finish = finish, .finish_data = finish_data, .output = {.look_back_ns = looks_ns[i]}};
        if (i == 0 && options->look_back_ns)
            job.output.look_back_ns = options->look_back_ns;
        rc = analyse(&job, path, options, ret_report, error);
        is_over = rc || !job.extent.is_too_short;
        close_job(&job);
    }
    return rc;
}

int uvs_analyse(const char *path, const struct uvs_analysis_options *options, struct uvs_report **ret_report,
                struct uvs_error *error)
{
    return uvs__analyse(path, options, NULL, NULL, ret_report, error);
}
