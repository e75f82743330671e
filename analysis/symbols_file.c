// SPDX-License-Identifier: MIT
// symbols.json: {"schema": 1, "objects": [{"path", "build_id", "symbols": [{"address", "return", "inliner",
// "function", "file", "line"}]}]}. Whatever does not fit is left out: the file only saves work and keeps what
// a later build loses.
#include "symbols_cache.h"
#include "json_file.h"
#include "recording.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SYMBOLS_SCHEMA = 1, FILE_MAX = 16 << 20, TEXT_MAX = 16384 };

static const char *get_text(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) && json_string_length(value) <= TEXT_MAX ? json_string_value(value) : NULL;
}

static int add_symbol(struct uvs__symbol_cache *cache, const struct uvs__object *object, const json_t *entry)
{
    const char *address = get_text(entry, "address"), *function = get_text(entry, "function"),
               *file = get_text(entry, "file");
    const json_int_t line = json_integer_value(json_object_get(entry, "line")),
                     inliner = json_integer_value(json_object_get(entry, "inliner"));
    struct uvs__symbol symbol = {.object = object,
                                 .is_return = json_is_true(json_object_get(entry, "return"))};
    char *end;
    if (!address || !function)
        return 0;
    symbol.address = strtoull(address, &end, 16);
    symbol.inliner = inliner > 0 && inliner <= UINT8_MAX ? (uint8_t)inliner : 0;
    if (*end || uvs__symbol_cache_get(cache, object, symbol.address, symbol.is_return, symbol.inliner))
        return 0;
    symbol.function = strdup(function);
    symbol.file = file ? strdup(file) : NULL;
    symbol.line = line > 0 && line <= INT_MAX ? (int)line : 0;
    return uvs__symbol_cache_add(cache, &symbol) ? 0 : -1;
}

static int add_object(struct uvs__symbol_cache *cache, const json_t *entry)
{
    const char *path = get_text(entry, "path"), *build_id = get_text(entry, "build_id");
    const json_t *symbols = json_object_get(entry, "symbols");
    if (!path || !build_id || !json_is_array(symbols))
        return 0;
    struct uvs__object *object = uvs__symbol_cache_object(cache, path, build_id);
    int result = object ? 0 : -1;
    for (size_t i = 0; result == 0 && i < json_array_size(symbols); i++)
        result = add_symbol(cache, object, json_array_get(symbols, i));
    return result;
}

int uvs__symbol_cache_load(struct uvs__symbol_cache *cache, const char *recording, struct uvs_error *error)
{
    char *path;
    if (asprintf(&path, "%s/" UVS_RECORDING_SYMBOLS, recording) < 0)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory");
    json_t *root = NULL;
    const int found = uvs__json_load(path, FILE_MAX, &root, NULL);
    free(path);
    if (found <= 0)
        return 0;
    const json_t *objects = json_object_get(root, "objects");
    int result = 0;
    if (json_integer_value(json_object_get(root, "schema")) == SYMBOLS_SCHEMA)
        for (size_t i = 0; result == 0 && i < json_array_size(objects); i++)
            result = add_object(cache, json_array_get(objects, i));
    json_decref(root);
    return result < 0 ? uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory") : 0;
}

static json_t *symbol_to_json(const struct uvs__symbol *symbol)
{
    char address[32];
    snprintf(address, sizeof(address), "0x%" PRIx64, symbol->address);
    return json_pack("{s:s, s:b, s:i, s:o, s:o, s:i}", "address", address, "return", symbol->is_return,
                     "inliner", symbol->inliner, "function", uvs__json_text(symbol->function), "file",
                     uvs__json_text(symbol->file), "line", symbol->line);
}

static json_t *symbols_to_json(const struct uvs__symbol_cache *cache, const struct uvs__object *object)
{
    json_t *symbols = json_array();
    for (size_t i = 0; i < cache->symbol_count; i++) {
        const struct uvs__symbol *symbol = cache->symbols[i];
        // An address without a name may get one later, from debug information installed by then.
        if (symbol->object == object && symbol->function)
            json_array_append_new(symbols, symbol_to_json(symbol));
    }
    return symbols;
}

static json_t *objects_to_json(const struct uvs__symbol_cache *cache)
{
    json_t *objects = json_array();
    for (size_t i = 0; i < cache->object_count; i++) {
        json_t *symbols = symbols_to_json(cache, cache->objects[i]);
        if (json_array_size(symbols) == 0) {
            json_decref(symbols);
            continue;
        }
        json_array_append_new(
            objects, json_pack("{s:o, s:o, s:o}", "path", uvs__json_text(cache->objects[i]->path), "build_id",
                               uvs__json_text(cache->objects[i]->build_id), "symbols", symbols));
    }
    return objects;
}

int uvs__symbol_cache_save(const struct uvs__symbol_cache *cache, const char *recording,
                           struct uvs_error *error)
{
    json_t *root = json_pack("{s:i, s:o}", "schema", SYMBOLS_SCHEMA, "objects", objects_to_json(cache));
    if (!root)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory");
    const int result = uvs__json_save(recording, UVS_RECORDING_SYMBOLS, root, error);
    json_decref(root);
    return result;
}
