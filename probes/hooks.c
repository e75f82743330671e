// SPDX-License-Identifier: MIT
// Finds the functions behind the wrappers.
#include "probes/hooks.h"

#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "probes/entries.h"
#include "probes/object.h"
#include "probes/runtime.h"

#include "probes/poison.h"

struct uvs__copy uvs__copies[UVS_COPY_COUNT];
struct uvs__functions_libc uvs__real_libc;

#define HOOKED(function, ...)                                                                         \
    {#function,                                                                                       \
     {(void *)&uvs__wrap0_##function, (void *)&uvs__wrap1_##function, (void *)&uvs__wrap2_##function, \
      (void *)&uvs__wrap3_##function},                                                                \
     offsetof(struct uvs__functions, function)},
#define BORROWED(function, ...) {#function, {NULL}, offsetof(struct uvs__functions, function)},
const struct uvs__hook uvs__libuv_hooks[UVS_LIBUV_HOOK_COUNT] = {
    UVS_HOOK_UV_MAP(HOOKED) UVS_HOOK_FS_MAP(HOOKED) UVS_BORROWED_UV_MAP(BORROWED)};

static bool resolved;
bool uvs__leaves_handles;

// Every thread that comes here at the same time stores the same values.
static void resolve(void *scope, const char *name, void **ret_real)
{
    __atomic_store_n(ret_real, dlsym(scope, name), __ATOMIC_RELAXED);
}

UVS__APART void uvs__resolve_libc(void)
{
#define X(function) resolve(RTLD_NEXT, #function, (void **)&uvs__real_libc.function);
    UVS_HOOK_LIBC_MAP(X)
#undef X
    dlerror();
}

struct nth_object {
    size_t wanted, at;
    char path[4096];
};

static int copy_nth_path(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    struct nth_object *object = data;
    if (object->at++ != object->wanted)
        return 0;
    strncpy(object->path, info->dlpi_name ? info->dlpi_name : "", sizeof(object->path) - 1);
    return 1;
}

// A libuv that came by dlopen(RTLD_LOCAL), for instance with a Python extension, is not in the scope of
// RTLD_NEXT, but its users are bound to our wrappers all the same. Ask each object for the libuv it sees. One
// at a time: dlopen inside dl_iterate_phdr would take the loader's locks in the wrong order.
static void *find_local_libuv(void)
{
    struct nth_object object = {.wanted = 0};
    for (; dl_iterate_phdr(copy_nth_path, &object); object.wanted++, object.at = 0) {
        void *handle = object.path[0] ? dlopen(object.path, RTLD_LAZY | RTLD_NOLOAD | RTLD_LOCAL) : NULL;
        if (!handle)
            continue;
        void *run = dlsym(handle, "uv_run");
        if (run && run != (void *)&uvs__wrap0_uv_run)
            return handle;
        dlclose(handle);
    }
    return NULL;
}

// --- Resolving ---

void uvs__set_resolved(void)
{
    __atomic_store_n(&resolved, true, __ATOMIC_RELEASE);
}

UVS__APART bool uvs__resolve_libuv(void)
{
    if (__atomic_load_n(&resolved, __ATOMIC_ACQUIRE))
        return true;
    void *scope = dlsym(RTLD_NEXT, "uv_run") ? RTLD_NEXT : find_local_libuv();
    dlerror();
    if (!scope)
        return false;
    struct uvs__copy *copy = &uvs__copies[0];
    struct uvs__object object;
    bool readable = uvs__object_of(dlsym(scope, "uv_run"), &object);
    copy->own_begin = object.begin;
    copy->own_size = object.end - object.begin;
    for (size_t i = 0; i < UVS_LIBUV_HOOK_COUNT; i++)
        resolve(scope, uvs__libuv_hooks[i].name, uvs__real_of(&uvs__libuv_hooks[i], copy));
    dlerror();
    copy->is_hooked = true;
    // Only if it calls its own lock through a slot does the hand-off to the pool come by our wrapper.
    if (readable && !uvs__calls_by_slot(&object, "uv_mutex_lock"))
        uvs__patch_entries();
    uvs__set_resolved();
    return true;
}
