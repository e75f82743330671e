// SPDX-License-Identifier: MIT
// Figures of the report for Prometheus: a family of samples after the other, in what its own text format and
// OpenMetrics have in common. Counters they name differently, and what a finished trace has does not grow: so
// what is counted is a gauge.
#include "export.h"

#include "text_format.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// Upper bounds of buckets.
static const uint64_t bounds_ns[] = {100000,    1000000,   5000000,    10000000,   25000000,   50000000,
                                     100000000, 250000000, 1000000000, 2500000000, 10000000000};

enum { NAME_SIZE = 64 };

struct labels {
    uint32_t pid;                // 0 none: of the whole trace, which has no label then
    int loop, kind;              // -1 none
    const struct uvs_site *site; // NULL none
};

// --- Samples ---

static void print_value(FILE *out, const char *text)
{
    char *escaped = NULL;
    size_t size;
    FILE *stream = open_memstream(&escaped, &size);
    if (!stream)
        return;
    uvs__print_escaped(stream, text);
    if (fclose(stream) == 0)
        for (const char *at = escaped; *at; at++)
            fprintf(out, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at);
    free(escaped);
}

// Two functions may have one name: the address tells them apart.
static void print_labels(FILE *out, const struct labels *labels, const char *bound)
{
    const char *kind = labels->kind < 0 ? NULL : uvs_kind_name((uint8_t)labels->kind);
    if (!labels->pid)
        return;
    fprintf(out, "{pid=\"%" PRIu32 "\"", labels->pid);
    if (labels->loop >= 0)
        fprintf(out, ",loop=\"%d\"", labels->loop);
    if (kind)
        fprintf(out, ",kind=\"%s\"", kind);
    else if (labels->kind >= 0)
        fprintf(out, ",kind=\"%d\"", labels->kind);
    if (labels->site) {
        fputs(",function=\"", out);
        print_value(out, labels->site->label);
        fprintf(out, "\",address=\"0x%" PRIx64 "\"", labels->site->address);
    }
    if (bound)
        fprintf(out, ",le=\"%s\"", bound);
    fputc('}', out);
}

static void print_number(FILE *out, const char *name, const struct labels *labels, uint64_t number)
{
    fputs(name, out);
    print_labels(out, labels, NULL);
    fprintf(out, " %" PRIu64 "\n", number);
}

static void print_seconds(FILE *out, const char *name, const struct labels *labels, uint64_t ns)
{
    fputs(name, out);
    print_labels(out, labels, NULL);
    fprintf(out, " %" PRIu64 ".%09" PRIu64 "\n", ns / 1000000000, ns % 1000000000);
}

static void print_hist(FILE *out, const char *name, const struct labels *labels, const struct uvs_hist *hist)
{
    char bound[32], part[NAME_SIZE];
    for (size_t i = 0; i < sizeof(bounds_ns) / sizeof(bounds_ns[0]); i++) {
        snprintf(bound, sizeof(bound), "%g", (double)bounds_ns[i] / 1e9);
        fprintf(out, "%s_bucket", name);
        print_labels(out, labels, bound);
        fprintf(out, " %" PRIu64 "\n", uvs_hist_count_to(hist, bounds_ns[i]));
    }
    fprintf(out, "%s_bucket", name);
    print_labels(out, labels, "+Inf");
    fprintf(out, " %" PRIu64 "\n", hist->count);
    snprintf(part, sizeof(part), "%s_sum", name);
    print_seconds(out, part, labels, hist->sum);
    snprintf(part, sizeof(part), "%s_count", name);
    print_number(out, part, labels, hist->count);
}

// --- The samples of a family ---
// Rows may differ in what is no label: two loops took one slot in turn, two copies of libuv have a pool each.
// A series may be there once, so these are added up.

struct sample {
    struct labels labels;
    const struct uvs_hist *hist; // or a number
    uint64_t number;
};

