// SPDX-License-Identifier: MIT
// Splits a cell, and gives all names the same room as far as they need it.
#include "text_entries.h"

#include "text_format.h"

#include <stdlib.h>
#include <string.h>

enum { SEPARATOR_WIDTH = 2, MORE_WIDTH = 1, NAME_MIN_WIDTH = 16 };

static const char separator[] = ", ";

struct entry {
    const char *before, *name, *after;
    size_t width_around, name_width;
};

struct entries {
    char *texts; // what they point into
    struct entry *items;
    size_t count;
    bool has_more;
};

size_t uvs__entries_width(const char *cell)
{
    size_t width = uvs__text_width(cell);
    for (const char *at = cell; *at; at++) {
        width -= *at == *UVS__ENTRY_PART ? 1 : 0;
        width += *at == *UVS__ENTRY_NEXT ? SEPARATOR_WIDTH - 1 : 0;
    }
    return width;
}

static struct entry entry_of(char *text)
{
    const char *first = strsep(&text, UVS__ENTRY_PART), *name = strsep(&text, UVS__ENTRY_PART);
    struct entry entry = {name ? first : "", name ? name : first, text ? text : "", 0, 0};
    entry.width_around = uvs__text_width(entry.before) + uvs__text_width(entry.after);
    entry.name_width = uvs__text_width(entry.name);
    return entry;
}

static bool split(const char *cell, struct entries *ret_entries)
{
    struct entries entries = {.texts = strdup(cell), .items = calloc(strlen(cell) + 1, sizeof(struct entry))};
    char *at = entries.items ? entries.texts : NULL, *text;
    *ret_entries = entries;
    if (!at)
        return false;
    while ((text = strsep(&at, UVS__ENTRY_NEXT)) != NULL)
        entries.items[entries.count++] = entry_of(text);
    entries.has_more = entries.count > 1 &&
                       strcmp(entries.items[entries.count - 1].name, UVS__ENTRY_MORE) == 0;
    entries.count -= entries.has_more ? 1 : 0;
    *ret_entries = entries;
    return true;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t width_of(const struct entries *entries, size_t name_most)
{
    size_t width = (entries->count - 1) * SEPARATOR_WIDTH;
    width += entries->has_more ? SEPARATOR_WIDTH + MORE_WIDTH : 0;
    for (size_t i = 0; i < entries->count; i++)
        width += entries->items[i].width_around + least(entries->items[i].name_width, name_most);
    return width;
}

// The columns that a name may take for the entries to fit; fewer of them where it would be too few.
static size_t fit(struct entries *entries, size_t width)
{
    while (entries->count > 1 && width_of(entries, NAME_MIN_WIDTH) > width) {
        entries->count--;
        entries->has_more = true;
    }
    size_t name_most = width;
    while (name_most > 0 && width_of(entries, name_most) > width)
        name_most--;
    return name_most;
}

// The only one that is left, where there is not even room around its name.
static void print_crowded(FILE *out, const struct entry *entry, size_t width)
{
    char *whole = NULL;
    if (asprintf(&whole, "%s%s%s", entry->before, entry->name, entry->after) < 0)
        return;
    uvs__print_cut(out, whole, width);
    free(whole);
}

static void print_fitting(FILE *out, struct entries *entries, size_t width)
{
    const size_t name_most = fit(entries, width), more = SEPARATOR_WIDTH + MORE_WIDTH;
    const bool says_more = entries->has_more && (name_most || width > more);
    if (name_most == 0)
        print_crowded(out, &entries->items[0], width - (says_more ? more : 0));
    for (size_t i = 0; i < entries->count && name_most; i++) {
        fprintf(out, "%s%s", i ? separator : "", entries->items[i].before);
        uvs__print_cut(out, entries->items[i].name, name_most);
        fputs(entries->items[i].after, out);
    }
    if (says_more)
        fprintf(out, "%s%s", separator, UVS__ENTRY_MORE);
}

void uvs__print_entries(FILE *out, const char *cell, size_t width)
{
    struct entries entries;
    if (split(cell, &entries))
        print_fitting(out, &entries, width);
    free(entries.items);
    free(entries.texts);
}
