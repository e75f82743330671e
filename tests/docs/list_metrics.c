// SPDX-License-Identifier: MIT
// Prints the metrics of `check`, for the documentation test: name, tab, meaning.
#include "analysis/rule.h"

#include <stdio.h>

int main(void)
{
    const struct uvs_metric_info *metric;
    for (size_t i = 0; (metric = uvs_metric_info(i)) != NULL; i++)
        printf("%s\t%s\n", metric->name, metric->meaning);
    return 0;
}
