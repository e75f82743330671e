// SPDX-License-Identifier: MIT
// The tables of a report: their columns and where their rows come from.
#include "text_blame.h"
#include "text_entries.h"
#include "text_report.h"
#include "text_rows.h"

#include <inttypes.h>
#include <stdlib.h>

// Of the parts that filled a block.
enum { PARTS_SHOWN = 3 };

#define RENDER(name)                                                                      \
    static void name(FILE *out, const struct uvs__column *column __attribute__((unused)), \
                     const struct uvs_report *report __attribute__((unused)), const void *row)
#define FIELD(type) (*(const type *)(const void *)((const char *)row + column->offset))

// Who and where is left out where there is only one.
RENDER(render_pid)
{
    if (report->process_count > 1)
        fprintf(out, "%" PRIu32, FIELD(uint32_t));
}

RENDER(render_only_pid)
{
    fprintf(out, "%" PRIu32, FIELD(uint32_t));
}

RENDER(render_loop)
{
    if (report->loop_count > 1 && FIELD(int) >= 0)
        fprintf(out, "%d", FIELD(int));
    else
        fputc('-', out);
}

// A pool has no size until its process has told it.
RENDER(render_pool_size)
{
    if (FIELD(uint32_t))
        fprintf(out, "%" PRIu32, FIELD(uint32_t));
    else
        fputc('-', out);
}

RENDER(render_count)
{
    uvs__print_count(out, FIELD(uint64_t));
}

// 0 is the normal case and takes no attention.
RENDER(render_exception)
{
    if (FIELD(uint64_t))
        uvs__print_count(out, FIELD(uint64_t));
    else
        fputc('-', out);
}

RENDER(render_ns)
{
    uvs__print_ns(out, FIELD(uint64_t));
}

RENDER(render_moment)
{
    uint64_t ns = FIELD(uint64_t);
    uvs__print_moment(out, ns > report->trace.begin_ns ? ns - report->trace.begin_ns : 0);
}

RENDER(render_saturated)
{
    const struct uvs_pool_row *pool = row;
    uvs__print_ns(out, pool->size ? pool->saturated_ns : UVS_ABSENT);
}

RENDER(render_ratio)
{
    uvs__print_ratio(out, FIELD(double));
}

RENDER(render_text)
{
    const char *text = FIELD(char *);
    uvs__print_escaped(out, text ? text : "-");
}

RENDER(render_kind)
{
    const char *name = uvs_kind_name(FIELD(uint8_t));
    if (name)
        fputs(name, out);
    else
        fprintf(out, "kind %u", FIELD(uint8_t));
}

RENDER(render_site)
{
    const struct uvs_site *site = FIELD(struct uvs_site *);
    uvs__print_escaped(out, site ? site->label : "-");
}

RENDER(render_hist_count)
{
    uvs__print_count(out, FIELD(struct uvs_hist).count);
}

RENDER(render_hist_sum)
{
    const struct uvs_hist *hist = &FIELD(struct uvs_hist);
    uvs__print_ns(out, hist->count ? hist->sum : UVS_ABSENT);
}

// Self times that were lost with their events make it a lower bound.
RENDER(render_self_sum)
{
    const struct uvs_callback_row *callback = row;
    if (callback->self.count && callback->self.count < callback->duration.count)
        fputs("≥ ", out);
    render_hist_sum(out, column, report, row);
}

RENDER(render_quantile)
{
    const struct uvs_hist *hist = &FIELD(struct uvs_hist);
    if (hist->count == 0)
        fputc('-', out);
    else
        uvs__print_ns(out, column->quantile < 1 ? uvs_hist_quantile(hist, column->quantile) : hist->max);
}

RENDER(render_utilization)
{
    const struct uvs_loop_row *loop = row;
    double total = (double)loop->busy_ns + (double)loop->poll_ns;
    uvs__print_ratio(out, total > 0 ? (double)loop->busy_ns / total : -1);
}

RENDER(render_block_duration)
{
    const struct uvs_block *block = ((const struct uvs__block_line *)row)->block;
    fputs(block->open ? "at least " : "", out);
    uvs__print_ns(out, block->duration_ns);
}

RENDER(render_block_begin)
{
    const struct uvs__column begin = {.offset = offsetof(struct uvs_block, begin_ns)};
    render_moment(out, &begin, report, ((const struct uvs__block_line *)row)->block);
}

RENDER(render_block_class)
{
    static const char *const names[] = {
#define X(NAME, name) name,
        UVS_BLOCK_CLASS_MAP(X)
#undef X
    };
    fputs(names[((const struct uvs__block_line *)row)->block->class], out);
}

