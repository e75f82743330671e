// SPDX-License-Identifier: MIT
// Prints what docs/ANALYSES.md has to list: the metrics and the findings, one a line, their parts between
// tabs.
#include "analysis/report.h"
#include "analysis/rule.h"

#include <stdio.h>

static const char *const severities[] = {
    [UVS_INFO] = "info", [UVS_WARNING] = "warning", [UVS_ERROR] = "error"};

int main(void)
{
    const struct uvs_metric_info *metric;
    for (size_t i = 0; (metric = uvs_metric_info(i)) != NULL; i++)
        printf("metric\t%s\t%s\n", metric->name, metric->meaning);
    const struct uvs_finding_info *finding;
    for (size_t i = 0; (finding = uvs_finding_info(i)) != NULL; i++)
        printf("finding\t%s\t%s\t%s\n", finding->id, severities[finding->severity], finding->meaning);
    return 0;
}