struct samples {
    struct sample *items;
    size_t count, room;
    int rc;
};

static void add(struct samples *samples, const struct sample *sample)
{
    if (samples->count == samples->room) {
        const size_t room = samples->room ? 2 * samples->room : 64;
        struct sample *items = reallocarray(samples->items, room, sizeof(*items));
        if (!items) {
            samples->rc = -UVS_E_ENVIRONMENT;
            return;
        }
        samples->items = items;
        samples->room = room;
    }
    samples->items[samples->count++] = *sample;
}

static int compare_sites(const struct uvs_site *a, const struct uvs_site *b)
{
    if (a == b || !a || !b)
        return (a != NULL) - (b != NULL);
    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    return strcmp(a->label, b->label);
}

static int compare(const void *left, const void *right)
{
    const struct labels *a = &((const struct sample *)left)->labels;
    const struct labels *b = &((const struct sample *)right)->labels;
    if (a->pid != b->pid)
        return a->pid < b->pid ? -1 : 1;
    if (a->loop != b->loop)
        return a->loop - b->loop;
    return a->kind != b->kind ? a->kind - b->kind : compare_sites(a->site, b->site);
}

static int add_up(const struct sample *samples, size_t count, struct uvs_hist *ret_hist, uint64_t *ret_number)
{
    int rc = 0;
    for (size_t i = 0; i < count && !rc; i++) {
        *ret_number += samples[i].number;
        rc = samples[i].hist ? uvs_hist_merge(ret_hist, samples[i].hist) : 0;
    }
    return rc;
}

// --- Families: each names its samples of a report ---

typedef void collect_family(struct samples *samples, const struct uvs_report *report);

#define LOOPS(function, ...)                                                                             \
    static void function(struct samples *samples, const struct uvs_report *report)                       \
    {                                                                                                    \
        for (size_t i = 0; i < report->loop_count; i++) {                                                \
            const struct uvs_loop_row *row = &report->loops[i];                                          \
            add(samples, &(struct sample){.labels = {row->pid, (int)row->loop, -1, NULL}, __VA_ARGS__}); \
        }                                                                                                \
    }
LOOPS(loop_block, .hist = &row->block)
LOOPS(loop_busy, .number = row->busy_ns)
LOOPS(loop_poll, .number = row->poll_ns)
LOOPS(loop_iterations, .number = row->iterations)
LOOPS(loop_blocked, .number = row->blocked_count)

#define CALLBACKS(function, member, is_meant)                                                             \
    static void function(struct samples *samples, const struct uvs_report *report)                        \
    {                                                                                                     \
        for (size_t i = 0; i < report->callback_count; i++) {                                             \
            const struct uvs_callback_row *row = &report->callbacks[i];                                   \
            if (is_meant)                                                                                 \
                add(samples, &(struct sample){.labels = {row->pid, (int)row->loop, row->kind, row->site}, \
                                              .hist = &row->member});                                     \
        }                                                                                                 \
    }
CALLBACKS(callback_duration, duration, true)
CALLBACKS(callback_delay, delay, row->has_delay)
CALLBACKS(callback_latency, latency, row->has_latency)

static void sync_call_duration(struct samples *samples, const struct uvs_report *report)
{
    for (size_t i = 0; i < report->sync_call_count; i++) {
        const struct uvs_sync_row *row = &report->sync_calls[i];
        add(samples, &(struct sample){.labels = {row->pid, row->loop, row->kind, row->called_from},
                                      .hist = &row->duration});
    }
}

#define REQUESTS(function, member)                                                                   \
    static void function(struct samples *samples, const struct uvs_report *report)                   \
    {                                                                                                \
        for (size_t i = 0; i < report->pool_count; i++)                                              \
            for (size_t j = 0; j < report->pools[i].request_count; j++) {                            \
                const struct uvs_pool_request_row *row = &report->pools[i].requests[j];              \
                if (row->triple_known)                                                               \
                    add(samples,                                                                     \
                        &(struct sample){.labels = {report->pools[i].pid, -1, row->kind, row->site}, \
                                         .hist = &row->member});                                     \
            }                                                                                        \
    }
