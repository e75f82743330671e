// SPDX-License-Identifier: MIT
// What the command says when something is wrong. It may name files and words of a trace, and those must
// neither act on a terminal nor forge a line, which some CI systems take for commands.
#include "command.h"
#include "text_format.h"

#include <stdarg.h>
#include <stdlib.h>

int uvs_complain(int code, const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    const int length = vasprintf(&text, format, args);
    va_end(args);
    fputs("uvscope: ", stderr);
    uvs__print_escaped(stderr, length < 0 ? "out of memory" : text);
    fputc('\n', stderr);
    if (length >= 0)
        free(text);
    return code;
}
