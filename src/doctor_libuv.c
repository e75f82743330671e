// SPDX-License-Identifier: MIT
// Which libuv a program calls, and how the runtime would take its functions over.
#include "doctor.h"

#include "elf_file.h"
#include "needed_objects.h"
#include "../probes/patch.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HOOKS_MAX = 200,
    OLDEST_VERSION = 0x012c00, // 1.44.0, what the runtime is made for
    END_OF_VERSIONS = 0x020000,
};

#define PATCHER_FILE "libuvscope-patcher.so"

// --- Where it is ---

struct place {
    char object[PATH_MAX];
    bool is_executable, is_hidden; // hidden: in .symtab only
};

static bool image_has_run(const char *path, enum uvs_elf_table table)
{
    struct uvs_elf_image image;
    struct uvs_elf_function run;
    if (!uvs__elf_map(path, &image))
        return false;
    bool has = uvs__elf_function(&image, table, "uv_run", &run);
    uvs__elf_unmap(&image);
    return has;
}

static bool exports_run(const char *name __attribute__((unused)), const char *path, void *data)
{
    struct place *place = data;
    if (!path || !image_has_run(path, UVS_ELF_EXPORTED))
        return false;
    snprintf(place->object, sizeof(place->object), "%s", path);
    return true;
}

static bool find_place(const char *binary, struct place *ret_place)
{
    *ret_place = (struct place){.is_executable = image_has_run(binary, UVS_ELF_EXPORTED)};
    if (!ret_place->is_executable && uvs__each_object(binary, exports_run, ret_place))
        return true;
    snprintf(ret_place->object, sizeof(ret_place->object), "%s", binary);
    ret_place->is_hidden = !ret_place->is_executable && image_has_run(binary, UVS_ELF_ALL);
    return ret_place->is_executable || ret_place->is_hidden;
}

// --- What the patcher would do, tried on a private copy ---

struct trial {
    enum uvs_elf_table table;
    struct uvs_elf_image copy;
    struct uvs_patch patches[HOOKS_MAX];
    void *real[HOOKS_MAX];
    size_t count, refused;
    char names[512]; // of the refused
    int64_t version; // -1: it cannot be read from the code
};

// A function that the runtime exports is one that it hooks.
static bool add_hook(const struct uvs_elf_function *hook, void *data)
{
    struct trial *trial = data;
    struct uvs_elf_function function;
    if (strncmp(hook->name, "uv_", 3) != 0 ||
        !uvs__elf_function(&trial->copy, trial->table, hook->name, &function))
        return false;
    size_t at = trial->count++;
    // The wrapper is never called: nobody runs the copy.
    trial->patches[at] = (struct uvs_patch){.name = function.name,
                                            .target = function.code,
                                            .size = function.size,
                                            .wrapper = function.code,
                                            .real = &trial->real[at]};
    return trial->count == HOOKS_MAX;
}

static void note_refused(struct trial *trial)
{
    size_t used = 0;
    for (size_t i = 0; i < trial->count; i++) {
        const struct uvs_patch *patch = &trial->patches[i];
        if (!patch->refused)
            continue;
        trial->refused++;
        if (used < sizeof(trial->names))
            used += (size_t)snprintf(trial->names + used, sizeof(trial->names) - used, "%s%s (%s)",
                                     used ? ", " : "", patch->name, patch->refused);
    }
}

static void try_patching(struct trial *trial, const char *runtime, uvs_patch_functions_t *patch_functions)
{
    struct uvs_elf_image hooks;
    if (!uvs__elf_map(runtime, &hooks))
        return;
    uvs__elf_functions(&hooks, UVS_ELF_EXPORTED, add_hook, trial);
    uvs__elf_unmap(&hooks);
    if (trial->count)
        patch_functions(trial->patches, trial->count);
    note_refused(trial);
}

static int64_t read_version(const struct trial *trial, uvs_constant_of_t *constant_of)
{
    struct uvs_elf_function version;
    if (!uvs__elf_function(&trial->copy, trial->table, "uv_version", &version))
        return -1;
    return constant_of(version.code);
}

