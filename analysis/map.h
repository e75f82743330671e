// SPDX-License-Identifier: MIT
// A hash map from two integers to a pointer: what is in flight, and which row a fact belongs to.
#ifndef UVS_MAP_H
#define UVS_MAP_H

#include <stddef.h>
#include <stdint.h>

struct uvs__map_entry {
    uint64_t a, b;
    void *value; // NULL: free
};

// Zero-initialise to create. Values are the caller's; none may be NULL.
struct uvs__map {
    struct uvs__map_entry *entries;
    size_t capacity, count; // capacity: 0 or a power of two
};

void *uvs__map_get(const struct uvs__map *map, uint64_t a, uint64_t b);
// Replaces what is there. 0, or -UVS_E_ENVIRONMENT without memory.
int uvs__map_put(struct uvs__map *map, uint64_t a, uint64_t b, void *value);
// Returns what was there, or NULL.
void *uvs__map_remove(struct uvs__map *map, uint64_t a, uint64_t b);
void uvs__map_clear(struct uvs__map *map);

// A table that is filled by index: elements are made, zeroed, when they are first asked for.
struct uvs__rows {
    void **items;
    size_t count;
};

void *uvs__rows_make(struct uvs__rows *rows, uint32_t index, size_t element_size);

// NULL without memory.
static inline void *uvs__rows_at(struct uvs__rows *rows, uint32_t index, size_t element_size)
{
    void *row = index < rows->count ? rows->items[index] : NULL;
    return row ? row : uvs__rows_make(rows, index, element_size);
}

// Frees the elements too.
void uvs__rows_clear(struct uvs__rows *rows);

// Makes room for one more element of a growing array: returns it, doubled where full, or NULL without memory
// (the old array stays valid).
void *uvs__grow_full(void *array, size_t *capacity, size_t element_size);

static inline void *uvs__grow(void *array, size_t count, size_t *capacity, size_t element_size)
{
    return count < *capacity ? array : uvs__grow_full(array, capacity, element_size);
}

#endif
