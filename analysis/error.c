// SPDX-License-Identifier: MIT
// The cause chain.
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int uvs_error_set(struct uvs_error *error, enum uvs_exit code, const char *format, ...)
{
    if (error) {
        va_list args;
        va_start(args, format);
        vsnprintf(error->text, sizeof(error->text), format, args);
        va_end(args);
    }
    return -(int)code;
}

void uvs_error_add(struct uvs_error *error, const char *format, ...)
{
    if (!error)
        return;
    char cause[sizeof(error->text)];
    memcpy(cause, error->text, sizeof(cause));
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    // An overlong chain is cut at its end: the outermost sentences are the ones that tell where to look.
    const char *parts[] = {": ", cause};
    size_t used = strlen(error->text);
    for (size_t i = 0; i < 2; i++) {
        size_t length = strlen(parts[i]), room = sizeof(error->text) - 1 - used;
        length = length < room ? length : room;
        memcpy(error->text + used, parts[i], length);
        used += length;
    }
    error->text[used] = '\0';
}
