// SPDX-License-Identifier: MIT
// A program that exports functions of libuv's names which only abort, as some do for the sake of plug-ins.
#include <stdlib.h>

__attribute__((visibility("default"))) void uv_run(void);
__attribute__((visibility("default"))) unsigned uv_version(void);
__attribute__((visibility("default"))) unsigned uv_loop_size(void);

void uv_run(void)
{
    abort();
}

unsigned uv_version(void)
{
    abort();
}

unsigned uv_loop_size(void)
{
    abort();
}

int main(void)
{
    return 0;
}
