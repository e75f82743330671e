// SPDX-License-Identifier: MIT
// What the command says when something is wrong.
#include "command.h"

#include <stdarg.h>

int uvs_complain(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("uvscope: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return code;
}
