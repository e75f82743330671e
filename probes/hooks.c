// SPDX-License-Identifier: MIT
// Finds the functions behind the wrappers.
#include "probes/hooks.h"

#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "probes/patch.h"
#include "probes/runtime.h"

#include "probes/poison.h"

struct uvs__real uvs__real;

struct hook {
    const char *name;
    void *wrapper; // NULL: only called, not hooked
    void **real;
};

#define HOOKED(function, ...)   {#function, (void *)&uvs__wrap_##function, (void **)&uvs__real.function},
#define BORROWED(function, ...) {#function, NULL, (void **)&uvs__real.function},
static const struct hook libuv_hooks[] = {UVS_HOOK_UV_MAP(HOOKED) UVS_HOOK_FS_MAP(HOOKED)
                                              UVS_BORROWED_UV_MAP(BORROWED)};
static const struct hook libc_hooks[] = {UVS_HOOK_LIBC_MAP(HOOKED)};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

// Where libuv's own object lies, unless that is the executable: [begin, end).
static uintptr_t libuv_begin, libuv_end;
static void *learnt_own_callback;
static bool resolved;

enum uvs_hooks uvs__hook_mode = UVS_HOOKS_INTERPOSED;
char uvs__unhooked[1024];

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

// --- Entry patching ---

