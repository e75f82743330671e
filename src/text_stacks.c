// SPDX-License-Identifier: MIT
// Who held the loop: the dominant stacks of the worst blocks.
#include "text_prose.h"
#include "text_report.h"
#include "text_rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS_SHOWN = 3, PERCENT = 100, FRAME_INDENT = 11 };

// Shares of a block's time from which on it is said to compute, and up to which it is said not to.
static const double computing_share = 0.8, idle_share = 0.2;
static const double chance_of_error = 0.05;

static void print_call(FILE *out, int call)
{
    const char *name = uvs_call_name(call);
    if (name)
        fprintf(out, "waiting in %s", name);
    else
        fprintf(out, "waiting in system call %d", call);
}

// So many samples, at any time of the block, would hardly all have missed that it waited for the rest of it.
static bool never_waits(const struct uvs_block *block, double share)
{
    double by_chance = 1;
    for (uint64_t i = 0; i < block->looks && by_chance >= chance_of_error; i++)
        by_chance *= share;
    return block->waits == 0 && by_chance < chance_of_error;
}

// A thread that neither computes nor waits was not let run: it was stopped, or the processors were taken.
static void print_state(FILE *out, const struct uvs_block *block)
{
    if (block->cpu_ns == UVS_ABSENT || block->duration_ns == 0)
        return;
    const double share = (double)block->cpu_ns / (double)block->duration_ns;
    if (share >= computing_share) {
        fputs("computing", out);
    } else if (share > idle_share) {
        fputs(never_waits(block, share) ? "computing, kept from a processor for the rest"
                                        : "computing and waiting",
              out);
    } else if (block->waiting_in >= 0) {
        print_call(out, block->waiting_in);
    } else {
        fputs("not scheduled", out);
    }
    fputs(" (", out);
    uvs__print_ratio(out, share);
    fputs(" CPU), ", out);
}

// What takes less than one of so many parts of a block explains nothing of it.
static const uint64_t notable_part = 100;

static void print_collections(FILE *out, const struct uvs_block *block)
{
    if (block->gc_ns == UVS_ABSENT || block->gc_ns < block->duration_ns / notable_part || !block->gc_kind)
        return;
    fputs("of which GC ", out);
    uvs__print_ns(out, block->gc_ns);
    fputs(", ", out);
    const char *name = uvs_gc_name(block->gc_kind);
    for (; name && *name; name++)
        fputc(*name == '_' ? '-' : *name, out);
    fputs(name ? "; " : "of an unknown kind; ", out);
}

static void print_label(FILE *out, const struct uvs__look *look, const struct uvs_site *site)
{
    struct uvs__prose prose;
    uvs__print_escaped(uvs__prose_begin(&prose, out), site ? site->label : "something unknown");
    uvs__prose_end(&prose, look, FRAME_INDENT, FRAME_INDENT + 2);
}

static void print_frame(FILE *out, const struct uvs__look *look, const struct uvs_block_frame *frame)
{
    fprintf(out, "    %3.0f %%  ", frame->share * PERCENT);
    print_label(out, look, frame->site);
    fputc('\n', out);
}

static size_t runtime_run(const struct uvs_block *block, size_t from)
{
    size_t end = from;
    while (end < block->stack_count && block->stack[end].is_runtime)
        end++;
    return end - from;
}

static void print_frames(FILE *out, const struct uvs__look *look, const struct uvs_block *block)
{
    for (size_t i = 0; i < block->stack_count;) {
        const size_t run = look->full_stacks ? 0 : runtime_run(block, i);
        if (run > 1)
            fprintf(out, "           … %zu runtime frames\n", run);
        else
            print_frame(out, look, &block->stack[i]);
        i += run > 1 ? run : 1;
    }
}

static void print_samples(FILE *out, const struct uvs_block *block)
{
    uvs__print_count(out, block->samples);
    fprintf(out, " sample%s", block->samples == 1 ? "" : "s");
}

static void print_block(FILE *to, const struct uvs__look *look, const struct uvs_report *report,
                        const struct uvs__block_line *line)
{
    const struct uvs_block *block = line->block;
    struct uvs__prose prose;
    fputs("  ", to);
    FILE *out = uvs__prose_begin(&prose, to);
    uvs__print_ns(out, block->duration_ns);
    fputs(" at ", out);
    uvs__print_moment(out, block->begin_ns > report->trace.begin_ns ? block->begin_ns - report->trace.begin_ns
                                                                    : 0);
    if (report->loop_count > 1)
        fprintf(out, " (pid %" PRIu32 " loop %u)", line->pid, line->loop);
    fputs(": ", out);
    print_state(out, block);
    print_collections(out, block);
    print_samples(out, block);
    uvs__prose_end(&prose, look, 2, 6);
    fputc('\n', to);
    print_frames(to, look, block);
}

static void print_title(FILE *out, const struct uvs__look *look, const char *title)
{
    uvs__style_begin(out, look, UVS__STYLE_BOLD);
    fprintf(out, "\n%s\n", title);
    uvs__style_end(out, look, UVS__STYLE_BOLD);
}

static int print_blocks(FILE *out, const struct uvs__look *look, const struct uvs_report *report)
{
    struct uvs__rows rows = {0};
    void *owned = NULL;
    const int result = uvs__block_rows(report, &rows, &owned);
    const struct uvs__block_line *lines = rows.items;
    size_t shown = 0;
    for (size_t i = 0; result == 0 && i < rows.count && (look->full_stacks || shown < BLOCKS_SHOWN); i++) {
        if (!lines[i].block->stack_count)
            continue;
        if (shown++ == 0)
            print_title(out, look, "Who held the loop");
        print_block(out, look, report, &lines[i]);
    }
    free(owned);
    return result;
}

static void print_request(FILE *out, const struct uvs__look *look, const struct uvs_report *report,
                          const struct uvs__request_line *line)
{
    const struct uvs_block *block = line->request.sampled;
    fputs("  ", out);
    const char *kind = uvs_kind_name(line->request.kind);
    fputs(kind ? kind : "request", out);
    fputc(' ', out);
    print_label(out, look, line->request.site);
    if (report->process_count > 1)
        fprintf(out, " (pid %" PRIu32 ")", line->pid);
    fputs(", for ", out);
    uvs__print_ns(out, block->duration_ns);
    fputs(" or longer: ", out);
    print_state(out, block);
    print_samples(out, block);
    fputc('\n', out);
    print_frames(out, look, block);
}

// What workers did that ran a request for long, where they were looked at.
static int print_requests(FILE *out, const struct uvs__look *look, const struct uvs_report *report)
{
    struct uvs__rows rows = {0};
    void *owned = NULL;
    const int result = uvs__request_rows(report, &rows, &owned);
    const struct uvs__request_line *lines = rows.items;
    size_t shown = 0;
    for (size_t i = 0; result == 0 && i < rows.count && (look->full_stacks || shown < BLOCKS_SHOWN); i++) {
        if (!lines[i].request.sampled || !lines[i].request.sampled->stack_count)
            continue;
        if (shown++ == 0)
            print_title(out, look, "Who held the workers");
        print_request(out, look, report, &lines[i]);
    }
    free(owned);
    return result;
}

int uvs__print_stacks(FILE *out, const struct uvs__look *look, const struct uvs_report *report)
{
    const int result = print_blocks(out, look, report);
    return result ? result : print_requests(out, look, report);
}
