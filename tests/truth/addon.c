// SPDX-License-Identifier: MIT
// A native addon that holds Node's loop. Node-API's few functions that it needs are declared here: their
// binary interface is stable, and no headers of Node have to be installed.
#include <stdint.h>
#include <time.h>

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef napi_value (*napi_callback)(napi_env env, void *info);

int napi_create_function(napi_env env, const char *name, size_t length, napi_callback callback, void *data,
                         napi_value *ret_function);
__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports);

static volatile uint64_t sum;

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

__attribute__((noinline)) static void addon_computes(uint64_t ns)
{
    const uint64_t end_ns = now_ns() + ns;
    while (now_ns() < end_ns)
        for (unsigned i = 0; i < 10000; i++)
            sum = sum * 31 + i;
}

static napi_value compute(napi_env env, void *info)
{
    (void)env;
    (void)info;
    addon_computes(400000000);
    return NULL;
}

napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
    napi_value function;
    const int failed = napi_create_function(env, "compute", 7, compute, NULL, &function);
    return failed ? exports : function;
}
