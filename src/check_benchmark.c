// SPDX-License-Identifier: MIT
// Figures over time, for github-action-benchmark: an array of {name, unit, value}.
#include "check_forms.h"

// The runs against themselves: each gated figure with its median.
static int medians(const struct uvs_runs *runs, struct uvs_comparison *ret_comparison)
{
    const struct uvs_compare_options options = UVS_COMPARE_DEFAULTS;
    return uvs_compare(runs, runs, &options, ret_comparison);
}

int uvs__print_check_benchmark(FILE *out, const struct uvs__check_result *result)
{
    struct uvs_comparison comparison = {0};
    json_t *list = json_array();
    if (result->runs.count > 0 && medians(&result->runs, &comparison) < 0) {
        json_decref(list);
        return -UVS_E_ENVIRONMENT;
    }
    for (size_t i = 0; i < comparison.count; i++) {
        const struct uvs_change *figure = &comparison.items[i];
        const bool is_time = uvs_gauge_is_time(figure->gauge);
        if (figure->gauge->is_gated)
            json_array_append_new(list,
                                  json_pack("{s:o, s:s, s:f}", "name",
                                            json_sprintf("%s of %s", figure->gauge->name, figure->who),
                                            "unit", is_time ? "ms" : "count", "value",
                                            is_time ? figure->new_value / 1e6 : figure->new_value));
    }
    uvs_comparison_clear(&comparison);
    const bool whole = list && json_dumpf(list, out, JSON_INDENT(2)) == 0;
    json_decref(list);
    fputc('\n', out);
    return whole ? 0 : -UVS_E_ENVIRONMENT;
}
