// SPDX-License-Identifier: MIT
// Which module of which process, then what is there.
#include "symbols.h"
#include "perf_map.h"
#include "recording.h"
#include "symbols_cache.h"
#include "symbols_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct module {
    uint32_t pid;
    uint64_t base, end, bias;
    struct uvs__object *object;
};

// The generated code of a process: its map, and the objects that stand for it in the cache, of which one may
// come from symbols.json without a map.
struct generated {
    struct generated *next;
    uint32_t pid;
    struct uvs__perf_map *map;
    struct uvs__object *script, *other;
};

struct uvs_symbols {
    char *recording; // NULL: none
    struct generated *generated;
    struct uvs__symbol_cache cache;
    struct uvs__namer *namer;
    struct module *modules; // by pid and base; none of a pid overlap
    size_t module_count, module_capacity;
};

int uvs_symbols_create(const char *recording, struct uvs_symbols **ret_symbols, struct uvs_error *error)
{
    struct uvs_symbols *symbols = calloc(1, sizeof(*symbols));
    if (!symbols || !(symbols->namer = uvs__namer_create())) {
        uvs_symbols_destroy(symbols);
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory");
    }
    symbols->recording = recording ? strdup(recording) : NULL;
    const int result = recording ? uvs__symbol_cache_load(&symbols->cache, recording, error) : 0;
    if (result < 0)
        uvs_symbols_destroy(symbols);
    else
        *ret_symbols = symbols;
    return result;
}

void uvs_symbols_destroy(struct uvs_symbols *symbols)
{
    if (!symbols)
        return;
    uvs__symbol_cache_clear(&symbols->cache);
    uvs__namer_destroy(symbols->namer);
    for (struct generated *generated = symbols->generated, *next; generated; generated = next) {
        next = generated->next;
        uvs__perf_map_destroy(generated->map);
        free(generated);
    }
    free(symbols->recording);
    free(symbols->modules);
    free(symbols);
}

