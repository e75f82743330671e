// SPDX-License-Identifier: MIT
// Finds the functions behind the wrappers.
#include "probes/hooks.h"

#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "probes/poison.h"

struct uvs__real uvs__real;

struct hook {
    const char *name;
    void **real;
};

#define X(function, ...) {#function, (void **)&uvs__real.function},
static const struct hook libuv_hooks[] = {UVS_HOOK_UV_MAP(X) UVS_BORROWED_UV_MAP(X) UVS_HOOK_FS_MAP(X)};
static const struct hook libc_hooks[] = {UVS_HOOK_LIBC_MAP(X)};
#undef X

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

// Where libuv's object lies: [begin, end).
static uintptr_t libuv_begin, libuv_end;

// Every thread that comes here at the same time stores the same values.
static void resolve(void *scope, const struct hook *hooks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        __atomic_store_n(hooks[i].real, dlsym(scope, hooks[i].name), __ATOMIC_RELAXED);
    dlerror();
}

void uvs__resolve_libc(void)
{
    resolve(RTLD_NEXT, libc_hooks, LENGTH(libc_hooks));
}

static int find_libuv_range(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    uintptr_t target = (uintptr_t)data, begin = UINTPTR_MAX, end = 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD)
            continue;
        uintptr_t at = info->dlpi_addr + segment->p_vaddr;
        begin = at < begin ? at : begin;
        end = at + segment->p_memsz > end ? at + segment->p_memsz : end;
    }
    if (target < begin || target >= end)
        return 0;
    libuv_begin = begin;
    libuv_end = end;
    return 1;
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

bool uvs__resolve_libuv(void)
{
    static bool resolved;
    if (__atomic_load_n(&resolved, __ATOMIC_ACQUIRE))
        return true;
    void *scope = dlsym(RTLD_NEXT, "uv_run") ? RTLD_NEXT : find_local_libuv();
    dlerror();
    if (!scope)
        return false;
    dl_iterate_phdr(find_libuv_range, dlsym(scope, "uv_run"));
    resolve(scope, libuv_hooks, LENGTH(libuv_hooks));
    __atomic_store_n(&resolved, true, __ATOMIC_RELEASE);
    return true;
}

bool uvs__is_libuvs_own(const void *callback)
{
    return (uintptr_t)callback >= libuv_begin && (uintptr_t)callback < libuv_end;
}