static void print_part(FILE *out, const struct uvs_block_part *part, const char *separator, bool is_sync)
{
    const char *kind = uvs_kind_name(part->kind);
    fprintf(out, "%s%s", separator, is_sync && kind ? kind : "");
    fputs(is_sync && part->site ? " from " UVS__ENTRY_PART : UVS__ENTRY_PART, out);
    if (part->site)
        uvs__print_escaped(out, part->site->label);
    else if (!is_sync)
        fputs(kind ? kind : "unknown", out);
    fputs(UVS__ENTRY_PART, out);
    if (part->count > 1)
        fprintf(out, " ×%" PRIu64, part->count);
    fputc(' ', out);
    uvs__print_ns(out, part->ns);
}

// What the class is about comes first; what is below 1 % of the block explains nothing.
RENDER(render_block_parts)
{
    const struct uvs_block *block = ((const struct uvs__block_line *)row)->block;
    bool is_sync_first = block->class == UVS_BLOCK_SYNC_CALL;
    size_t shown = 0, notable = 0;
    for (int pass = 0; pass < 2; pass++) {
        bool is_sync = (pass == 0) == is_sync_first;
        const struct uvs_block_part *parts = is_sync ? block->sync_calls : block->callbacks;
        size_t count = is_sync ? block->sync_call_count : block->callback_count;
        for (size_t i = 0; i < count; i++) {
            if (notable > 0 && parts[i].ns < block->duration_ns / 100)
                continue;
            if (notable++ < PARTS_SHOWN)
                print_part(out, &parts[i], shown++ ? UVS__ENTRY_NEXT : "", is_sync);
        }
    }
    if (shown < notable)
        fputs(UVS__ENTRY_NEXT UVS__ENTRY_MORE, out);
    if (shown == 0)
        fputc('-', out);
}

// Beside a script the callbacks are only the machinery.
RENDER(render_block_script)
{
    const struct uvs_site *script = uvs_block_script(((const struct uvs__block_line *)row)->block);
    uvs__print_escaped(out, script ? script->label : "-");
}

RENDER(render_culprit_kind)
{
    uvs__print_blame_kind(out, &FIELD(struct uvs_blame_who));
}

RENDER(render_culprit)
{
    uvs__print_blame_name(out, &FIELD(struct uvs_blame_who));
}

RENDER(render_culprit_script)
{
    uvs__print_blame_script(out, &FIELD(struct uvs_blame_who));
}

RENDER(render_hooks)
{
    static const char *const names[] = {
#define X(NAME, number, name) [number] = name,
        UVS_HOOKS_MAP(X)
#undef X
    };
    int hooks = ((const struct uvs_process_row *)row)->hooks;
    bool is_known = hooks >= 0 && (size_t)hooks < sizeof(names) / sizeof(names[0]);
    fputs(is_known ? names[hooks] : "-", out);
}

#define LEFT(title_, function, type, member)                                                            \
    {                                                                                                   \
        .title = title_, .align = UVS__ALIGN_LEFT, .render = function, .offset = offsetof(type, member) \
    }
#define RIGHT(title_, function, type, member)                                                            \
    {                                                                                                    \
        .title = title_, .align = UVS__ALIGN_RIGHT, .render = function, .offset = offsetof(type, member) \
    }
#define CUT(title_, function, type, member)                                            \
    {                                                                                  \
        .title = title_, .is_cut = true, .align = UVS__ALIGN_LEFT, .render = function, \
        .offset = offsetof(type, member)                                               \
    }
#define GROUPED_IF_WIDE(group_, title_, function, type, member, quantile_, gives_way_)   \
    {                                                                                    \
        .group = group_, .title = title_, .align = UVS__ALIGN_RIGHT, .render = function, \
        .offset = offsetof(type, member), .quantile = quantile_, .gives_way = gives_way_ \
    }
#define GROUPED(group, title, function, type, member, quantile) \
    GROUPED_IF_WIDE(group, title, function, type, member, quantile, 0)
// On a narrow terminal the worst is what one came for.
#define P50_P99_MAX(group, type, member)                                       \
    GROUPED_IF_WIDE(group, "p50", render_quantile, type, member, 0.5, 1),      \
        GROUPED_IF_WIDE(group, "p99", render_quantile, type, member, 0.99, 2), \
        GROUPED(group, "max", render_quantile, type, member, 1)

