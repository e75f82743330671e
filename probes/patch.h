// SPDX-License-Identifier: MIT
// Entry patching, for a libuv that calls itself directly (linked into the executable, or with
// -Bsymbolic-functions): the first instructions of a function are moved into a trampoline, and a jump to the
// wrapper takes their place.
//
// It lives in an object of its own, libuvscope-patcher.so, which links Zydis and is loaded only where it is
// needed.
#ifndef UVS_PATCH_H
#define UVS_PATCH_H

#include <stddef.h>
#include <stdint.h>

// The processors that have a patcher. Another one needs its own behind this header, and dlsym's entry (plugins.c).
#if defined(__x86_64__) && !defined(UVS_AS_ELSEWHERE) // as on others, for a test
#define UVS_CAN_PATCH 1
#else
#define UVS_CAN_PATCH 0
#endif
#define UVS_CANNOT_PATCH "this processor is not x86-64, the only one so far where the entries of functions can be hooked"

// libuv's functions that the wrappers call, without standing in front of them: a libuv that lacks one is left
// alone. X(function)
#define UVS_BORROWED_UV_MAP(X) \
    X(uv_version)              \
    X(uv_backend_fd)           \
    X(uv_loop_size)            \
    X(uv_is_active)            \
    X(uv_mutex_trylock)        \
    X(uv_sem_trywait)          \
    X(uv_rwlock_tryrdlock)     \
    X(uv_rwlock_trywrlock)

struct uvs_patch {
    const char *name;
    void *target;        // the function's entry
    size_t size;         // of its code; 0 = unknown, which is refused
    void *wrapper;       // what runs instead
    void **real;         // receives the trampoline: the function as it was
    const char *refused; // out: NULL, or why this function was left alone
    uint8_t *at;         // the patcher's own: where the jump goes, and the jump
    uint8_t jump[5];
};

// Patches what can be patched safely, all or nothing for each function. Single-threaded callers only. Returns
// how many.
typedef size_t uvs_patch_functions_t(struct uvs_patch *patches, size_t count);
__attribute__((visibility("default"))) uvs_patch_functions_t uvs_patch_functions;

// The constant that a function like `int uv_version(void)` returns, read from its code without running it; -1
// if it is not such a function.
typedef int64_t uvs_constant_of_t(const void *function);
__attribute__((visibility("default"))) uvs_constant_of_t uvs_constant_of;

#endif
