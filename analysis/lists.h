// SPDX-License-Identifier: MIT
// The report's lists of rows, and what each row is of: for whatever drops, filters or orders rows without
// knowing their types.
#ifndef UVS_LISTS_H
#define UVS_LISTS_H

#include "metric.h"
#include "report.h"

// What a row is of. A part that the list's rows have may still be unknown in one of them.
struct uvs__row_of {
    uint32_t pid; // 0: of the whole trace
    int loop;     // -1: of none
    int kind;     // -1: of none
    const struct uvs_site *site;
};

enum uvs__part_of_row {
    UVS__ROW_HAS_PID = 1,
    UVS__ROW_HAS_LOOP = 2,
    UVS__ROW_HAS_KIND = 4,
    UVS__ROW_HAS_SITE = 8
};

enum { UVS__NO_SCOPE = -1 };

struct uvs__list {
    const char *name;          // as in the JSON
    size_t items, count, size; // offsets of the array and of its length in the report; of a row
    unsigned has;              // enum uvs__part_of_row
    int scope;                 // enum uvs__scope of the metrics that look at its rows
    void (*of)(const void *row, struct uvs__row_of *ret_of);
    void (*clear)(void *row); // frees what it owns; NULL: nothing
};

extern const struct uvs__list uvs__lists[UVS_LIST_COUNT];
// Of a pool: its offsets are in a struct uvs_pool_row.
extern const struct uvs__list uvs__request_list;

// holder: the report, or the pool.
static inline char *uvs__list_items(const struct uvs__list *list, const void *holder)
{
    return *(char *const *)(const void *)((const char *)holder + list->items);
}

static inline size_t *uvs__list_count(const struct uvs__list *list, void *holder)
{
    return (size_t *)(void *)((char *)holder + list->count);
}

void uvs__block_clear(struct uvs_block *block);

// Drops the rows for which keep is false; returns how many. The order stays.
size_t uvs__list_keep(const struct uvs__list *list, void *holder,
                      bool (*keep)(const void *row, size_t index, const void *data), const void *data);

#endif