static const struct uvs__column loop_columns[] = {
    RIGHT("pid", render_pid, struct uvs_loop_row, pid),
    RIGHT("loop", render_loop, struct uvs_loop_row, loop),
    LEFT("thread", render_text, struct uvs_loop_row, name),
    RIGHT("utilization", render_utilization, struct uvs_loop_row, busy_ns),
    GROUPED_IF_WIDE(NULL, "iterations", render_count, struct uvs_loop_row, iterations, 0, 3),
    RIGHT("busy", render_ns, struct uvs_loop_row, busy_ns),
    RIGHT("poll", render_ns, struct uvs_loop_row, poll_ns),
    GROUPED_IF_WIDE(NULL, "outside", render_ns, struct uvs_loop_row, outside_ns, 0, 3),
    P50_P99_MAX("block", struct uvs_loop_row, block),
    GROUPED("blocked", "count", render_count, struct uvs_loop_row, blocked_count, 0),
    GROUPED("blocked", "sum", render_ns, struct uvs_loop_row, blocked_sum_ns, 0),
};

static const struct uvs__column block_columns[] = {
    RIGHT("at", render_block_begin, struct uvs__block_line, block),
    RIGHT("for", render_block_duration, struct uvs__block_line, block),
    RIGHT("pid", render_pid, struct uvs__block_line, pid),
    RIGHT("loop", render_loop, struct uvs__block_line, loop),
    LEFT("class", render_block_class, struct uvs__block_line, block),
    CUT("held by", render_block_script, struct uvs__block_line, block),
    CUT("filled by", render_block_parts, struct uvs__block_line, block),
};

static const struct uvs__column culprit_columns[] = {
    RIGHT("pid", render_pid, struct uvs_culprit_row, who.pid),
    RIGHT("loop", render_loop, struct uvs_culprit_row, who.loop),
    LEFT("kind", render_culprit_kind, struct uvs_culprit_row, who),
    CUT("culprit", render_culprit, struct uvs_culprit_row, who),
    CUT("sampled in", render_culprit_script, struct uvs_culprit_row, who),
    GROUPED_IF_WIDE(NULL, "victims", render_hist_count, struct uvs_culprit_row, inflicted, 0, 3),
    RIGHT("inflicted", render_hist_sum, struct uvs_culprit_row, inflicted),
    GROUPED_IF_WIDE(NULL, "at worst", render_quantile, struct uvs_culprit_row, inflicted, 1, 2),
    GROUPED_IF_WIDE(NULL, "in", render_ns, struct uvs_culprit_row, wall_ns, 0, 1),
};

static const struct uvs__column callback_columns[] = {
    RIGHT("pid", render_pid, struct uvs_callback_row, pid),
    RIGHT("loop", render_loop, struct uvs_callback_row, loop),
    LEFT("kind", render_kind, struct uvs_callback_row, kind),
    CUT("callback", render_site, struct uvs_callback_row, site),
    RIGHT("count", render_hist_count, struct uvs_callback_row, duration),
    RIGHT("cancelled", render_exception, struct uvs_callback_row, cancelled),
    P50_P99_MAX("duration", struct uvs_callback_row, duration),
    GROUPED("self", "total", render_self_sum, struct uvs_callback_row, self, 0),
    P50_P99_MAX("delay", struct uvs_callback_row, delay),
    P50_P99_MAX("latency", struct uvs_callback_row, latency),
};

static const struct uvs__column timer_columns[] = {
    RIGHT("pid", render_pid, struct uvs_callback_row, pid),
    RIGHT("loop", render_loop, struct uvs_callback_row, loop),
    CUT("timer", render_site, struct uvs_callback_row, site),
    RIGHT("runs", render_hist_count, struct uvs_callback_row, delay),
    P50_P99_MAX("late by", struct uvs_callback_row, delay),
    GROUPED("late by", "sum", render_hist_sum, struct uvs_callback_row, delay, 0),
};

// When a descriptor became ready is known only from the polls around it.
static const struct uvs__column ready_columns[] = {
    RIGHT("pid", render_pid, struct uvs_callback_row, pid),
    RIGHT("loop", render_loop, struct uvs_callback_row, loop),
    LEFT("kind", render_kind, struct uvs_callback_row, kind),
    CUT("callback", render_site, struct uvs_callback_row, site),
    RIGHT("runs", render_hist_count, struct uvs_callback_row, delay_most),
    P50_P99_MAX("late by at least", struct uvs_callback_row, delay),
    P50_P99_MAX("at most", struct uvs_callback_row, delay_most),
};

static const struct uvs__column sync_columns[] = {
    RIGHT("pid", render_pid, struct uvs_sync_row, pid),
    RIGHT("loop", render_loop, struct uvs_sync_row, loop),
    LEFT("kind", render_kind, struct uvs_sync_row, kind),
    CUT("called from", render_site, struct uvs_sync_row, called_from),
    RIGHT("count", render_hist_count, struct uvs_sync_row, duration),
    P50_P99_MAX("duration", struct uvs_sync_row, duration),
    GROUPED("duration", "sum", render_hist_sum, struct uvs_sync_row, duration, 0),
};

