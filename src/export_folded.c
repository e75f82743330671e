// SPDX-License-Identifier: MIT
// Stacks in the folded form that flame graph tools read: functions from the outermost inwards, separated by
// semicolons, and how many microseconds their samples stand for.
#include "export.h"

#include "analysis/saturate.h"
#include "text_format.h"
#include "text_rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NS_PER_US = 1000 };

struct line {
    char *text;
    uint64_t ns;
};

struct lines {
    struct line *items;
    size_t count;
};

static int no_memory(struct uvs_error *error)
{
    return uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory for the stacks");
}

// Semicolons and line breaks mean something here, and what reads this may want nothing but UTF-8.
static void print_name(FILE *out, const char *name)
{
    while (*name) {
        uint32_t character = 0;
        const size_t length = uvs__decode_utf8(name, &character);
        if (length == 0 || character < ' ' || character == 0x7f)
            fputc('?', out);
        else if (character == ';')
            fputc(',', out);
        else
            fwrite(name, 1, length, out);
        name += length ? length : 1;
    }
}

// Of compiled code the function alone, so that its lines are one; a script's functions may share a name.
static void print_frame(FILE *out, const struct uvs_site *site)
{
    const bool is_script = site && site->module && strcmp(site->module, "js") == 0;
    if (!site)
        fputs("[unknown]", out);
    else
        print_name(out, site->function && !is_script ? site->function : site->label);
}

static const char *thread_name(const struct uvs_report *report, const struct uvs_stack_row *stack)
{
    if (stack->loop < 0)
        return "worker";
    for (size_t i = 0; i < report->loop_count; i++)
        if (report->loops[i].pid == stack->pid && (int)report->loops[i].loop == stack->loop &&
            report->loops[i].name)
            return report->loops[i].name;
    return "loop";
}

static int add(struct lines *lines, const struct uvs_report *report, const struct uvs_stack_row *stack,
               uint64_t ns)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return -UVS_E_ENVIRONMENT;
    print_name(out, thread_name(report, stack));
    if (report->loop_count > 1 && stack->loop >= 0)
        fprintf(out, " %" PRIu32 "/%d", stack->pid, stack->loop);
    else if (report->process_count > 1)
        fprintf(out, " %" PRIu32, stack->pid);
    for (size_t i = stack->frame_count; i-- > 0;) {
        fputc(';', out);
        print_frame(out, stack->frames[i]);
    }
    if (fclose(out) != 0) {
        free(text);
        return -UVS_E_ENVIRONMENT;
    }
    lines->items[lines->count++] = (struct line){text, ns};
    return 0;
}

static int add_all(struct lines *lines, const struct uvs_report *report)
{
    int rc = 0;
    for (size_t i = 0; i < report->stack_count && !rc; i++)
        rc = add(lines, report, &report->stacks[i], report->stacks[i].ns);
    return rc;
}

static int add_block(struct lines *lines, const struct uvs_report *report, uint64_t number,
                     struct uvs_error *error)
{
    struct uvs__rows rows = {0};
    void *owned = NULL;
    int rc = uvs__block_rows(report, &rows, &owned);
    if (!rc && number > rows.count)
        rc = uvs_error_set(error, UVS_E_USAGE, "--block %" PRIu64 ": the report has %zu worst block%s",
                           number, rows.count, rows.count == 1 ? "" : "s");
    const struct uvs_block *block = rc ? NULL
                                       : ((const struct uvs__block_line *)rows.items)[number - 1].block;
    for (size_t i = 0; block && i < block->stacks_count && !rc; i++)
        rc = add(lines, report, &report->stacks[block->stacks[i].index], block->stacks[i].ns);
    free(owned);
    return rc;
}

static int by_text(const void *left, const void *right)
{
    return strcmp(((const struct line *)left)->text, ((const struct line *)right)->text);
}

// Stacks that differ in addresses only become one line.
static void print(FILE *out, struct lines *lines)
{
    qsort(lines->items, lines->count, sizeof(*lines->items), by_text);
    uint64_t sum = 0;
    for (size_t i = 0; i < lines->count; i++) {
        sum = uvs__add(sum, lines->items[i].ns);
        if (i + 1 < lines->count && by_text(&lines->items[i], &lines->items[i + 1]) == 0)
            continue;
        fprintf(out, "%s %" PRIu64 "\n", lines->items[i].text, uvs__max(sum / NS_PER_US, 1));
        sum = 0;
    }
}

static int run(const struct uvs__export *export, struct uvs_error *error)
{
    const struct uvs_report *report = export->tables->report;
    struct lines lines = {.items = calloc(report->stack_count + 1, sizeof(*lines.items))};
    if (!lines.items)
        return no_memory(error);
    int rc = export->block ? add_block(&lines, report, export->block, error) : add_all(&lines, report);
    if (!rc)
        print(export->out, &lines);
    else if (rc == -UVS_E_ENVIRONMENT)
        no_memory(error);
    for (size_t i = 0; i < lines.count; i++)
        free(lines.items[i].text);
    free(lines.items);
    return rc;
}

const struct uvs__export_form uvs__export_folded = {.whole_trace = true, .has_blocks = true, .run = run};
