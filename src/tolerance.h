// SPDX-License-Identifier: MIT
// The tolerance of comparisons: "10%" or "10".
#ifndef UVS_TOLERANCE_H
#define UVS_TOLERANCE_H

#include "../analysis/error.h"

#define UVS__TOLERANCE_DEFAULT "10%"
#define UVS__TOLERANCE_HELP    "A change of less than this is none (default 10%)"

// 0, or -UVS_E_USAGE. *ret_share: 0.1 for 10%.
int uvs__parse_tolerance(const char *text, double *ret_share, struct uvs_error *error);

#endif
