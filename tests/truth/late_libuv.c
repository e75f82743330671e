// SPDX-License-Identifier: MIT
// A program without libuv opens a plug-in that brings one.
#include <dlfcn.h>
#include <stdio.h>

int main(void)
{
    void *library = dlopen(CONSTRUCTOR_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    int (*run)(void) = library ? (int (*)(void))dlsym(library, "constructor_library_run") : NULL;
    if (!run) {
        fprintf(stderr, "%s\n", dlerror());
        return 99;
    }
    return run();
}
