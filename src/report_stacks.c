// SPDX-License-Identifier: MIT
// Stacks as numbers of names, so that a name is in the page once.
#include "report_stacks.h"

#include "analysis/saturate.h"
#include "json_out.h"
#include "text_name.h"
#include "text_rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STACKS = 300, MAX_FRAMES = 100, MAX_BLOCKS = 10, MAX_LABEL = 200, NOT_CHOSEN = -1 };

struct stacks {
    const struct uvs_report *report;
    const struct uvs_stack_row **by_time;
    int *number;                   // of each of the report's stacks on the page, or NOT_CHOSEN
    const struct uvs_site **names; // by number
    size_t name_count;
    uint64_t left_out_ns;
};

// The same function at several addresses is one name.
static bool is_same(const struct uvs_site *a, const struct uvs_site *b)
{
    return a == b || (a && b && strcmp(a->label, b->label) == 0);
}

static size_t number_of(struct stacks *stacks, const struct uvs_site *site)
{
    size_t i = 0;
    while (i < stacks->name_count && !is_same(stacks->names[i], site))
        i++;
    if (i == stacks->name_count)
        stacks->names[stacks->name_count++] = site;
    return i;
}

static int by_time(const void *left, const void *right)
{
    const struct uvs_stack_row *a = *(const struct uvs_stack_row *const *)left,
                               *b = *(const struct uvs_stack_row *const *)right;
    if (a->ns != b->ns)
        return a->ns > b->ns ? -1 : 1;
    return (a > b) - (a < b);
}

// Those with most time, as many as there is room for.
static void choose(struct stacks *stacks)
{
    const struct uvs_report *report = stacks->report;
    for (size_t i = 0; i < report->stack_count; i++) {
        stacks->by_time[i] = &report->stacks[i];
        stacks->number[i] = NOT_CHOSEN;
    }
    if (report->stack_count)
        qsort(stacks->by_time, report->stack_count, sizeof(*stacks->by_time), by_time);
    for (size_t i = 0; i < report->stack_count; i++) {
        if (i < MAX_STACKS)
            stacks->number[stacks->by_time[i] - report->stacks] = 0;
        else
            stacks->left_out_ns = uvs__add(stacks->left_out_ns, stacks->by_time[i]->ns);
    }
    int next = 0;
    for (size_t i = 0; i < report->stack_count; i++)
        if (stacks->number[i] != NOT_CHOSEN)
            stacks->number[i] = next++;
}

// [short, "js" or "", whole if that is longer]
static void print_name(FILE *out, const struct uvs_site *site)
{
    const char *label = site ? site->label : "unknown";
    char whole[MAX_LABEL + 1], name[MAX_LABEL + 1] = "";
    snprintf(whole, sizeof(whole), "%s", label);
    FILE *shortened = fmemopen(name, sizeof(name), "w");
    if (shortened) {
        uvs__print_short(shortened, label);
        fclose(shortened);
    }
    const bool is_short = shortened && strcmp(name, whole) != 0;
    fputc('[', out);
    uvs__json_string(out, is_short ? name : whole);
    fputs(site && site->module && strcmp(site->module, "js") == 0 ? ",\"js\"" : ",\"\"", out);
    if (is_short) {
        fputc(',', out);
        uvs__json_string(out, whole);
    }
    fputc(']', out);
}

static void print_stack(FILE *out, struct stacks *stacks, const struct uvs_stack_row *stack)
{
    const size_t count = stack->frame_count < MAX_FRAMES ? stack->frame_count : MAX_FRAMES;
    fprintf(out, "[%" PRIu64 ",[", stack->ns);
    for (size_t i = count; i-- > 0;)
        fprintf(out, "%zu%s", number_of(stacks, stack->frames[i]), i ? "," : "");
    fputs("]]", out);
}

static void print_block(FILE *out, const struct stacks *stacks, const struct uvs__block_line *line)
{
    const struct uvs_block *block = line->block;
    const char *separator = "";
    fprintf(out,
            "{\"pid\":%" PRIu32 ",\"loop\":%u,\"begin_ns\":%" PRIu64 ",\"duration_ns\":%" PRIu64
            ",\"stacks\":[",
            line->pid, line->loop, block->begin_ns, block->duration_ns);
    for (size_t i = 0; i < block->stacks_count; i++) {
        const int number = stacks->number[block->stacks[i].index];
        if (number == NOT_CHOSEN)
            continue;
        fprintf(out, "%s[%d,%" PRIu64 "]", separator, number, block->stacks[i].ns);
        separator = ",";
    }
    fputs("]}", out);
}

static void print_blocks(FILE *out, const struct stacks *stacks)
{
    struct uvs__rows rows = {0};
    void *owned = NULL;
    const char *separator = "";
    const bool failed = uvs__block_rows(stacks->report, &rows, &owned) != 0;
    const struct uvs__block_line *lines = rows.items;
    for (size_t i = 0, shown = 0; !failed && i < rows.count && shown < MAX_BLOCKS; i++) {
        if (!lines[i].block->stacks_count)
            continue;
        fputs(separator, out);
        print_block(out, stacks, &lines[i]);
        separator = ",";
        shown++;
    }
    free(owned);
}

static void print_all(FILE *out, struct stacks *stacks)
{
    const char *separator = "";
    choose(stacks);
    fputs("{\"stacks\":[", out);
    for (size_t i = 0; i < stacks->report->stack_count; i++) {
        if (stacks->number[i] == NOT_CHOSEN)
            continue;
        fputs(separator, out);
        print_stack(out, stacks, &stacks->report->stacks[i]);
        separator = ",";
    }
    fputs("],\"names\":[", out);
    for (size_t i = 0; i < stacks->name_count; i++) {
        fputs(i ? "," : "", out);
        print_name(out, stacks->names[i]);
    }
    fputs("],\"blocks\":[", out);
    print_blocks(out, stacks);
    fprintf(out, "],\"left_out_ns\":%" PRIu64 "}", stacks->left_out_ns);
}

void uvs__print_stacks_json(FILE *out, const struct uvs_report *report)
{
    struct stacks stacks = {.report = report};
    stacks.by_time = calloc(report->stack_count + 1, sizeof(*stacks.by_time));
    stacks.number = calloc(report->stack_count + 1, sizeof(*stacks.number));
    stacks.names = calloc((size_t)MAX_STACKS * MAX_FRAMES + 1, sizeof(*stacks.names));
    if (stacks.by_time && stacks.number && stacks.names)
        print_all(out, &stacks);
    else
        fputs("{\"stacks\":[],\"names\":[],\"blocks\":[],\"left_out_ns\":0}", out);
    free((void *)stacks.by_time);
    free(stacks.number);
    free((void *)stacks.names);
}