// False when the patcher cannot be loaded or the file not be read.
static bool try_on(const struct uvs_checkup *checkup, const char *object, bool patch, struct trial *trial)
{
    char path[PATH_MAX];
    uvs__beside_runtime(checkup, PATCHER_FILE, path);
    void *patcher = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!patcher)
        return false;
    uvs_constant_of_t *constant_of = (uvs_constant_of_t *)dlsym(patcher, "uvs_constant_of");
    uvs_patch_functions_t *patch_functions = (uvs_patch_functions_t *)dlsym(patcher, "uvs_patch_functions");
    bool ready = constant_of && patch_functions && uvs__elf_map(object, &trial->copy);
    if (ready) {
        trial->version = read_version(trial, constant_of);
        if (patch)
            try_patching(trial, checkup->runtime, patch_functions);
    }
    return ready;
}

// --- Saying it ---

static void say_version(struct uvs_checkup *checkup, int64_t version)
{
    if (version < 0)
        return;
    unsigned major = (unsigned)(version >> 16), minor = (unsigned)(version >> 8) & 0xff,
             patch = (unsigned)version & 0xff;
    if (version >= OLDEST_VERSION && version < END_OF_VERSIONS)
        uvs__checkup_add(checkup, UVS_HEALTH_OK, "libuv-version", "libuv is %u.%u.%u", major, minor, patch);
    else
        uvs__checkup_remedy(uvs__checkup_add(checkup, UVS_HEALTH_WARNING, "libuv-version",
                                             "libuv is %u.%u.%u, and uvscope is made for 1.44 and later 1.x",
                                             major, minor, patch),
                            "use a newer libuv");
}

static void say_patched(struct uvs_checkup *checkup, const struct trial *trial)
{
    if (trial->refused == 0) {
        uvs__checkup_add(checkup, UVS_HEALTH_OK, "hooks", "all %zu functions can be hooked at their entries",
                         trial->count);
        return;
    }
    bool none = trial->refused == trial->count;
    uvs__checkup_remedy(uvs__checkup_add(checkup, none ? UVS_HEALTH_PROBLEM : UVS_HEALTH_WARNING, "hooks",
                                         "%zu of %zu functions cannot be hooked, and what they do is not "
                                         "seen: %s",
                                         trial->refused, trial->count, trial->names),
                        "link the program with the shared libuv");
}

// Linkers drop what a program does not use. True: the runtime leaves this libuv alone, and why was said.
static bool say_incomplete(struct uvs_checkup *checkup, const struct place *place, const struct trial *trial)
{
    static const char *const needed[] = {
#define X(function) #function,
        UVS_BORROWED_UV_MAP(X)
#undef X
    };
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        struct uvs_elf_function function;
        // These two only prove that an exported libuv is one.
        bool is_proof = strcmp(needed[i], "uv_version") == 0 || strcmp(needed[i], "uv_loop_size") == 0;
        if ((is_proof && trial->table == UVS_ELF_ALL) ||
            uvs__elf_function(&trial->copy, trial->table, needed[i], &function))
            continue;
        uvs__checkup_remedy(uvs__checkup_add(checkup, UVS_HEALTH_PROBLEM, "libuv",
                                             "libuv is linked into %s, but without %s, which the runtime "
                                             "calls: it is left alone",
                                             place->object, needed[i]),
                            "link the program with the shared libuv, or with the whole of libuv");
        return true;
    }
    return false;
}

static void say_executable(struct uvs_checkup *checkup, const struct place *place, const struct trial *trial)
{
    if (trial->version < OLDEST_VERSION || trial->version >= END_OF_VERSIONS) {
        uvs__checkup_remedy(
            uvs__checkup_add(checkup, UVS_HEALTH_PROBLEM, "libuv",
                             "%s exports functions of libuv's names, but not those of a libuv "
                             "1.44 or later (some programs export stand-ins): they are left "
                             "alone",
                             place->object),
            "use a build of the program that loads the shared libuv");
        return;
    }
    if (say_incomplete(checkup, place, trial))
        return;
    uvs__checkup_add(checkup, UVS_HEALTH_OK, "libuv",
                     "libuv is linked into %s, which exports it: its functions are hooked at their entries",
                     place->object);
    say_version(checkup, trial->version);
    say_patched(checkup, trial);
}

// The linker drops uv_version where the program does not call it.
static void say_hidden(struct uvs_checkup *checkup, const struct place *place, const struct trial *trial)
{
    char build_id[UVS_ELF_BUILD_ID_TEXT];
    if (!uvs__elf_build_id(&trial->copy, build_id)) {
        uvs__checkup_remedy(uvs__checkup_add(checkup, UVS_HEALTH_PROBLEM, "libuv",
                                             "libuv is linked into %s, which neither exports it nor has a "
                                             "build id to know it by: it cannot be hooked",
                                             place->object),
                            "link it with -Wl,--build-id, or with -Wl,--export-dynamic");
        return;
    }
    if (say_incomplete(checkup, place, trial))
        return;
    uvs__checkup_add(checkup, UVS_HEALTH_OK, "libuv",
                     "libuv is linked into %s, which does not export it: record finds its functions in the "
                     "symbol table, and they are hooked at their entries",
                     place->object);
    say_version(checkup, trial->version);
    say_patched(checkup, trial);
}

