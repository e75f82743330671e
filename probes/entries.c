// SPDX-License-Identifier: MIT
// Which functions are patched, and what must be proved before.
#include "probes/entries.h"

#include <dlfcn.h>
#include <stddef.h>
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

static bool is_code_new; // what is to be patched was loaded a moment ago

struct patcher {
    void *object; // needed for a moment only
    uvs_patch_functions_t *patch_functions;
    uvs_constant_of_t *constant_of;
};

static bool open_patcher(struct patcher *patcher)
{
#if UVS_CAN_PATCH
    patcher->object = uvs__open_beside("libuvscope-patcher.so", NULL);
    if (!patcher->object)
        return false;
    patcher->patch_functions = (uvs_patch_functions_t *)dlsym(patcher->object, "uvs_patch_functions");
    patcher->constant_of = (uvs_constant_of_t *)dlsym(patcher->object, "uvs_constant_of");
    return patcher->patch_functions && patcher->constant_of;
#else
    (void)patcher;
    uvs__debug("a libuv that calls itself directly is not hooked: " UVS_CANNOT_PATCH);
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

static void note_unhooked(struct uvs__copy *copy, const char *name, const char *why)
{
    uvs__debug("%s is not hooked: %s", name, why);
    size_t used = strlen(copy->unhooked);
    snprintf(copy->unhooked + used, sizeof(copy->unhooked) - used, "%s%s", used ? " " : "", name);
}

static size_t exported_size(const char *name, const void *function, const struct uvs__object *object)
{
    if (object->gnu_hash)
        return uvs__exported_size(object, name);
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    if (!dladdr1(function, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol || info.dli_saddr != function)
        return 0;
    return symbol->st_size;
}

// sizes: of the functions, in the order of uvs__libuv_hooks; NULL: they are exported, and tell.
static void patch_all(uvs_patch_functions_t *patch_functions, struct uvs__copy *copy, const size_t *sizes)
{
    static struct uvs_patch patches[UVS_LIBUV_HOOK_COUNT]; // too large for an unknown stack
    struct uvs__object object;
    size_t count = 0;
    uvs__object_of((void *)copy->real.uv_run, &object);
    for (size_t i = 0; i < UVS_LIBUV_HOOK_COUNT; i++) {
        const struct uvs__hook *hook = &uvs__libuv_hooks[i];
        void *wrapper = hook->wrappers[copy - uvs__copies], **real = uvs__real_of(hook, copy);
        if (wrapper && *real)
            patches[count++] = (struct uvs_patch){.name = hook->name,
                                                  .target = *real,
                                                  .size = sizes ? sizes[i]
                                                                : exported_size(hook->name, *real, &object),
                                                  .wrapper = wrapper,
                                                  .real = real};
    }
    patch_functions(patches, count);
    for (size_t i = 0; i < count; i++)
        if (patches[i].refused)
            note_unhooked(copy, patches[i].name, patches[i].refused);
    copy->mode = UVS_HOOKS_PATCHED;
}

static bool patch_with(const struct patcher *patcher, struct uvs__copy *copy, const size_t *sizes)
{
    if (!is_code_new && !is_single_threaded()) {
        note_unhooked(copy, "all", "threads are running already");
        return false;
    }
    patch_all(patcher->patch_functions, copy, sizes);
    return true;
}

bool uvs__patch_entries(void)
{
    struct patcher patcher = {0};
    bool patched = open_patcher(&patcher) && patch_with(&patcher, &uvs__copies[0], NULL);
    close_patcher(&patcher);
    return patched;
}

// --- One that is proved first ---

static void forget(struct uvs__copy *copy)
{
    for (size_t i = 0; i < UVS_LIBUV_HOOK_COUNT; i++)
        *uvs__real_of(&uvs__libuv_hooks[i], copy) = NULL;
    copy->object[0] = '\0';
}

static const char *place_of(const struct uvs__copy *copy)
{
    return copy->object[0] ? copy->object : "the executable";
}

// The wrappers call these without asking whether they are there: linkers drop what a program does not use.
static bool is_complete(struct uvs__copy *copy, bool exported)
{
    for (size_t i = 0; i < UVS_LIBUV_HOOK_COUNT; i++) {
        const struct uvs__hook *hook = &uvs__libuv_hooks[i];
        bool is_proof = hook->real == offsetof(struct uvs__functions, uv_version) ||
                        hook->real == offsetof(struct uvs__functions, uv_loop_size);
        if (hook->wrappers[0] || *uvs__real_of(hook, copy) || (is_proof && !exported))
            continue;
        uvs__debug("the libuv in %s is not hooked: it has no %s", place_of(copy), hook->name);
        return false;
    }
    return true;
}

// Some programs export stand-ins that only abort, to satisfy native addons: nothing of the kind may be
// called. Real ones return constants, which can be read from their code.
static bool is_really_libuv(const struct uvs__copy *copy, uvs_constant_of_t *constant_of)
{
    const void *version_of = (void *)copy->real.uv_version, *size_of_loop = (void *)copy->real.uv_loop_size;
    int64_t version = version_of ? constant_of(version_of) : OLDEST_VERSION;
    int64_t loop_size = size_of_loop ? constant_of(size_of_loop) : (int64_t)sizeof(uv_loop_t);
    bool is_libuv = version >= OLDEST_VERSION && version < NEXT_MAJOR &&
                    loop_size >= (int64_t)sizeof(uv_loop_t) &&
                    loop_size < (int64_t)sizeof(uv_loop_t) + LOOP_SIZE_SLACK;
    uvs__debug("libuv in %s: version %#llx, loop of %lld bytes%s", place_of(copy),
               version_of ? (long long)version : 0, (long long)loop_size,
               is_libuv ? "" : ": not hooked, it is none, or not one that is known");
    return is_libuv;
}

static bool hook_proved(struct uvs__copy *copy, const size_t *sizes)
{
    struct patcher patcher = {0};
    copy->entry = (uintptr_t)copy->real.uv_run;
    copy->is_hooked = open_patcher(&patcher) && is_really_libuv(copy, patcher.constant_of) &&
                      is_complete(copy, !sizes) && patch_with(&patcher, copy, sizes);
    close_patcher(&patcher);
    if (!copy->is_hooked)
        forget(copy);
    else if (copy == &uvs__copies[0])
        uvs__set_resolved();
    return copy->is_hooked;
}

// --- Exported by the executable ---

static bool find_exported(struct uvs__copy *copy)
{
    void *run = dlsym(RTLD_DEFAULT, "uv_run");
    bool found = run && run != (void *)&uvs__wrap0_uv_run;
    for (size_t i = 0; found && i < UVS_LIBUV_HOOK_COUNT; i++) {
        const struct uvs__hook *hook = &uvs__libuv_hooks[i];
        void *function = dlsym(RTLD_DEFAULT, hook->name);
        // What the executable does not have, the search finds here.
        *uvs__real_of(hook, copy) = function == hook->wrappers[0] ? NULL : function;
    }
    dlerror();
    return found;
}

bool uvs__hook_executable(void)
{
    return find_exported(&uvs__copies[0]) && hook_proved(&uvs__copies[0], NULL);
}

// --- Not exported ---

bool uvs__hook_named(void)
{
    return uvs__each_named(0, hook_proved) > 0;
}

// It stays loaded: handles may hold our trampolines, and its code jumps to us.
static bool hook_and_pin(struct uvs__copy *copy, const size_t *sizes)
{
    return hook_proved(copy, sizes) && dlopen(copy->object, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

void uvs__hook_late(size_t first)
{
    is_code_new = true;
    if (uvs__each_named(first, hook_and_pin) > 0)
        uvs__announce_again();
    is_code_new = false;
}
