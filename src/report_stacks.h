// SPDX-License-Identifier: MIT
// The stacks of a report's page.
#ifndef UVS_REPORT_STACKS_H
#define UVS_REPORT_STACKS_H

#include <stdio.h>
#include "../analysis/report.h"

// {"names":[[label,"js" or ""],…],"stacks":[[samples,[number of a name, outermost first,…]],…],"blocks":[{"pid",
// "loop","begin_ns","duration_ns","stacks":[[number of a stack, samples],…]},…],"left_out":samples}: the stacks that
// were seen most, of the worst blocks and of all, as many as a page can hold. Without memory, fewer.
void uvs__print_stacks_json(FILE *out, const struct uvs_report *report);

#endif
