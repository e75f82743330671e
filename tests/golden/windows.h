// SPDX-License-Identifier: MIT
// All windows of traces whose ends are at fifths of them, and one that is behind.
#ifndef WINDOWS_H
#define WINDOWS_H

#include "analysis/report.h"

#include <stdio.h>

enum { PARTS = 5 };

static inline uint64_t duration_of(const char *path)
{
    struct uvs_error error;
    struct uvs_report *report;
    if (uvs_analyse(path, NULL, &report, &error))
        return 0;
    const uint64_t duration_ns = report->trace.duration_ns;
    uvs_report_destroy(report);
    return duration_ns;
}

// compare: whether one differs; until_ns 0: up to the end. What main returns.
static inline int compare_windows(int argc, char **argv,
                                  int (*compare)(const char *path, uint64_t from_ns, uint64_t until_ns))
{
    int differing = 0, compared = 0;
    for (int i = 1; i < argc; i++) {
        const uint64_t step_ns = duration_of(argv[i]) / PARTS;
        for (uint64_t from = 0; from <= PARTS + 1 && step_ns; from++)
            for (uint64_t until = from + 1; until <= PARTS + 2; until++, compared++)
                differing += compare(argv[i], from * step_ns, until <= PARTS ? until * step_ns : 0);
    }
    printf("%d windows compared, %d differ\n", compared, differing);
    return differing > 0 || compared == 0;
}

#endif
