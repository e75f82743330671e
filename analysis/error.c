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
    for (size_t i = 0; i < 2; i++)
        strncat(error->text, parts[i], sizeof(error->text) - 1 - strlen(error->text));
}
