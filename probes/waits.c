// SPDX-License-Identifier: MIT
// uv_sleep, and the waits of libuv's threading API.
#include "probes/hooks.h"
#include "probes/runtime.h"
#include "probes/sync.h"

#include "probes/poison.h"

// Waits count only where they hold a loop: other threads wait for a living. A wait inside libuv on behalf of
// a request (the pool is being started) is not the program's.
static bool holds_loop(void)
{
    const struct uvs__thread *self = &uvs__self;
    return self->loop && !self->submitting_work;
}

// UVS_WAIT*: time the real call if it holds a loop. The _IF variants first try the call's own try form, which
// has the same effect when it succeeds: a wait that need not wait is not recorded.
#define UVS_WAIT_VOID(function, kind, parameters, arguments)       \
    UVS_WRAP(void, function, UVS_WAIT_UNPACK parameters)           \
    {                                                              \
        if (!holds_loop()) {                                       \
            UVS_REAL(function) arguments;                          \
            return;                                                \
        }                                                          \
        struct uvs__sync_call call;                                \
        uvs__sync_begin(&call, kind, __builtin_return_address(0)); \
        UVS_REAL(function) arguments;                              \
        uvs__sync_end(&call, 0);                                   \
    }
#define UVS_WAIT_VOID_IF(try_function, function, kind, parameters, arguments) \
    UVS_WRAP(void, function, UVS_WAIT_UNPACK parameters)                      \
    {                                                                         \
        if (!holds_loop()) {                                                  \
            UVS_REAL(function) arguments;                                     \
            return;                                                           \
        }                                                                     \
        if (UVS_REAL(try_function) arguments == 0)                            \
            return;                                                           \
        struct uvs__sync_call call;                                           \
        uvs__sync_begin(&call, kind, __builtin_return_address(0));            \
        UVS_REAL(function) arguments;                                         \
        uvs__sync_end(&call, 0);                                              \
    }
#define UVS_WAIT_INT(function, kind, parameters, arguments)        \
    UVS_WRAP(int, function, UVS_WAIT_UNPACK parameters)            \
    {                                                              \
        if (!holds_loop())                                         \
            return UVS_REAL(function) arguments;                   \
        struct uvs__sync_call call;                                \
        uvs__sync_begin(&call, kind, __builtin_return_address(0)); \
        int result = UVS_REAL(function) arguments;                 \
        uvs__sync_end(&call, result);                              \
        return result;                                             \
    }
#define UVS_WAIT_UNPACK(...) __VA_ARGS__

UVS_WAIT_VOID(uv_sleep, UVS_KIND_SLEEP, (unsigned int msec), (msec))
UVS_WAIT_INT(uv_thread_join, UVS_KIND_THREAD_JOIN, (uv_thread_t * tid), (tid))
UVS_WAIT_VOID_IF(uv_sem_trywait, uv_sem_wait, UVS_KIND_SEM_WAIT, (uv_sem_t * sem), (sem))
UVS_WAIT_VOID(uv_cond_wait, UVS_KIND_COND_WAIT, (uv_cond_t * cond, uv_mutex_t *mutex), (cond, mutex))
UVS_WAIT_INT(uv_cond_timedwait, UVS_KIND_COND_WAIT, (uv_cond_t * cond, uv_mutex_t *mutex, uint64_t timeout),
             (cond, mutex, timeout))
UVS_WAIT_INT(uv_barrier_wait, UVS_KIND_BARRIER_WAIT, (uv_barrier_t * barrier), (barrier))
UVS_WAIT_VOID_IF(uv_rwlock_tryrdlock, uv_rwlock_rdlock, UVS_KIND_RWLOCK, (uv_rwlock_t * lock), (lock))
UVS_WAIT_VOID_IF(uv_rwlock_trywrlock, uv_rwlock_wrlock, UVS_KIND_RWLOCK, (uv_rwlock_t * lock), (lock))