static size_t function_size(void *function)
{
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    if (!dladdr1(function, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol || info.dli_saddr != function)
        return 0;
    return symbol->st_size;
}

static void note_unhooked(const char *name, const char *why)
{
    uvs__debug("%s is not hooked: %s", name, why);
    size_t used = strlen(uvs__unhooked);
    snprintf(uvs__unhooked + used, sizeof(uvs__unhooked) - used, "%s%s", used ? " " : "", name);
}

static bool is_single_threaded(void)
{
    struct stat tasks;
    return stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink == 3; // ., .. and one thread
}

// The hooked functions whose `real` is resolved, as they stand in memory.
static void patch_all(uvs_patch_functions_t *patch_functions)
{
    static struct uvs_patch patches[LENGTH(libuv_hooks)]; // too large for an unknown stack
    size_t count = 0;
    for (size_t i = 0; i < LENGTH(libuv_hooks); i++) {
        const struct hook *hook = &libuv_hooks[i];
        if (hook->wrapper && *hook->real)
            patches[count++] = (struct uvs_patch){.name = hook->name,
                                                  .target = *hook->real,
                                                  .size = function_size(*hook->real),
                                                  .wrapper = hook->wrapper,
                                                  .real = hook->real};
    }
    patch_functions(patches, count);
    for (size_t i = 0; i < count; i++)
        if (patches[i].refused)
            note_unhooked(patches[i].name, patches[i].refused);
    uvs__hook_mode = UVS_HOOKS_PATCHED;
}

// Some programs export stand-ins that only abort, to satisfy native addons: nothing of the kind may be
// called. Real ones return constants, which can be read from their code.
static bool is_really_libuv(uvs_constant_of_t *constant_of)
{
    int64_t version = constant_of((void *)uvs__real.uv_version);
    int64_t loop_size = constant_of((void *)uvs__real.uv_loop_size);
    uvs__debug("libuv in the executable: version %#llx, loop of %lld bytes", (long long)version,
               (long long)loop_size);
    return version >= 0x012c00 && version < 0x020000 && loop_size >= (int64_t)sizeof(uv_loop_t) &&
           loop_size < (int64_t)sizeof(uv_loop_t) + 4096;
}

// Returns whether the hooks are in. The patcher is needed for a moment only.
static bool patch_libuv(bool prove)
{
    void *patcher = uvs__open_beside("libuvscope-patcher.so", NULL);
    if (!patcher)
        return false;
    uvs_patch_functions_t *patch_functions = (uvs_patch_functions_t *)dlsym(patcher, "uvs_patch_functions");
    uvs_constant_of_t *constant_of = (uvs_constant_of_t *)dlsym(patcher, "uvs_constant_of");
    bool patched = false;
    if (patch_functions && constant_of && (!prove || is_really_libuv(constant_of))) {
        if (is_single_threaded()) {
            patch_all(patch_functions);
            patched = true;
        } else {
            note_unhooked("all", "threads are running already");
        }
    }
    dlclose(patcher);
    return patched;
}

bool uvs__hook_executable(void)
{
    void *run = dlsym(RTLD_DEFAULT, "uv_run");
    dlerror();
    if (!run || run == (void *)&uvs__wrap_uv_run)
        return false;
    for (size_t i = 0; i < LENGTH(libuv_hooks); i++) {
        void *function = dlsym(RTLD_DEFAULT, libuv_hooks[i].name);
        // What the executable does not have, the search finds here.
        *libuv_hooks[i].real = function == libuv_hooks[i].wrapper ? NULL : function;
    }
    dlerror();
    if (!uvs__real.uv_version || !uvs__real.uv_loop_size || !patch_libuv(true))
        return false;
    __atomic_store_n(&resolved, true, __ATOMIC_RELEASE);
    return true;
}

// --- Resolving ---

// Whether the object at [libuv_begin, libuv_end) calls its own uv_mutex_lock through a slot that the dynamic
// linker fills, and so comes by our wrapper.
static int calls_itself_by_slot(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    bool *ret_found = data;
    const ElfW(Dyn) *dynamic = NULL;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
            dynamic = (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    if (!dynamic || (uintptr_t)dynamic < libuv_begin || (uintptr_t)dynamic >= libuv_end)
        return 0;
    const ElfW(Sym) *symbols = NULL;
    const char *strings = NULL;
    struct {
        const ElfW(Rela) * rows;
        size_t bytes;
    } tables[2] = {{NULL, 0}, {NULL, 0}}; // PLT slots, and the GOT of -fno-plt
    for (; dynamic->d_tag != DT_NULL; dynamic++) {
        switch (dynamic->d_tag) { // glibc has made these absolute
        case DT_SYMTAB:
            symbols = (const ElfW(Sym) *)dynamic->d_un.d_ptr;
            break;
        case DT_STRTAB:
            strings = (const char *)dynamic->d_un.d_ptr;
            break;
        case DT_JMPREL:
            tables[0].rows = (const ElfW(Rela) *)dynamic->d_un.d_ptr;
            break;
        case DT_PLTRELSZ:
            tables[0].bytes = dynamic->d_un.d_val;
            break;
        case DT_RELA:
            tables[1].rows = (const ElfW(Rela) *)dynamic->d_un.d_ptr;
            break;
        case DT_RELASZ:
            tables[1].bytes = dynamic->d_un.d_val;
            break;
        default:
            break;
        }
    }
    for (size_t t = 0; symbols && strings && t < LENGTH(tables); t++)
        for (size_t i = 0; tables[t].rows && i < tables[t].bytes / sizeof(ElfW(Rela)); i++)
            if (strcmp(strings + symbols[ELF64_R_SYM(tables[t].rows[i].r_info)].st_name, "uv_mutex_lock") ==
                0)
                *ret_found = true;
    return 1;
}

bool uvs__resolve_libuv(void)
{
    if (__atomic_load_n(&resolved, __ATOMIC_ACQUIRE))
        return true;
    void *scope = dlsym(RTLD_NEXT, "uv_run") ? RTLD_NEXT : find_local_libuv();
    dlerror();
    if (!scope)
        return false;
    dl_iterate_phdr(find_libuv_range, dlsym(scope, "uv_run"));
    resolve(scope, libuv_hooks, LENGTH(libuv_hooks));
    bool by_slot = false;
    dl_iterate_phdr(calls_itself_by_slot, &by_slot);
    if (!by_slot)
        patch_libuv(false);
    __atomic_store_n(&resolved, true, __ATOMIC_RELEASE);
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