// The first module that ends behind (pid, address).
static size_t lower_bound(const struct uvs_symbols *symbols, uint32_t pid, uint64_t address)
{
    size_t low = 0, high = symbols->module_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct module *module = &symbols->modules[middle];
        if (module->pid < pid || (module->pid == pid && module->end <= address))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_same(const struct module *module, const struct module *other)
{
    return module->pid == other->pid && module->base == other->base && module->end == other->end &&
           module->bias == other->bias;
}

static int replace(struct uvs_symbols *symbols, size_t at, size_t overlapped, const struct module *module)
{
    struct module *modules = uvs__grow(symbols->modules, symbols->module_count, &symbols->module_capacity,
                                       sizeof(*modules));
    if (!modules)
        return -UVS_E_ENVIRONMENT;
    symbols->modules = modules;
    memmove(&modules[at + 1], &modules[at + overlapped],
            (symbols->module_count - at - overlapped) * sizeof(*modules));
    modules[at] = *module;
    symbols->module_count += 1 - overlapped;
    return 0;
}

int uvs_symbols_add_module(struct uvs_symbols *symbols, uint32_t pid, uint64_t base, uint64_t size,
                           uint64_t bias, const char *build_id, const char *path)
{
    // A damaged trace may say anything: the end must not wrap.
    struct module module = {
        .pid = pid, .base = base, .end = size > UINT64_MAX - base ? UINT64_MAX : base + size, .bias = bias};
    if (size == 0 || !path[0])
        return 0;
    const size_t at = lower_bound(symbols, pid, base);
    if (at < symbols->module_count && is_same(&symbols->modules[at], &module) &&
        strcmp(symbols->modules[at].object->path, path) == 0 &&
        strcmp(symbols->modules[at].object->build_id, build_id) == 0)
        return 0;
    module.object = uvs__symbol_cache_object(&symbols->cache, path, build_id);
    if (!module.object)
        return -UVS_E_ENVIRONMENT;
    size_t overlapped = 0;
    while (at + overlapped < symbols->module_count && symbols->modules[at + overlapped].pid == pid &&
           symbols->modules[at + overlapped].base < module.end)
        overlapped++;
    return replace(symbols, at, overlapped, &module);
}

static const struct module *find_module(const struct uvs_symbols *symbols, uint32_t pid, uint64_t address)
{
    const size_t at = lower_bound(symbols, pid, address);
    const bool found = at < symbols->module_count && symbols->modules[at].pid == pid &&
                       symbols->modules[at].base <= address;
    return found ? &symbols->modules[at] : NULL;
}

// --- Generated code ---

static struct uvs__object *generated_object(struct uvs_symbols *symbols, const char *module, uint32_t pid)
{
    char name[32];
    snprintf(name, sizeof(name), "%s:%" PRIu32, module, pid);
    return uvs__symbol_cache_object(&symbols->cache, name, "");
}

// NULL without memory.
static struct generated *generated_of(struct uvs_symbols *symbols, uint32_t pid)
{
    for (struct generated *generated = symbols->generated; generated; generated = generated->next)
        if (generated->pid == pid)
            return generated;
    struct generated *generated = calloc(1, sizeof(*generated));
    char *path = NULL;
    if (!generated ||
        (symbols->recording && asprintf(&path, "%s/" UVS_RECORDING_PERF_MAP, symbols->recording, pid) < 0)) {
        free(generated);
        return NULL;
    }
    *generated = (struct generated){.next = symbols->generated,
                                    .pid = pid,
                                    .script = generated_object(symbols, UVS_SCRIPT_MODULE, pid),
                                    .other = generated_object(symbols, UVS_GENERATED_MODULE, pid)};
    symbols->generated = generated;
    if (path)
        uvs__perf_map_load(path, &generated->map);
    free(path);
    return generated;
}

static const struct uvs__symbol *cached_generated(const struct uvs_symbols *symbols,
                                                  const struct generated *generated, uint64_t address,
                                                  bool is_return)
{
    const struct uvs__symbol *symbol = uvs__symbol_cache_get(&symbols->cache, generated->script, address,
                                                             is_return, 0);
    return symbol ? symbol : uvs__symbol_cache_get(&symbols->cache, generated->other, address, is_return, 0);
}

// NULL: no generated code is known there.
static const struct uvs__symbol *look_up_generated(struct uvs_symbols *symbols, uint32_t pid,
                                                   uint64_t address, bool is_return)
{
    const struct generated *generated = generated_of(symbols, pid);
    if (!generated)
        return NULL;
    const struct uvs__symbol *known = cached_generated(symbols, generated, address, is_return);
    const char *name = known || !generated->map ? NULL
                                                : uvs__perf_map_find(generated->map, address - is_return);
    if (!name)
        return known;
    const struct uvs__script_place place = uvs__script_place(name);
    const struct uvs__symbol symbol = {
        .object = uvs__perf_map_is_script(generated->map) ? generated->script : generated->other,
        .address = address,
        .is_return = is_return,
        .function = place.function,
        .file = place.file,
        .line = place.line,
    };
    return uvs__symbol_cache_add(&symbols->cache, &symbol);
}

static const char *module_name(const struct uvs_symbols *symbols, const struct uvs__symbol *symbol)
{
    if (!symbol->object)
        return NULL;
    for (const struct generated *generated = symbols->generated; generated; generated = generated->next)
        if (symbol->object == generated->script || symbol->object == generated->other)
            return symbol->object == generated->script ? UVS_SCRIPT_MODULE : UVS_GENERATED_MODULE;
    return symbol->object->path;
}

static struct uvs__elf *elf_of(struct uvs__object *object)
{
    if (object && !object->tried) {
        object->elf = uvs__elf_open(object->path, object->build_id);
        object->tried = true;
    }
    return object ? object->elf : NULL;
}

static const struct uvs__symbol *keep(struct uvs_symbols *symbols, struct uvs__symbol symbol,
                                      const struct uvs__elf_place *place)
{
    symbol.function = place->function ? uvs__namer_name(symbols->namer, place->function) : NULL;
    symbol.file = place->file ? strdup(place->file) : NULL;
    symbol.line = place->line;
    return uvs__symbol_cache_add(&symbols->cache, &symbol);
}

static const struct uvs__symbol *look_up(struct uvs_symbols *symbols, struct uvs__object *object,
                                         uint64_t address, bool is_return)
{
    struct uvs__elf *elf = elf_of(object);
    const struct uvs__elf_place place = elf ? uvs__elf_find(elf, address, is_return)
                                            : (struct uvs__elf_place){0};
    return keep(symbols, (struct uvs__symbol){.object = object, .address = address, .is_return = is_return},
                &place);
}

static const struct uvs__symbol *look_up_inliner(struct uvs_symbols *symbols, struct uvs__object *object,
                                                 uint64_t address, uint8_t depth)
{
    struct uvs__elf *elf = elf_of(object);
    const struct uvs__elf_place place = elf ? uvs__elf_find_inliner(elf, address, depth)
                                            : (struct uvs__elf_place){0};
    if (!place.function)
        return NULL;
    return keep(
        symbols,
        (struct uvs__symbol){.object = object, .address = address, .is_return = true, .inliner = depth},
        &place);
}

static struct uvs_site site_of(const struct uvs_symbols *symbols, uint64_t address,
                               const struct uvs__symbol *symbol)
{
    return (struct uvs_site){.address = address,
                             .function = symbol->function,
                             .module = module_name(symbols, symbol),
                             .file = symbol->file,
                             .line = symbol->line,
                             .label = symbol->label};
}

int uvs_symbols_resolve_inliner(struct uvs_symbols *symbols, uint32_t pid, uint64_t address, unsigned depth,
                                struct uvs_site *ret_site)
{
    const struct module *module = find_module(symbols, pid, address - 1);
    if (!module || depth == 0 || depth > UINT8_MAX)
        return 0;
    const uint64_t own = address - module->bias;
    const struct uvs__symbol *symbol = uvs__symbol_cache_get(&symbols->cache, module->object, own, true,
                                                             (uint8_t)depth);
    if (!symbol)
        symbol = look_up_inliner(symbols, module->object, own, (uint8_t)depth);
    if (symbol)
        *ret_site = site_of(symbols, address, symbol);
    return symbol != NULL;
}

void uvs_symbols_resolve(struct uvs_symbols *symbols, uint32_t pid, uint64_t address, int is_return,
                         struct uvs_site *ret_site)
{
    static const struct uvs__symbol no_memory = {.label = (char *)"?"};
    // A call that never returns may be the last instruction: the address behind it belongs to the next
    // module.
    const struct module *module = find_module(symbols, pid, is_return ? address - 1 : address);
    struct uvs__object *object = module ? module->object : NULL;
    const uint64_t own = module ? address - module->bias : address;
    const struct uvs__symbol *symbol = object ? NULL : look_up_generated(symbols, pid, address, is_return);
    if (!symbol)
        symbol = uvs__symbol_cache_get(&symbols->cache, object, own, is_return, 0);
    if (!symbol)
        symbol = look_up(symbols, object, own, is_return);
    if (!symbol)
        symbol = &no_memory;
    *ret_site = site_of(symbols, address, symbol);
}

int uvs_symbols_save(struct uvs_symbols *symbols, const char *recording, struct uvs_error *error)
{
    return uvs__symbol_cache_save(&symbols->cache, recording, error);
}
