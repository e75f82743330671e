// SPDX-License-Identifier: MIT
// Findings about what a lean recording does not tell.
#include "findings.h"

#include "duration.h"

#include <inttypes.h>
#include <stdio.h>

int uvs__find_lean(struct uvs__hunt *hunt, const struct uvs_process_row *process)
{
    char threshold[UVS__TEXT_SIZE] = "its threshold, which was lost";
    if (!process->lean_ns)
        return 0;
    if (process->lean_ns != UVS_ABSENT)
        uvs_format_ns(threshold, sizeof(threshold), process->lean_ns);
    return uvs__found(
        hunt, UVS_ABSENT, process->pid, -1,
        "process %u was recorded lean: what took or waited less than %s is in all counts, sums and "
        "percentiles, but not told one by one; there are no chains and no curves over time, who waited "
        "for a worker because of whom is unknown, and blame names only what took longer",
        process->pid, threshold);
}

int uvs__find_missing_totals(struct uvs__hunt *hunt, const struct uvs_process_row *process)
{
    char untold[UVS__TEXT_SIZE];
    uvs_format_ns(untold, sizeof(untold), process->untold_ns);
    if (process->totals_lost)
        return uvs__found(hunt, UVS_ABSENT, process->pid, -1,
                          "%" PRIu64
                          " of the totals of process %u were lost: its counts and sums are too small, and "
                          "rules on them are violated",
                          process->totals_lost, process->pid);
    if (!process->untold_ns)
        return 0;
    return uvs__found(
        hunt, process->untold_ns, process->pid, -1,
        "process %u ended without telling its last totals: what was short is missing of the last %s",
        process->pid, untold);
}
