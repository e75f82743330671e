// SPDX-License-Identifier: MIT
// libuv.symbols, which the runtime reads inside the traced program. The rest of the runtime is stood in for.
#include "probes/named.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "probes/environment.h"
#include "probes/hooks.h"
#include "probes/runtime.h"

struct uvs__copy uvs__copies[UVS_COPY_COUNT];
struct uvs__functions_libc uvs__real_libc;
struct uvs__environment uvs__environment;

const struct uvs__hook uvs__libuv_hooks[UVS_LIBUV_HOOK_COUNT] = {
#define X(function, ...) {#function, {NULL}, offsetof(struct uvs__functions, function)},
    UVS_HOOK_UV_MAP(X) UVS_HOOK_FS_MAP(X) UVS_BORROWED_UV_MAP(X)
#undef X
};

void uvs__resolve_libc(void)
{
    uvs__real_libc.close = close;
}

void uvs__debug(const char *format, ...)
{
    (void)format;
}

// Half a libuv must not be hooked.
static bool hook(struct uvs__copy *copy, const size_t *sizes)
{
    (void)sizes;
    if (copy->is_hooked || !copy->real.uv_run)
        abort();
    copy->is_hooked = true;
    copy->entry = (uintptr_t)copy->real.uv_run;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uvs__environment.UVSCOPE_LIBUV = fuzz_write("libuv.symbols", data, size);
    size_t hooked = uvs__each_named(0, hook), seen = 0;
    for (size_t i = 0; i < UVS_COPY_COUNT; i++) {
        seen += uvs__copies[i].is_hooked;
        for (size_t f = 0; f < UVS_LIBUV_HOOK_COUNT; f++)
            if (!uvs__copies[i].is_hooked && *uvs__real_of(&uvs__libuv_hooks[f], &uvs__copies[i]))
                abort();
    }
    if (seen != hooked)
        abort();
    memset(uvs__copies, 0, sizeof(uvs__copies));
    return 0;
}