REQUESTS(pool_queue, queue)
REQUESTS(pool_service, service)
REQUESTS(pool_return, return_)

static void lost_events(struct samples *samples, const struct uvs_report *report)
{
    if (report->trace.loss.events != UVS_ABSENT)
        add(samples, &(struct sample){.labels = {0, -1, -1, NULL}, .number = report->trace.loss.events});
}

static const struct {
    const char *name, *help;
    enum { HISTOGRAM, SECONDS, NUMBER } form;
    collect_family *collect;
} families[] = {
    {"uvscope_loop_block_seconds", "Busy intervals of the loop", HISTOGRAM, loop_block},
    {"uvscope_loop_busy_seconds", "Time the loop was busy", SECONDS, loop_busy},
    {"uvscope_loop_poll_seconds", "Time the loop waited in poll", SECONDS, loop_poll},
    {"uvscope_loop_iterations", "Poll phases of the loop", NUMBER, loop_iterations},
    {"uvscope_loop_blocked", "Busy intervals at the block threshold or above", NUMBER, loop_blocked},
    {"uvscope_callback_duration_seconds", "Time inside callbacks", HISTOGRAM, callback_duration},
    {"uvscope_callback_delay_seconds", "From when a callback could have run to when it ran", HISTOGRAM,
     callback_delay},
    {"uvscope_callback_latency_seconds", "From a request's submission to its callback", HISTOGRAM,
     callback_latency},
    {"uvscope_sync_call_duration_seconds", "Time waited in synchronous calls", HISTOGRAM, sync_call_duration},
    {"uvscope_pool_queue_seconds", "From a request's submission to a worker taking it", HISTOGRAM,
     pool_queue},
    {"uvscope_pool_service_seconds", "Time a worker ran a request", HISTOGRAM, pool_service},
    {"uvscope_pool_return_seconds", "From a finished request to its callback", HISTOGRAM, pool_return},
    {"uvscope_lost_events", "Events that LTTng lost", NUMBER, lost_events},
};

static int print_series(FILE *out, size_t family, const struct sample *samples, size_t count)
{
    struct uvs_hist hist = {0};
    uint64_t number = 0;
    const int rc = add_up(samples, count, &hist, &number);
    if (families[family].form == HISTOGRAM)
        print_hist(out, families[family].name, &samples->labels, &hist);
    else
        (families[family].form == SECONDS ? print_seconds : print_number)(out, families[family].name,
                                                                          &samples->labels, number);
    uvs_hist_clear(&hist);
    return rc;
}

static int print_family(FILE *out, size_t family, const struct uvs_report *report)
{
    struct samples samples = {0};
    fprintf(out, "# TYPE %s %s\n# HELP %s %s.\n", families[family].name,
            families[family].form == HISTOGRAM ? "histogram" : "gauge", families[family].name,
            families[family].help);
    families[family].collect(&samples, report);
    if (samples.count)
        qsort(samples.items, samples.count, sizeof(*samples.items), compare);
    int rc = samples.rc;
    for (size_t first = 0, next; first < samples.count && !rc; first = next) {
        for (next = first + 1; next < samples.count; next++)
            if (compare(&samples.items[first], &samples.items[next]) != 0)
                break;
        rc = print_series(out, family, &samples.items[first], next - first);
    }
    free(samples.items);
    return rc;
}

static int run(const struct uvs__export *export, struct uvs_error *error)
{
    int rc = 0;
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]) && !rc; i++)
        rc = print_family(export->out, i, export->tables->report);
    if (rc)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory for the figures");
    fputs("# EOF\n", export->out);
    return 0;
}

const struct uvs__export_form uvs__export_openmetrics = {.whole_trace = true, .run = run};