static void say_shared(struct uvs_checkup *checkup, const struct place *place, const struct trial *trial,
                       bool by_slot)
{
    uvs__checkup_add(checkup, UVS_HEALTH_OK, "libuv", "libuv is shared, %s, and %s", place->object,
                     by_slot ? "calls its own functions through the dynamic linker: all are hooked there"
                             : "calls its own functions directly (-Bsymbolic): they are hooked at their "
                               "entries");
    say_version(checkup, trial->version);
    if (!by_slot)
        say_patched(checkup, trial);
}

static void say_elsewhere(struct uvs_checkup *checkup, const struct place *place)
{
    uvs__checkup_remedy(uvs__checkup_add(checkup, UVS_HEALTH_PROBLEM, "libuv",
                                         "libuv is in %s and calls itself directly, and " UVS_CANNOT_PATCH,
                                         place->object),
                        "use a build of the program that loads a shared libuv such as Debian's");
}

static bool calls_itself_by_slot(const char *object)
{
    struct uvs_elf_image image;
    if (!uvs__elf_map(object, &image))
        return false;
    bool has = uvs__elf_has_slot(&image, "uv_mutex_lock");
    uvs__elf_unmap(&image);
    return has;
}

static void examine(struct uvs_checkup *checkup, const struct place *place)
{
    struct trial *trial = calloc(1, sizeof(*trial));
    bool by_slot = !place->is_executable && !place->is_hidden && calls_itself_by_slot(place->object);
    if (!by_slot && !UVS_CAN_PATCH) {
        say_elsewhere(checkup, place);
        free(trial);
        return;
    }
    if (trial && place->is_hidden)
        trial->table = UVS_ELF_ALL;
    if (!trial || !try_on(checkup, place->object, !by_slot, trial)) {
        if (by_slot)
            say_shared(checkup, place, &(struct trial){.version = -1}, true);
        else
            uvs__checkup_remedy(uvs__checkup_add(checkup, UVS_HEALTH_PROBLEM, "libuv",
                                                 "libuv is in %s and must be hooked at the entries of its "
                                                 "functions, for which " PATCHER_FILE " is missing",
                                                 place->object),
                                "install uvscope again");
    } else if (place->is_hidden) {
        say_hidden(checkup, place, trial);
    } else if (place->is_executable) {
        say_executable(checkup, place, trial);
    } else {
        say_shared(checkup, place, trial, by_slot);
    }
    if (trial)
        uvs__elf_unmap(&trial->copy);
    free(trial);
}

// --- Further copies ---

struct search {
    struct uvs_checkup *checkup;
    const char *first; // the object that was examined already
    bool found;
};

// One that is not exported.
static bool examine_further(const char *name __attribute__((unused)), const char *path, void *data)
{
    struct search *search = data;
    if (!path || strcmp(path, search->first) == 0 || image_has_run(path, UVS_ELF_EXPORTED) ||
        !image_has_run(path, UVS_ELF_ALL))
        return false;
    struct place place = {.is_hidden = true};
    snprintf(place.object, sizeof(place.object), "%s", path);
    search->found = true;
    if (search->checkup->runtime[0])
        examine(search->checkup, &place);
    return false;
}

void uvs__doctor_libuv(struct uvs_checkup *checkup, const char *binary)
{
    struct place place;
    bool found = find_place(binary, &place);
    if (found && checkup->runtime[0])
        examine(checkup, &place);
    struct search search = {.checkup = checkup, .first = found ? place.object : "", .found = found};
    examine_further(binary, binary, &search);
    uvs__each_object(binary, examine_further, &search);
    if (!search.found)
        uvs__checkup_remedy(uvs__checkup_add(checkup, UVS_HEALTH_WARNING, "libuv",
                                             "%s does not use libuv itself; a plug-in or a child of it may",
                                             binary),
                            "record it and see; a plug-in with a libuv of its own inside needs record "
                            "--plugin; UVSCOPE_DEBUG=1 tells what is hooked");
}
