// SPDX-License-Identifier: MIT
// Durations as people type them: 50ms, 1.5s, 10us, 100ns.
#include "command.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    double ns;
} units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};

int uvs_parse_duration(const char *text, uint64_t *ret_ns, struct uvs_error *error)
{
    char *unit = NULL;
    errno = 0;
    // strtod alone would also take "inf", "nan", "0x1p3" and leading blanks.
    double number = isdigit((unsigned char)text[0]) || text[0] == '.' ? strtod(text, &unit) : -1;
    if (number < 0 || errno || unit == text || strpbrk(text, "xXeE"))
        return uvs_error_set(error, UVS_E_USAGE,
                             "'%s' is not a duration; write a number and a unit, as in 50ms", text);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(unit, units[i].name) != 0)
            continue;
        if (number * units[i].ns >= 9.2e18)
            return uvs_error_set(error, UVS_E_USAGE, "'%s' is too long a duration", text);
        *ret_ns = (uint64_t)(number * units[i].ns + 0.5);
        return 0;
    }
    return uvs_error_set(error, UVS_E_USAGE, "'%s' has no known unit; the units are ns, us, ms, s, m and h",
                         text);
}
