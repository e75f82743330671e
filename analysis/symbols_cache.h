// SPDX-License-Identifier: MIT
// What has been resolved, by object and link-time address, and its file symbols.json.
#ifndef UVS_SYMBOLS_CACHE_H
#define UVS_SYMBOLS_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "error.h"
#include "map.h"
#include "symbols_elf.h"

// A file that was mapped; two with one path and different build ids are two objects.
struct uvs__object {
    char *path, *build_id;
    struct uvs__elf *elf; // NULL: not opened yet, or not to be had
    bool tried;
};

struct uvs__symbol {
    const struct uvs__object *object; // NULL: an address outside all modules
    uint64_t address;
    bool is_return;
    uint8_t inliner; // of a return address: 0 what is there, 1 what that was inlined into, …
    char *function, *file, *label;
    int line;
};

// Zero-initialise to create. Objects and symbols keep their addresses.
struct uvs__symbol_cache {
    struct uvs__object **objects;
    struct uvs__symbol **symbols;
    size_t object_count, object_capacity, symbol_count, symbol_capacity;
    struct uvs__map by_address;
};

void uvs__symbol_cache_clear(struct uvs__symbol_cache *cache);

// Finds or adds. NULL without memory.
struct uvs__object *uvs__symbol_cache_object(struct uvs__symbol_cache *cache, const char *path,
                                             const char *build_id);

const struct uvs__symbol *uvs__symbol_cache_get(const struct uvs__symbol_cache *cache,
                                                const struct uvs__object *object, uint64_t address,
                                                bool is_return, uint8_t inliner);
// Takes the strings of `symbol` and makes its label. NULL without memory.
const struct uvs__symbol *uvs__symbol_cache_add(struct uvs__symbol_cache *cache,
                                                const struct uvs__symbol *symbol);

// What cannot be used in the file is left out; no file is no error. Negative only without memory.
int uvs__symbol_cache_load(struct uvs__symbol_cache *cache, const char *recording, struct uvs_error *error);
int uvs__symbol_cache_save(const struct uvs__symbol_cache *cache, const char *recording,
                           struct uvs_error *error);

#endif
