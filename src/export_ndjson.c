// SPDX-License-Identifier: MIT
// One JSON object a line: processes and loops first, then every span.
#include "export.h"

#include "json_out.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void print_process(FILE *out, const struct uvs_span_process *process)
{
    fprintf(out, "{\"type\":\"process\",\"pid\":%" PRIu32, process->pid);
    uvs__json_text_member(out, "exe", process->exe);
    uvs__json_text_member(out, "command", process->argv);
    fputs("}\n", out);
}

static void print_loop(FILE *out, const struct uvs_span_tables *tables, const struct uvs_span_loop *loop)
{
    fprintf(out, "{\"type\":\"loop\",\"pid\":%" PRIu32 ",\"loop\":%" PRIu32,
            tables->processes[loop->process].pid, loop->slot);
    uvs__json_number_member(out, "tid", loop->tid ? loop->tid : UVS_ABSENT);
    uvs__json_text_member(out, "name", loop->name);
    uvs__json_bool_member(out, "main", loop->is_default);
    fputs("}\n", out);
}

// --- The members that only some types have ---

static void add_callback(FILE *out, const struct uvs_span *span)
{
    uvs__json_number_member(out, "op", span->op);
    uvs__json_number_member(out, "parent", span->parent ? span->parent : UVS_ABSENT);
    uvs__json_number_member(out, "scheduled_ns", span->scheduled_ns);
    uvs__json_number_member(out, "delay_ns", span->delay_ns);
    uvs__json_number_member(out, "latency_ns", span->latency_ns);
    uvs__json_signed_member(out, "result", span->result);
    uvs__json_bool_member(out, "cancelled", span->cancelled);
}

static void add_busy(FILE *out, const struct uvs_span *span)
{
    uvs__json_bool_member(out, "complete", span->complete);
    uvs__json_bool_member(out, "open", span->open);
}

static void add_work(FILE *out, const struct uvs_span *span)
{
    uvs__json_number_member(out, "op", span->op);
    uvs__json_number_member(out, "tid", span->tid);
    uvs__json_number_member(out, "queue_ns", span->queue_ns);
}

static void add_unfinished(FILE *out, const struct uvs_span *span)
{
    uvs__json_number_member(out, "op", span->op);
    uvs__json_bool_member(out, "started", span->started);
    uvs__json_bool_member(out, "stuck", span->stuck);
}

static void add_collection(FILE *out, const struct uvs_span *span)
{
    const char *name = uvs_gc_name(span->collection);
    char number[16];
    snprintf(number, sizeof(number), "gc %u", span->collection);
    uvs__json_text_member(out, "kind", name ? name : number);
}

static void add_stall(FILE *out, const struct uvs_span *span)
{
    uvs__json_number_member(out, "sampled_ns", span->sampled_ns);
}

static void (*const adders[UVS_SPAN_COUNT])(FILE *out, const struct uvs_span *span) = {
    [UVS_SPAN_CALLBACK] = add_callback,     [UVS_SPAN_BUSY] = add_busy,
    [UVS_SPAN_GC] = add_collection,         [UVS_SPAN_WORK] = add_work,
    [UVS_SPAN_UNFINISHED] = add_unfinished, [UVS_SPAN_STALL] = add_stall,
};

static void add_who(FILE *out, const struct uvs_report *report, const struct uvs_span *span)
{
    const struct uvs_site *site = span->site == UVS_SPAN_NONE ? NULL : report->sites[span->site];
    char number[24];
    if (span->kind < 0 && span->type != UVS_SPAN_STALL)
        return;
    const char *kind = span->kind < 0 ? NULL : uvs_kind_name((uint8_t)span->kind);
    snprintf(number, sizeof(number), "kind %d", span->kind);
    if (span->kind >= 0)
        uvs__json_text_member(out, "kind", kind ? kind : number);
    uvs__json_text_member(out, "label", site ? site->label : NULL);
    uvs__json_text_member(out, "function", site ? site->function : NULL);
    uvs__json_text_member(out, "file", site ? site->file : NULL);
    uvs__json_number_member(out, "line", site && site->line ? (uint64_t)site->line : UVS_ABSENT);
}

static int print_span(void *data, const struct uvs_span *span, struct uvs_error *error)
{
    const struct uvs__export *export = data;
    const struct uvs_span_tables *tables = export->tables;
    FILE *out = export->out;
    bool measured = span->begin_ns != UVS_ABSENT;
    fprintf(out, "{\"type\":\"%s\",\"pid\":%" PRIu32, uvs_span_names[span->type],
            tables->processes[span->process].pid);
    uvs__json_number_member(out, "loop",
                            span->loop == UVS_SPAN_NONE ? UVS_ABSENT : tables->loops[span->loop].slot);
    uvs__json_number_member(out, "begin_ns", span->begin_ns);
    uvs__json_number_member(out, "end_ns", span->end_ns);
    uvs__json_number_member(out, "duration_ns", measured ? span->end_ns - span->begin_ns : UVS_ABSENT);
    add_who(out, tables->report, span);
    if (adders[span->type])
        adders[span->type](out, span);
    fputs("}\n", out);
    return ferror(out)
               ? uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot write the spans: %s", strerror(errno))
               : 0;
}

static int run(const struct uvs__export *export, struct uvs_error *error)
{
    for (size_t i = 0; i < export->tables->process_count; i++)
        print_process(export->out, &export->tables->processes[i]);
    for (size_t i = 0; i < export->tables->loop_count; i++)
        print_loop(export->out, export->tables, &export->tables->loops[i]);
    return uvs_span_source_visit(export->source, print_span, (void *)export, error);
}

const struct uvs__export_form uvs__export_ndjson = {.run = run};
