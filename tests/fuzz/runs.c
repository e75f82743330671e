// SPDX-License-Identifier: MIT
// A saved report or a baseline, as `compare` and `check --baseline` take them, compared with itself.
#include "fuzz.h"

#include "analysis/compare.h"

#include <stdlib.h>
#include <string.h>

// What was believed must be written, and read again as the same.
static void write_again(const struct uvs_runs *runs)
{
    struct uvs_error error = {0};
    struct uvs_runs again = {0};
    char *text = uvs_runs_to_json(runs);
    if (!text || uvs_runs_add(&again, text, strlen(text), "again", &error) < 0 || again.count != runs->count)
        abort();
    for (size_t i = 0; i < runs->count; i++)
        if (again.items[i].count != runs->items[i].count)
            abort();
    uvs_runs_clear(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct uvs_error error = {0};
    struct uvs_runs runs = {0};
    const int result = uvs_runs_add(&runs, (const char *)data, size, "input", &error);
    if (result < 0 && !error.text[0])
        abort(); // refused without a word
    if (result == 0 && runs.count > 0) {
        const struct uvs_compare_options options = UVS_COMPARE_DEFAULTS;
        struct uvs_comparison comparison;
        write_again(&runs);
        if (uvs_compare(&runs, &runs, &options, &comparison) == 0) {
            if (comparison.worse > 0 || comparison.better > 0)
                abort(); // nothing differs from itself
            uvs_comparison_clear(&comparison);
        }
    }
    uvs_runs_clear(&runs);
    return 0;
}
