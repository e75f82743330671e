// SPDX-License-Identifier: MIT
// Short names for the page.
#ifndef UVS_REPORT_SHORT_H
#define UVS_REPORT_SHORT_H

#include <stdio.h>

// report: as JSON. Prints an object that may stand in a script of a page.
void uvs__print_short_names(FILE *out, const char *report);

#endif
