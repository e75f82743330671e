// SPDX-License-Identifier: MIT
// Several entries in one cell of a table: "fs.read from start (app.c:40) 7.00 ms, on_tick (app.c:3) 9.99 ms".
#ifndef UVS_TEXT_ENTRIES_H
#define UVS_TEXT_ENTRIES_H

#include <stddef.h>
#include <stdio.h>

// An entry is what stands before its name, the name, and what stands after it, with a PART between them; a
// NEXT is between entries. Escaped text has neither, and is a cell of one entry that is all name.
#define UVS__ENTRY_PART "\x1f"
#define UVS__ENTRY_NEXT "\x1e"
// As the last entry: there are more of them.
#define UVS__ENTRY_MORE "…"

size_t uvs__entries_width(const char *cell);

// Prints at most `width` columns of a cell. Where that is not enough the names are cut, each by itself, and
// what stands around them is kept; before names would say nothing any more the last entries are left out, and
// an ellipsis says so.
void uvs__print_entries(FILE *out, const char *cell, size_t width);

#endif
