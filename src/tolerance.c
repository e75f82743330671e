// SPDX-License-Identifier: MIT
// Percentages as people type them.
#include "tolerance.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int uvs__parse_tolerance(const char *text, double *ret_share, struct uvs_error *error)
{
    char *end = NULL;
    const double percent = isdigit((unsigned char)text[0]) ? strtod(text, &end) : -1;
    if (percent < 0 || percent > 1e6 || (*end && strcmp(end, "%") != 0) || strpbrk(text, "xXeE"))
        return uvs_error_set(error, UVS_E_USAGE, "--tolerance '%s' is not a percentage; write it as in 10%%",
                             text);
    *ret_share = percent / 100;
    return 0;
}
