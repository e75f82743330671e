// SPDX-License-Identifier: MIT
// Renders every cell first, then knows the widths.
#include "text_table.h"

#include "text_entries.h"
#include "text_name.h"

#include <stdlib.h>
#include <string.h>

// Names of C++ templates run to thousands of columns; whole ones are in the JSON.
enum { GAP = 2, CUT_MIN_WIDTH = 16, CUT_GOOD_WIDTH = 24, CUT_MAX_WIDTH = 90, WAYS = 3 };

struct table {
    FILE *out;
    const struct uvs__look *look;
    const struct uvs__column *columns;
    size_t column_count, row_count;
    char **cells;  // row after row
    size_t *width; // of each column; 0 = left out
};

static char *render_cell(const struct uvs__column *column, const struct uvs_report *report, const void *row)
{
    char *text = NULL;
    size_t size;
    FILE *cell = open_memstream(&text, &size);
    if (!cell)
        return NULL;
    column->render(cell, column, report, row);
    bool failed = ferror(cell) != 0;
    if (fclose(cell) == 0 && !failed)
        return text;
    free(text);
    return NULL;
}

// NULL without memory; text is given up.
static char *shorten(char *text)
{
    char *name = NULL;
    size_t size;
    FILE *cell = open_memstream(&name, &size);
    if (cell)
        uvs__print_short(cell, text);
    bool failed = !cell || ferror(cell) != 0;
    free(text);
    if (cell && fclose(cell) == 0 && !failed)
        return name;
    free(name);
    return NULL;
}

static const char *cell_of(const struct table *table, size_t row, size_t column)
{
    return table->cells[row * table->column_count + column];
}

static int render_cells(struct table *table, const struct uvs_report *report, const struct uvs__rows *rows)
{
    for (size_t i = 0; i < table->row_count * table->column_count; i++) {
        const char *row = (const char *)rows->items + i / table->column_count * rows->size;
        const struct uvs__column *column = &table->columns[i % table->column_count];
        table->cells[i] = render_cell(column, report, row);
        if (table->cells[i] && column->is_cut && table->look->short_names)
            table->cells[i] = shorten(table->cells[i]);
        if (!table->cells[i])
            return -UVS_E_ENVIRONMENT;
    }
    return 0;
}

static size_t column_width(const struct table *table, size_t column)
{
    size_t width = 0;
    bool is_filled = false;
    for (size_t row = 0; row < table->row_count; row++) {
        const char *cell = cell_of(table, row, column);
        size_t columns = uvs__entries_width(cell);
        width = columns > width ? columns : width;
        is_filled = is_filled || (*cell && strcmp(cell, "-") != 0);
    }
    size_t title = uvs__text_width(table->columns[column].title);
    return is_filled ? (width > title ? width : title) : 0;
}

static size_t line_width(const struct table *table)
{
    size_t width = 0;
    for (size_t i = 0; i < table->column_count; i++)
        width += table->width[i] ? GAP + table->width[i] : 0;
    return width;
}

// How wide the lines are once names are cut as far as they still say something.
static size_t line_width_when_cut(const struct table *table)
{
    size_t width = line_width(table);
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].is_cut && table->width[i] > CUT_GOOD_WIDTH)
            width -= table->width[i] - CUT_GOOD_WIDTH;
    return width;
}

// Leaves columns out until the lines fit, and tells whether any was.
static bool give_way(struct table *table)
{
    bool any = false;
    for (unsigned way = 1; way <= WAYS; way++) {
        if (table->look->width == 0 || line_width_when_cut(table) <= table->look->width)
            break;
        for (size_t i = 0; i < table->column_count; i++) {
            if (table->columns[i].gives_way != way || !table->width[i])
                continue;
            table->width[i] = 0;
            any = true;
        }
    }
    return any;
}

// Of the columns that are cut the widest; NULL: all are as narrow as they get.
static size_t *widest(struct table *table)
{
    size_t *most = NULL;
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].is_cut && table->width[i] > CUT_MIN_WIDTH && (!most || table->width[i] > *most))
            most = &table->width[i];
    return most;
}

static void cut_to_terminal(struct table *table)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].is_cut && table->width[i] > CUT_MAX_WIDTH)
            table->width[i] = CUT_MAX_WIDTH;
    size_t line = line_width(table);
    size_t excess = table->look->width && line > table->look->width ? line - table->look->width : 0;
    for (size_t *width; excess && (width = widest(table)) != NULL; excess--)
        --*width;
}

// The end of the group that begins at `column`, and the terminal columns under it.
static size_t group_end(const struct table *table, size_t column, size_t *ret_width)
{
    const char *group = table->columns[column].group;
    size_t width = 0, end = column;
    for (; end < table->column_count && table->columns[end].group &&
           strcmp(table->columns[end].group, group) == 0;
         end++)
        width += table->width[end] ? table->width[end] + (width ? GAP : 0) : 0;
    *ret_width = width;
    return end;
}

// A name wider than what it stands over widens its first column that is shown.
static void widen_groups(struct table *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (!table->columns[i].group)
            continue;
        size_t width, end = group_end(table, i, &width), name = strlen(table->columns[i].group);
        size_t first = i;
        while (first < end && !table->width[first])
            first++;
        if (width && width < name)
            table->width[first] += name - width;
        i = end - 1;
    }
}

