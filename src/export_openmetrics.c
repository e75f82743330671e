// SPDX-License-Identifier: MIT
// Figures of the report for Prometheus: a family of samples after the other, as its text format wants it.
#include "export.h"

#include "text_format.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// Upper bounds of buckets.
static const uint64_t bounds_ns[] = {100000,    1000000,   5000000,    10000000,   25000000,   50000000,
                                     100000000, 250000000, 1000000000, 2500000000, 10000000000};

struct labels {
    uint32_t pid;
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

static void print_number(FILE *out, const char *name, const char *suffix, const struct labels *labels,
                         uint64_t number)
{
    fprintf(out, "%s%s", name, suffix);
    print_labels(out, labels, NULL);
    fprintf(out, " %" PRIu64 "\n", number);
}

static void print_seconds(FILE *out, const char *name, const char *suffix, const struct labels *labels,
                          uint64_t ns)
{
    fprintf(out, "%s%s", name, suffix);
    print_labels(out, labels, NULL);
    fprintf(out, " %" PRIu64 ".%09" PRIu64 "\n", ns / 1000000000, ns % 1000000000);
}

static void print_hist(FILE *out, const char *name, const struct labels *labels, const struct uvs_hist *hist)
{
    char bound[32];
    for (size_t i = 0; i < sizeof(bounds_ns) / sizeof(bounds_ns[0]); i++) {
        snprintf(bound, sizeof(bound), "%g", (double)bounds_ns[i] / 1e9);
        fprintf(out, "%s_bucket", name);
        print_labels(out, labels, bound);
        fprintf(out, " %" PRIu64 "\n", uvs_hist_count_to(hist, bounds_ns[i]));
    }
    fprintf(out, "%s_bucket", name);
    print_labels(out, labels, "+Inf");
    fprintf(out, " %" PRIu64 "\n", hist->count);
    print_seconds(out, name, "_sum", labels, hist->sum);
    print_number(out, name, "_count", labels, hist->count);
}

// --- Families: each prints its samples of a report ---

typedef void family(FILE *out, const char *name, const struct uvs_report *report);

#define LOOPS(function, print)                                                                  \
    static void function(FILE *out, const char *name, const struct uvs_report *report)          \
    {                                                                                           \
        for (size_t i = 0; i < report->loop_count; i++) {                                       \
            const struct uvs_loop_row *row = &report->loops[i];                                 \
            const struct labels labels = {.pid = row->pid, .loop = (int)row->loop, .kind = -1}; \
            print;                                                                              \
        }                                                                                       \
    }
LOOPS(loop_block, print_hist(out, name, &labels, &row->block))
LOOPS(loop_busy, print_seconds(out, name, "_total", &labels, row->busy_ns))
LOOPS(loop_poll, print_seconds(out, name, "_total", &labels, row->poll_ns))
LOOPS(loop_iterations, print_number(out, name, "_total", &labels, row->iterations))
LOOPS(loop_blocked, print_number(out, name, "_total", &labels, row->blocked_count))

#define CALLBACKS(function, member, is_meant)                                                           \
    static void function(FILE *out, const char *name, const struct uvs_report *report)                  \
    {                                                                                                   \
        for (size_t i = 0; i < report->callback_count; i++) {                                           \
            const struct uvs_callback_row *row = &report->callbacks[i];                                 \
            if (is_meant)                                                                               \
                print_hist(out, name, &(struct labels){row->pid, (int)row->loop, row->kind, row->site}, \
                           &row->member);                                                               \
        }                                                                                               \
    }
CALLBACKS(callback_duration, duration, true)
CALLBACKS(callback_delay, delay, row->has_delay)
CALLBACKS(callback_latency, latency, row->has_latency)

static void sync_call_duration(FILE *out, const char *name, const struct uvs_report *report)
{
    for (size_t i = 0; i < report->sync_call_count; i++) {
        const struct uvs_sync_row *row = &report->sync_calls[i];
        print_hist(out, name, &(struct labels){row->pid, row->loop, row->kind, row->called_from},
                   &row->duration);
    }
}

#define REQUESTS(function, member)                                                                          \
    static void function(FILE *out, const char *name, const struct uvs_report *report)                      \
    {                                                                                                       \
        for (size_t i = 0; i < report->pool_count; i++)                                                     \
            for (size_t j = 0; j < report->pools[i].request_count; j++) {                                   \
                const struct uvs_pool_request_row *row = &report->pools[i].requests[j];                     \
                if (row->triple_known)                                                                      \
                    print_hist(out, name, &(struct labels){report->pools[i].pid, -1, row->kind, row->site}, \
                               &row->member);                                                               \
            }                                                                                               \
    }
REQUESTS(pool_queue, queue)
REQUESTS(pool_service, service)
REQUESTS(pool_return, return_)

static void lost_events(FILE *out, const char *name, const struct uvs_report *report)
{
    if (report->trace.loss.events != UVS_ABSENT)
        fprintf(out, "%s %" PRIu64 "\n", name, report->trace.loss.events);
}

static const struct {
    const char *name, *type, *help;
    family *print;
} families[] = {
    {"uvscope_loop_block_seconds", "histogram", "Busy intervals of the loop", loop_block},
    {"uvscope_loop_busy_seconds", "counter", "Time the loop was busy", loop_busy},
    {"uvscope_loop_poll_seconds", "counter", "Time the loop waited in poll", loop_poll},
    {"uvscope_loop_iterations", "counter", "Poll phases of the loop", loop_iterations},
    {"uvscope_loop_blocked", "counter", "Busy intervals at the block threshold or above", loop_blocked},
    {"uvscope_callback_duration_seconds", "histogram", "Time inside callbacks", callback_duration},
    {"uvscope_callback_delay_seconds", "histogram", "From when a callback could have run to when it ran",
     callback_delay},
    {"uvscope_callback_latency_seconds", "histogram", "From a request's submission to its callback",
     callback_latency},
    {"uvscope_sync_call_duration_seconds", "histogram", "Time waited in synchronous calls",
     sync_call_duration},
    {"uvscope_pool_queue_seconds", "histogram", "From a request's submission to a worker taking it",
     pool_queue},
    {"uvscope_pool_service_seconds", "histogram", "Time a worker ran a request", pool_service},
    {"uvscope_pool_return_seconds", "histogram", "From a finished request to its callback", pool_return},
    {"uvscope_lost_events", "gauge", "Events that LTTng lost", lost_events},
};

static int run(const struct uvs__export *export, struct uvs_error *error __attribute__((unused)))
{
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        fprintf(export->out, "# TYPE %s %s\n# HELP %s %s.\n", families[i].name, families[i].type,
                families[i].name, families[i].help);
        families[i].print(export->out, families[i].name, export->tables->report);
    }
    fputs("# EOF\n", export->out);
    return 0;
}

const struct uvs__export_form uvs__export_openmetrics = {.whole_trace = true, .run = run};
