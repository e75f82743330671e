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

struct uvs__real uvs__real;

#define HOOKED(function, ...)   {#function, (void *)&uvs__wrap_##function, (void **)&uvs__real.function},
#define BORROWED(function, ...) {#function, NULL, (void **)&uvs__real.function},
const struct uvs__hook uvs__libuv_hooks[UVS_LIBUV_HOOK_COUNT] = {
    UVS_HOOK_UV_MAP(HOOKED) UVS_HOOK_FS_MAP(HOOKED) UVS_BORROWED_UV_MAP(BORROWED)};
static const struct uvs__hook libc_hooks[] = {UVS_HOOK_LIBC_MAP(HOOKED)};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

// Where libuv's own object lies, unless that is the executable: [begin, end).
static uintptr_t libuv_begin, libuv_end;
static void *learnt_own_callback;
static bool resolved;

enum uvs_hooks uvs__hook_mode = UVS_HOOKS_INTERPOSED;
char uvs__unhooked[1024];
bool uvs__leaves_handles;

// Every thread that comes here at the same time stores the same values.
static void resolve(void *scope, const struct uvs__hook *hooks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        __atomic_store_n(hooks[i].real, dlsym(scope, hooks[i].name), __ATOMIC_RELAXED);
    dlerror();
}

void uvs__resolve_libc(void)
{
    resolve(RTLD_NEXT, libc_hooks, LENGTH(libc_hooks));
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
        if (run && run != (void *)&uvs__wrap_uv_run)
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

bool uvs__resolve_libuv(void)
{
    if (__atomic_load_n(&resolved, __ATOMIC_ACQUIRE))
        return true;
    void *scope = dlsym(RTLD_NEXT, "uv_run") ? RTLD_NEXT : find_local_libuv();
    dlerror();
    if (!scope)
        return false;
    struct uvs__object object;
    bool readable = uvs__object_of(dlsym(scope, "uv_run"), &object);
    libuv_begin = object.begin;
    libuv_end = object.end;
    resolve(scope, uvs__libuv_hooks, LENGTH(uvs__libuv_hooks));
    // Only if it calls its own lock through a slot does the hand-off to the pool come by our wrapper.
    if (readable && !uvs__calls_by_slot(&object, "uv_mutex_lock"))
        uvs__patch_entries();
    uvs__set_resolved();
    return true;
}

// --- libuv's own handles and requests ---

void uvs__learn_own_callback(void *callback)
{
    __atomic_store_n(&learnt_own_callback, callback, __ATOMIC_RELAXED);
}

bool uvs__is_libuvs_own(const void *callback)
{
    return ((uintptr_t)callback >= libuv_begin && (uintptr_t)callback < libuv_end) ||
           (callback && callback == __atomic_load_n(&learnt_own_callback, __ATOMIC_RELAXED));
}