static void print_times(FILE *out, char character, size_t times)
{
    while (times--)
        fputc(character, out);
}

static void print_aligned(FILE *out, const char *text, size_t width, enum uvs__align align, bool is_last)
{
    size_t columns = uvs__entries_width(text), fill = columns < width ? width - columns : 0;
    if (align == UVS__ALIGN_RIGHT)
        print_times(out, ' ', fill);
    uvs__print_entries(out, text, width);
    if (align == UVS__ALIGN_LEFT && !is_last)
        print_times(out, ' ', fill);
}

static void print_groups(const struct table *table)
{
    FILE *out = table->out;
    size_t pending = 0;
    bool is_empty = true;
    for (size_t i = 0; i < table->column_count; i++) {
        size_t width = table->width[i];
        if (!table->columns[i].group) {
            pending += width ? GAP + width : 0;
            continue;
        }
        const char *group = table->columns[i].group;
        i = group_end(table, i, &width) - 1;
        if (!width)
            continue;
        size_t spare = width - strlen(group), dashes = spare >= 4 ? spare - 2 : 0;
        print_times(out, ' ', pending + GAP);
        print_times(out, '-', dashes / 2);
        fprintf(out, "%s%s%s", dashes ? " " : "", group, dashes ? " " : "");
        print_times(out, '-', dashes - dashes / 2);
        pending = dashes ? 0 : spare;
        is_empty = false;
    }
    if (!is_empty)
        fputc('\n', out);
}

// row of cells, or the titles when it is NULL.
static void print_line(const struct table *table, char *const *row)
{
    size_t last = table->column_count;
    while (last > 0 && !table->width[last - 1])
        last--;
    for (size_t i = 0; i < last; i++) {
        if (!table->width[i])
            continue;
        print_times(table->out, ' ', GAP);
        print_aligned(table->out, row ? row[i] : table->columns[i].title, table->width[i],
                      table->columns[i].align, i + 1 == last);
    }
    fputc('\n', table->out);
}

static void print_markdown_cell(FILE *out, const char *cell, size_t width)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return;
    uvs__print_entries(stream, cell, width);
    fclose(stream);
    if (text)
        uvs__print_markdown(out, text);
    free(text);
}

// row as in print_line.
static void print_markdown_line(const struct table *table, char *const *row)
{
    for (size_t i = 0; i < table->column_count; i++) {
        const struct uvs__column *column = &table->columns[i];
        if (!table->width[i])
            continue;
        fputs("| ", table->out);
        if (!row && column->group)
            fprintf(table->out, "%s ", column->group);
        print_markdown_cell(table->out, row ? row[i] : column->title,
                            row && column->is_cut ? CUT_MAX_WIDTH : SIZE_MAX);
        fputc(' ', table->out);
    }
    fputs("|\n", table->out);
}

static void print_markdown_table(const struct table *table, const char *title, size_t hidden)
{
    fprintf(table->out, "\n**%s**\n\n", title);
    print_markdown_line(table, NULL);
    for (size_t i = 0; i < table->column_count; i++)
        if (table->width[i])
            fputs(table->columns[i].align == UVS__ALIGN_RIGHT ? "|--:" : "|---", table->out);
    fputs("|\n", table->out);
    for (size_t row = 0; row < table->row_count; row++)
        print_markdown_line(table, &table->cells[row * table->column_count]);
    if (hidden)
        fprintf(table->out, "\n… and %zu more\n", hidden);
}

static void print_all(struct table *table, const char *title, size_t hidden)
{
    FILE *out = table->out;
    for (size_t i = 0; i < table->column_count; i++)
        table->width[i] = column_width(table, i);
    if (table->look->markdown) {
        print_markdown_table(table, title, hidden);
        return;
    }
    const bool gave_way = give_way(table);
    widen_groups(table);
    cut_to_terminal(table);
    uvs__style_begin(out, table->look, UVS__STYLE_BOLD);
    fprintf(out, "\n%s", title);
    uvs__style_end(out, table->look, UVS__STYLE_BOLD);
    uvs__style_begin(out, table->look, UVS__STYLE_DIM);
    fputs(gave_way ? " (more columns on a wider terminal)\n" : "\n", out);
    print_groups(table);
    print_line(table, NULL);
    uvs__style_end(out, table->look, UVS__STYLE_DIM);
    for (size_t row = 0; row < table->row_count; row++)
        print_line(table, &table->cells[row * table->column_count]);
    if (hidden)
        fprintf(out, "  … and %zu more\n", hidden);
}

int uvs__print_table(FILE *out, const struct uvs__look *look, const struct uvs_report *report,
                     const char *title, const struct uvs__column *columns, size_t column_count,
                     const struct uvs__rows *rows)
{
    size_t shown = look->top && rows->count > look->top ? look->top : rows->count;
    struct table table = {
        .out = out, .look = look, .columns = columns, .column_count = column_count, .row_count = shown};
    if (shown == 0)
        return 0;
    table.cells = calloc(shown * column_count, sizeof(*table.cells));
    table.width = calloc(column_count, sizeof(*table.width));
    int result = table.cells && table.width ? render_cells(&table, report, rows) : -UVS_E_ENVIRONMENT;
    if (result == 0)
        print_all(&table, title, rows->count - shown);
    for (size_t i = 0; table.cells && i < shown * column_count; i++)
        free(table.cells[i]);
    free(table.cells);
    free(table.width);
    return result;
}
