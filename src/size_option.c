// SPDX-License-Identifier: MIT
// Sizes as people type them: 512M, 1.5G, 65536.
#include "command.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int uvs_parse_size(const char *text, uint64_t *ret_bytes, struct uvs_error *error)
{
    static const char units[] = "kMGT";
    char *unit = NULL;
    errno = 0;
    double number = isdigit((unsigned char)text[0]) || text[0] == '.' ? strtod(text, &unit) : -1;
    if (number < 0 || errno || unit == text || strpbrk(text, "xXeE"))
        return uvs_error_set(error, UVS_E_USAGE, "'%s' is not a size; write a number and a unit, as in 512M",
                             text);
    const char *found = unit[0] ? strchr(units, unit[0]) : NULL;
    if (unit[0] && (!found || unit[1]))
        return uvs_error_set(error, UVS_E_USAGE,
                             "'%s' has no known unit; the units are k, M, G and T, of 1024 each", text);
    for (const char *step = units; found && step <= found; step++)
        number *= 1024;
    if (number >= 9.2e18)
        return uvs_error_set(error, UVS_E_USAGE, "'%s' is too large a size", text);
    *ret_bytes = (uint64_t)number;
    return 0;
}
