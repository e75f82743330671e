// SPDX-License-Identifier: MIT
// Open addressing with linear probing; removal shifts back, so there are no tombstones.
#include "map.h"

#include "error.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64, NEIGHBOURS = 8 };

// Operations are numbered one after the other and looked up in that order: neighbours lie in the same cache
// lines.
static size_t home(const struct uvs__map *map, uint64_t a, uint64_t b)
{
    const uint64_t near = b ? b : a, far = b ? a : 0;
    uint64_t hash = (far ^ ((near / NEIGHBOURS) * 0x9e3779b97f4a7c15ull)) * 0xd6e8feb86659fd93ull;
    hash ^= hash >> 32;
    hash = (hash * 0xd6e8feb86659fd93ull) >> 20;
    return (size_t)(hash * NEIGHBOURS + near % NEIGHBOURS) & (map->capacity - 1);
}

// The entry of the key, or the free one where it would go.
static struct uvs__map_entry *find(const struct uvs__map *map, uint64_t a, uint64_t b)
{
    size_t i = home(map, a, b);
    while (map->entries[i].value && (map->entries[i].a != a || map->entries[i].b != b))
        i = (i + 1) & (map->capacity - 1);
    return &map->entries[i];
}

void *uvs__map_get(const struct uvs__map *map, uint64_t a, uint64_t b)
{
    return map->capacity ? find(map, a, b)->value : NULL;
}

static int rehash(struct uvs__map *map)
{
    struct uvs__map larger = {.capacity = map->capacity ? map->capacity * 2 : FIRST_CAPACITY};
    larger.entries = calloc(larger.capacity, sizeof(*larger.entries));
    if (!larger.entries)
        return -UVS_E_ENVIRONMENT;
    larger.count = map->count;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->entries[i].value)
            *find(&larger, map->entries[i].a, map->entries[i].b) = map->entries[i];
    free(map->entries);
    *map = larger;
    return 0;
}

int uvs__map_put(struct uvs__map *map, uint64_t a, uint64_t b, void *value)
{
    if (map->count + 1 > map->capacity / 2) {
        int rc = rehash(map);
        if (rc)
            return rc;
    }
    struct uvs__map_entry *entry = find(map, a, b);
    map->count += entry->value == NULL;
    *entry = (struct uvs__map_entry){a, b, value};
    return 0;
}

static void close_gap(struct uvs__map *map, size_t gap)
{
    size_t mask = map->capacity - 1;
    for (size_t i = (gap + 1) & mask; map->entries[i].value; i = (i + 1) & mask) {
        size_t ideal = home(map, map->entries[i].a, map->entries[i].b);
        if (((i - ideal) & mask) < ((i - gap) & mask))
            continue;
        map->entries[gap] = map->entries[i];
        gap = i;
    }
    map->entries[gap].value = NULL;
}

void *uvs__map_remove(struct uvs__map *map, uint64_t a, uint64_t b)
{
    if (!map->capacity)
        return NULL;
    struct uvs__map_entry *entry = find(map, a, b);
    void *value = entry->value;
    if (value) {
        map->count--;
        close_gap(map, (size_t)(entry - map->entries));
    }
    return value;
}

void uvs__map_clear(struct uvs__map *map)
{
    free(map->entries);
    *map = (struct uvs__map){0};
}

void *uvs__grow_full(void *array, size_t *capacity, size_t element_size)
{
    size_t larger = *capacity ? *capacity * 2 : 16;
    void *grown = reallocarray(array, larger, element_size);
    if (grown)
        *capacity = larger;
    return grown;
}

void *uvs__rows_make(struct uvs__rows *rows, uint32_t index, size_t element_size)
{
    if (index >= rows->count) {
        size_t count = (size_t)index + 1 > rows->count * 2 ? (size_t)index + 1 : rows->count * 2;
        void **items = reallocarray(rows->items, count, sizeof(*items));
        if (!items)
            return NULL;
        memset(items + rows->count, 0, (count - rows->count) * sizeof(*items));
        rows->items = items;
        rows->count = count;
    }
    if (!rows->items[index])
        rows->items[index] = calloc(1, element_size);
    return rows->items[index];
}

void uvs__rows_clear(struct uvs__rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        free(rows->items[i]);
    free(rows->items);
    *rows = (struct uvs__rows){0};
}
