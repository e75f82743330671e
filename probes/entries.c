// SPDX-License-Identifier: MIT
// Which functions are patched, and what must be proved before.
#include "probes/entries.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "probes/hooks.h"
#include "probes/named.h"
#include "probes/object.h"
#include "probes/patch.h"
#include "probes/runtime.h"

#include "probes/poison.h"

enum { OLDEST_VERSION = 0x012c00, NEXT_MAJOR = 0x020000, LOOP_SIZE_SLACK = 4096 };

// Known only of functions that are not exported.
static size_t named_sizes[UVS_LIBUV_HOOK_COUNT];

struct patcher {
    void *object; // needed for a moment only
    uvs_patch_functions_t *patch_functions;
    uvs_constant_of_t *constant_of;
};

static bool open_patcher(struct patcher *patcher)
{
#ifdef UVS_CAN_PATCH
    patcher->object = uvs__open_beside("libuvscope-patcher.so", NULL);
    if (!patcher->object)
        return false;
    patcher->patch_functions = (uvs_patch_functions_t *)dlsym(patcher->object, "uvs_patch_functions");
    patcher->constant_of = (uvs_constant_of_t *)dlsym(patcher->object, "uvs_constant_of");
    return patcher->patch_functions && patcher->constant_of;
#else
    (void)patcher;
    uvs__debug("a libuv that calls itself directly is not hooked yet on this processor");
    return false;
#endif
}

static void close_patcher(struct patcher *patcher)
{
    if (patcher->object)
        dlclose(patcher->object);
}

static bool is_single_threaded(void)
{
    struct stat tasks;
    return stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink == 3; // ., .. and one thread
}

static void note_unhooked(const char *name, const char *why)
{
    uvs__debug("%s is not hooked: %s", name, why);
    size_t used = strlen(uvs__unhooked);
    snprintf(uvs__unhooked + used, sizeof(uvs__unhooked) - used, "%s%s", used ? " " : "", name);
}

static size_t size_of(size_t index, const struct uvs__object *object)
{
    const struct uvs__hook *hook = &uvs__libuv_hooks[index];
    if (named_sizes[index])
        return named_sizes[index];
    if (object->gnu_hash)
        return uvs__exported_size(object, hook->name);
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    if (!dladdr1(*hook->real, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol ||
        info.dli_saddr != *hook->real)
        return 0;
    return symbol->st_size;
}

static void patch_all(uvs_patch_functions_t *patch_functions)
{
    static struct uvs_patch patches[UVS_LIBUV_HOOK_COUNT]; // too large for an unknown stack
    struct uvs__object object;
    size_t count = 0;
    uvs__object_of((void *)uvs__real.uv_run, &object);
    for (size_t i = 0; i < UVS_LIBUV_HOOK_COUNT; i++) {
        const struct uvs__hook *hook = &uvs__libuv_hooks[i];
        if (hook->wrapper && *hook->real)
            patches[count++] = (struct uvs_patch){.name = hook->name,
                                                  .target = *hook->real,
                                                  .size = size_of(i, &object),
                                                  .wrapper = hook->wrapper,
                                                  .real = hook->real};
    }
    patch_functions(patches, count);
    for (size_t i = 0; i < count; i++)
        if (patches[i].refused)
            note_unhooked(patches[i].name, patches[i].refused);
    uvs__hook_mode = UVS_HOOKS_PATCHED;
}

static bool patch_with(const struct patcher *patcher)
{
    if (!is_single_threaded()) {
        note_unhooked("all", "threads are running already");
        return false;
    }
    patch_all(patcher->patch_functions);
    return true;
}

bool uvs__patch_entries(void)
{
    struct patcher patcher = {0};
    bool patched = open_patcher(&patcher) && patch_with(&patcher);
    close_patcher(&patcher);
    return patched;
}

// --- In the executable ---

static bool find_exported(void)
{
    void *run = dlsym(RTLD_DEFAULT, "uv_run");
    bool found = run && run != (void *)&uvs__wrap_uv_run;
    for (size_t i = 0; found && i < UVS_LIBUV_HOOK_COUNT; i++) {
        const struct uvs__hook *hook = &uvs__libuv_hooks[i];
        void *function = dlsym(RTLD_DEFAULT, hook->name);
        // What the executable does not have, the search finds here.
        *hook->real = function == hook->wrapper ? NULL : function;
    }
    dlerror();
    return found;
}

static void forget(void)
{
    for (size_t i = 0; i < UVS_LIBUV_HOOK_COUNT; i++)
        *uvs__libuv_hooks[i].real = NULL;
}

// The wrappers call these without asking whether they are there: linkers drop what a program does not use.
static bool is_complete(bool exported)
{
    for (size_t i = 0; i < UVS_LIBUV_HOOK_COUNT; i++) {
        const struct uvs__hook *hook = &uvs__libuv_hooks[i];
        bool is_proof = hook->real == (void **)&uvs__real.uv_version ||
                        hook->real == (void **)&uvs__real.uv_loop_size;
        if (hook->wrapper || *hook->real || (is_proof && !exported))
            continue;
        uvs__debug("the libuv in the executable is not hooked: it has no %s", hook->name);
        return false;
    }
    return true;
}

// Some programs export stand-ins that only abort, to satisfy native addons: nothing of the kind may be
// called. Real ones return constants, which can be read from their code.
static bool is_really_libuv(uvs_constant_of_t *constant_of)
{
    const void *version_of = (void *)uvs__real.uv_version, *size_of_loop = (void *)uvs__real.uv_loop_size;
    int64_t version = version_of ? constant_of(version_of) : OLDEST_VERSION;
    int64_t loop_size = size_of_loop ? constant_of(size_of_loop) : (int64_t)sizeof(uv_loop_t);
    bool is_libuv = version >= OLDEST_VERSION && version < NEXT_MAJOR &&
                    loop_size >= (int64_t)sizeof(uv_loop_t) &&
                    loop_size < (int64_t)sizeof(uv_loop_t) + LOOP_SIZE_SLACK;
    uvs__debug("libuv in the executable: version %#llx, loop of %lld bytes%s",
               version_of ? (long long)version : 0, (long long)loop_size,
               is_libuv ? "" : ": not hooked, it is none, or not one that is known");
    return is_libuv;
}

bool uvs__hook_executable(void)
{
    bool exported = find_exported();
    if (!exported && !uvs__find_named(named_sizes))
        return false;
    struct patcher patcher = {0};
    bool hooked = open_patcher(&patcher) && is_really_libuv(patcher.constant_of) && is_complete(exported) &&
                  patch_with(&patcher);
    close_patcher(&patcher);
    if (hooked)
        uvs__set_resolved();
    else
        forget();
    return hooked;
}
