// SPDX-License-Identifier: MIT
// Objects, symbols and their labels.
#include "symbols_cache.h"
#include "symbols_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_symbol(struct uvs__symbol *symbol)
{
    free(symbol->function);
    free(symbol->file);
    free(symbol->label);
    free(symbol);
}

static void free_object(struct uvs__object *object)
{
    uvs__elf_close(object->elf);
    free(object->path);
    free(object->build_id);
    free(object);
}

void uvs__symbol_cache_clear(struct uvs__symbol_cache *cache)
{
    for (size_t i = 0; i < cache->symbol_count; i++)
        free_symbol(cache->symbols[i]);
    for (size_t i = 0; i < cache->object_count; i++)
        free_object(cache->objects[i]);
    free(cache->symbols);
    free(cache->objects);
    uvs__map_clear(&cache->by_address);
    *cache = (struct uvs__symbol_cache){0};
}

struct uvs__object *uvs__symbol_cache_object(struct uvs__symbol_cache *cache, const char *path,
                                             const char *build_id)
{
    for (size_t i = 0; i < cache->object_count; i++)
        if (strcmp(cache->objects[i]->path, path) == 0 && strcmp(cache->objects[i]->build_id, build_id) == 0)
            return cache->objects[i];
    struct uvs__object **objects = uvs__grow(cache->objects, cache->object_count, &cache->object_capacity,
                                             sizeof(struct uvs__object *));
    struct uvs__object *object = objects ? calloc(1, sizeof(*object)) : NULL;
    if (objects)
        cache->objects = objects;
    if (!object)
        return NULL;
    object->path = strdup(path);
    object->build_id = strdup(build_id);
    if (!object->path || !object->build_id) {
        free_object(object);
        return NULL;
    }
    return cache->objects[cache->object_count++] = object;
}

// Objects are aligned, so the lowest bit of their address is free.
// Addresses of user space leave the upper bits free.
static uint64_t address_key(uint64_t address, uint8_t inliner)
{
    return address ^ (uint64_t)inliner << 56;
}

static uint64_t object_key(const struct uvs__object *object, bool is_return)
{
    return (uint64_t)(uintptr_t)object | (is_return ? 1 : 0);
}

const struct uvs__symbol *uvs__symbol_cache_get(const struct uvs__symbol_cache *cache,
                                                const struct uvs__object *object, uint64_t address,
                                                bool is_return, uint8_t inliner)
{
    return uvs__map_get(&cache->by_address, object_key(object, is_return), address_key(address, inliner));
}

static char *make_label(const struct uvs__symbol *symbol)
{
    char *label;
    int length;
    if (symbol->function && symbol->file && symbol->line > 0)
        length = asprintf(&label, "%s (%s:%d)", symbol->function, uvs__basename(symbol->file), symbol->line);
    else if (symbol->function)
        length = asprintf(&label, "%s", symbol->function);
    else if (symbol->object)
        length = asprintf(&label, "%s+0x%" PRIx64, uvs__basename(symbol->object->path), symbol->address);
    else
        length = asprintf(&label, "0x%" PRIx64, symbol->address);
    return length < 0 ? NULL : label;
}

const struct uvs__symbol *uvs__symbol_cache_add(struct uvs__symbol_cache *cache,
                                                const struct uvs__symbol *symbol)
{
    struct uvs__symbol **symbols = uvs__grow(cache->symbols, cache->symbol_count, &cache->symbol_capacity,
                                             sizeof(struct uvs__symbol *));
    if (symbols)
        cache->symbols = symbols;
    struct uvs__symbol *own = symbols ? malloc(sizeof(*own)) : NULL;
    if (!own) {
        free(symbol->function);
        free(symbol->file);
        return NULL;
    }
    *own = *symbol;
    own->label = make_label(own);
    if (!own->label || uvs__map_put(&cache->by_address, object_key(own->object, own->is_return),
                                    address_key(own->address, own->inliner), own) < 0) {
        free_symbol(own);
        return NULL;
    }
    return cache->symbols[cache->symbol_count++] = own;
}
