// SPDX-License-Identifier: MIT
// Aligned tables out of rows of one type and a table of columns.
#ifndef UVS_TEXT_TABLE_H
#define UVS_TEXT_TABLE_H

#include "../analysis/report.h"
#include "text_format.h"

enum uvs__align { UVS__ALIGN_LEFT, UVS__ALIGN_RIGHT };

struct uvs__column {
    const char *group; // stands over neighbouring columns of the same group; NULL = none
    const char *title;
    enum uvs__align align;
    bool is_cut;        // gets narrower on a narrow terminal; its names are shortened
    unsigned gives_way; // 0: never; else the column is left out there, those with the least number first
    // Prints escaped text, or several entries as in text_entries.h; "-" or nothing is unknown, and a column
    // of nothing else is left out. offset and quantile are for render functions that serve several columns.
    void (*render)(FILE *out, const struct uvs__column *column, const struct uvs_report *report,
                   const void *row);
    size_t offset;
    double quantile;
};

struct uvs__rows {
    const void *items;
    size_t count, size; // size of one
};

// Prints the title and the first look->top rows (0 = all), and says how many more there are; nothing when
// there are no rows. -UVS_E_ENVIRONMENT without memory.
int uvs__print_table(FILE *out, const struct uvs__look *look, const struct uvs_report *report,
                     const char *title, const struct uvs__column *columns, size_t column_count,
                     const struct uvs__rows *rows);

#endif
