// SPDX-License-Identifier: MIT
// The stacks of a report's page.
#ifndef UVS_REPORT_STACKS_H
#define UVS_REPORT_STACKS_H

#include <stdio.h>
#include "../analysis/report.h"

// {"stacks":[[ns,[number of a name, outermost first,…]],…],"names":[[label,"js" or ""],…],"blocks":[{"pid","loop",
// "begin_ns","duration_ns","stacks":[[number of a stack, ns],…]},…],"left_out_ns":ns}: the stacks that stand for
// most time, as many as a page can hold, and those of the worst blocks among them. Without memory, none.
void uvs__print_stacks_json(FILE *out, const struct uvs_report *report);

#endif
