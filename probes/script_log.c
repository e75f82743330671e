// SPDX-License-Identifier: MIT
// V8 opens a log in the program's directory as soon as it is asked for the names of its code, and writes
// nothing of use into it. Where `record` asked, the log goes nowhere.
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "probes/hooks.h"
#include "probes/runtime.h"

#include "probes/poison.h"

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

// A user who asks V8 for a log gets it.
static bool is_unwanted_log(const char *path)
{
    if (strncmp(path, "isolate-0x", strlen("isolate-0x")) != 0 || !ends_with(path, "-v8.log"))
        return false;
    const char *options = secure_getenv("NODE_OPTIONS");
    return options && strncmp(options, UVS_NODE_OPTIONS, strlen(UVS_NODE_OPTIONS)) == 0;
}

// V8 takes nothing but a regular file; this one refuses to grow.
static FILE *open_nothing(const char *mode)
{
    const int fd = memfd_create("v8.log", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return NULL;
    FILE *file = fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) == 0 ? fdopen(fd, mode) : NULL;
    if (!file)
        UVS_REAL_LIBC(close)(fd);
    return file;
}

UVS_WRAP(FILE *, fopen, const char *path, const char *mode)
{
    FILE *nothing = path && is_unwanted_log(path) ? open_nothing(mode) : NULL;
    return nothing ? nothing : UVS_REAL_LIBC(fopen)(path, mode);
}

UVS_WRAP(FILE *, fopen64, const char *path, const char *mode)
{
    FILE *nothing = path && is_unwanted_log(path) ? open_nothing(mode) : NULL;
    return nothing ? nothing : UVS_REAL_LIBC(fopen64)(path, mode);
}
