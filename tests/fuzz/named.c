// SPDX-License-Identifier: MIT
// libuv.symbols, which the runtime reads inside the traced program. The rest of the runtime is stood in for.
#include "probes/named.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "probes/environment.h"
#include "probes/hooks.h"
#include "probes/runtime.h"

struct uvs__real uvs__real;
struct uvs__environment uvs__environment;

const struct uvs__hook uvs__libuv_hooks[UVS_LIBUV_HOOK_COUNT] = {
#define X(function, ...) {#function, NULL, (void **)&uvs__real.function},
    UVS_HOOK_UV_MAP(X) UVS_HOOK_FS_MAP(X) UVS_BORROWED_UV_MAP(X)
#undef X
};

void uvs__resolve_libc(void)
{
    uvs__real.close = close;
}

void uvs__debug(const char *format, ...)
{
    (void)format;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static size_t sizes[UVS_LIBUV_HOOK_COUNT];
    uvs__environment.UVSCOPE_LIBUV = fuzz_write("libuv.symbols", data, size);
    const bool found = uvs__find_named(sizes);
    // All of it or nothing: half a libuv must not be hooked.
    for (size_t i = 0; i < UVS_LIBUV_HOOK_COUNT; i++)
        if (!found && *uvs__libuv_hooks[i].real)
            abort();
    if (found && !uvs__real.uv_run)
        abort();
    for (size_t i = 0; i < UVS_LIBUV_HOOK_COUNT; i++)
        *uvs__libuv_hooks[i].real = NULL;
    return 0;
}
