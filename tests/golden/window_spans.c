// SPDX-License-Identifier: MIT
// Spans of windows of a trace: reading only what must be read for them gives those of the whole that touch
// them.
//
//   window_spans TRACE...
#include "windows.h"

#include "analysis/spans_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND 1000000000ull

// One line for each span, in the order in which they were visited, and for each process and loop.
struct lines {
    char **items;
    size_t count;
    const struct uvs_span_tables *tables;
    uint64_t from_ns, until_ns; // only what touches them; until_ns 0: all
};

static void must(int rc, const char *path, const struct uvs_error *error)
{
    if (!rc)
        return;
    fprintf(stderr, "%s: %s\n", path, error->text);
    exit(1);
}

static void add(struct lines *lines, char *line)
{
    lines->items = realloc(lines->items, (lines->count + 1) * sizeof(*lines->items));
    if (!lines->items || !line)
        exit(2);
    lines->items[lines->count++] = line;
}

static bool touches(const struct uvs_span *span, uint64_t from_ns, uint64_t until_ns)
{
    const bool is_off_loop = span->loop == UVS_SPAN_NONE &&
                             (span->type == UVS_SPAN_SYNC_CALL || span->type == UVS_SPAN_GC);
    const uint64_t begin_ns = span->begin_ns == UVS_ABSENT || is_off_loop ? span->end_ns : span->begin_ns;
    const uint64_t end_ns = span->type == UVS_SPAN_UNFINISHED ? span->begin_ns : span->end_ns;
    return end_ns >= from_ns && begin_ns < until_ns;
}

// Who asked more than two seconds before the window is not told.
static bool is_asked_near(const struct lines *lines, const struct uvs_span *span)
{
    return !lines->until_ns || span->scheduled_ns == UVS_ABSENT ||
           span->scheduled_ns + 2 * SECOND >= lines->from_ns;
}

static int on_span(void *data, const struct uvs_span *span, struct uvs_error *error)
{
    (void)error;
    struct lines *lines = data;
    const struct uvs_span_tables *tables = lines->tables;
    const struct uvs_site *site = span->site == UVS_SPAN_NONE ? NULL : tables->report->sites[span->site];
    const struct uvs_span_loop *loop = span->loop == UVS_SPAN_NONE ? NULL : &tables->loops[span->loop];
    const bool is_near = is_asked_near(lines, span);
    char *line;
    if (lines->until_ns && !touches(span, lines->from_ns, lines->until_ns))
        return 0;
    if (asprintf(&line,
                 "%s %" PRIu64 " %" PRIu64 " of %" PRIu32 " loop %" PRId64 " kind %d %s %" PRIx64
                 " op %" PRIu64 " asked %" PRIu64 " by %" PRIu64 " late %" PRIu64 " %" PRIu64
                 " queue %" PRIu64 " work %" PRIu64 " tid %" PRIu32 " %" PRId32 " %u%d%d%d%d%d",
                 uvs_span_names[span->type], span->begin_ns, span->end_ns,
                 tables->processes[span->process].pid, loop ? (int64_t)loop->slot : -1, span->kind,
                 site ? site->label : "-", site ? site->address : 0, span->op,
                 is_near ? span->scheduled_ns : UVS_ABSENT, is_near ? span->parent : 0, span->delay_ns,
                 span->latency_ns, span->queue_ns, span->work_ns, span->tid, span->result, span->collection,
                 span->cancelled, span->complete, span->open, span->started, span->stuck) < 0)
        exit(2);
    add(lines, line);
    return 0;
}

static struct lines spans_of(const char *path, const struct uvs_span_options *options, uint64_t from_ns,
                             uint64_t until_ns)
{
    struct uvs_error error = {0};
    struct uvs_span_source *source;
    must(uvs_span_source_create(path, options, &source, &error), path, &error);
    struct lines lines = {.tables = uvs_span_source_tables(source)};
    const uint64_t begin_ns = lines.tables->report->trace.begin_ns;
    lines.from_ns = from_ns ? begin_ns + from_ns : 0;
    lines.until_ns = until_ns ? begin_ns + until_ns : 0;
    must(uvs_span_source_visit(source, on_span, &lines, &error), path, &error);
    uvs_span_source_destroy(source);
    return lines;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void clear(struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->items[i]);
    free(lines->items);
}

static int differ(const char *path, const struct lines *part, const struct lines *whole)
{
    size_t at = 0;
    while (at < part->count && at < whole->count && strcmp(part->items[at], whole->items[at]) == 0)
        at++;
    if (at == part->count && at == whole->count)
        return 0;
    printf("%s, %zu spans from %" PRIu64 " until %" PRIu64
           ", not %zu:\n  read in part %s\n  of the whole %s\n",
           path, part->count, whole->from_ns, whole->until_ns, whole->count,
           at < part->count ? part->items[at] : "-", at < whole->count ? whole->items[at] : "-");
    return 1;
}

// In which order those are told that end together depends on what else is told.
static void sort(struct lines *lines)
{
    if (lines->count > 0)
        qsort(lines->items, lines->count, sizeof(*lines->items), by_text);
}

// to_ns 0: up to the end.
static int compare(const char *path, uint64_t from_ns, uint64_t to_ns)
{
    const struct uvs_span_options window = {.from_ns = from_ns, .to_ns = to_ns}, all = {0};
    struct lines part = spans_of(path, &window, 0, 0);
    struct lines whole = spans_of(path, &all, from_ns, to_ns ? to_ns + 1 : UINT64_MAX / 2);
    sort(&part);
    sort(&whole);
    const int result = differ(path, &part, &whole);
    clear(&part);
    clear(&whole);
    return result;
}

int main(int argc, char **argv)
{
    return compare_windows(argc, argv, compare);
}