static const struct uvs__column pool_columns[] = {
    RIGHT("pid", render_pid, struct uvs_pool_row, pid),
    RIGHT("size", render_pool_size, struct uvs_pool_row, size),
    RIGHT("utilization", render_ratio, struct uvs_pool_row, utilization),
    RIGHT("busy", render_ns, struct uvs_pool_row, busy_ns),
    RIGHT("saturated", render_saturated, struct uvs_pool_row, saturated_ns),
    RIGHT("max queue depth", render_count, struct uvs_pool_row, max_queue_depth),
    RIGHT("copy of libuv", render_exception, struct uvs_pool_row, copy),
    RIGHT("never started", render_exception, struct uvs_pool_row, never_started),
    RIGHT("never finished", render_exception, struct uvs_pool_row, never_finished),
    RIGHT("oldest of them", render_ns, struct uvs_pool_row, oldest_ns),
};

static const struct uvs__column request_columns[] = {
    RIGHT("pid", render_pid, struct uvs__request_line, pid),
    LEFT("kind", render_kind, struct uvs__request_line, request.kind),
    CUT("request", render_site, struct uvs__request_line, request.site),
    RIGHT("count", render_count, struct uvs__request_line, request.count),
    RIGHT("cancelled", render_exception, struct uvs__request_line, request.cancelled),
    RIGHT("capped", render_exception, struct uvs__request_line, request.slow_io_capped),
    P50_P99_MAX("queue", struct uvs__request_line, request.queue),
    P50_P99_MAX("service", struct uvs__request_line, request.service),
    P50_P99_MAX("return", struct uvs__request_line, request.return_),
};

static const struct uvs__column what_if_columns[] = {
    RIGHT("pid", render_pid, struct uvs__what_if_line, pid),
    RIGHT("threads", render_only_pid, struct uvs__what_if_line, waits.threads),
    GROUPED("waits would be", "p99", render_ns, struct uvs__what_if_line, waits.p99_ns, 0),
    GROUPED("waits would be", "max", render_ns, struct uvs__what_if_line, waits.max_ns, 0),
    GROUPED("waits would be", "sum", render_ns, struct uvs__what_if_line, waits.sum_ns, 0),
};

static const struct uvs__column process_columns[] = {
    RIGHT("pid", render_only_pid, struct uvs_process_row, pid),
    CUT("program", render_text, struct uvs_process_row, exe),
    LEFT("libuv", render_text, struct uvs_process_row, libuv),
    RIGHT("copy", render_exception, struct uvs_process_row, copy),
    LEFT("hooks", render_hooks, struct uvs_process_row, hooks),
    RIGHT("pool", render_pool_size, struct uvs_process_row, pool_size),
    LEFT("exit", render_text, struct uvs_process_row, exit),
    RIGHT("missed hand-offs", render_exception, struct uvs_process_row, handoff_missed),
    RIGHT("untraced loops", render_exception, struct uvs_process_row, loops_dropped),
};

#define COLUMNS(name) name, sizeof(name) / sizeof((name)[0])
static const struct {
    const char *title;
    uvs__rows_function *rows;
    const struct uvs__column *columns;
    size_t column_count;
} sections[] = {
    {"Loops", uvs__loop_rows, COLUMNS(loop_columns)},
    {"Worst blocks", uvs__block_rows, COLUMNS(block_columns)},
    {"Culprits", uvs__culprit_rows, COLUMNS(culprit_columns)},
    {"Callbacks", uvs__callback_rows, COLUMNS(callback_columns)},
    {"Timers", uvs__timer_rows, COLUMNS(timer_columns)},
    {"Descriptors", uvs__ready_rows, COLUMNS(ready_columns)},
    {"Synchronous calls", uvs__sync_rows, COLUMNS(sync_columns)},
    {"Thread pool", uvs__pool_rows, COLUMNS(pool_columns)},
    {"Pool requests", uvs__request_rows, COLUMNS(request_columns)},
    {"With another UV_THREADPOOL_SIZE", uvs__what_if_rows, COLUMNS(what_if_columns)},
    {"Processes", uvs__process_rows, COLUMNS(process_columns)},
};

int uvs__print_tables(FILE *out, const struct uvs__look *look, const struct uvs_report *report)
{
    int result = 0;
    for (size_t i = 0; result == 0 && i < sizeof(sections) / sizeof(sections[0]); i++) {
        struct uvs__rows rows = {0};
        void *owned = NULL;
        result = sections[i].rows(report, &rows, &owned);
        if (result == 0)
            result = uvs__print_table(out, look, report, sections[i].title, sections[i].columns,
                                      sections[i].column_count, &rows);
        free(owned);
    }
    return result;
}
