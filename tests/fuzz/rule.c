// SPDX-License-Identifier: MIT
// A rule of `check`, and its verdicts on a report.
#include "fuzz.h"

#include "analysis/rule.h"
#include "tests/unit/sample_report.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sample sample;
    static int is_filled;
    if (!is_filled)
        sample_fill(&sample);
    is_filled = 1;
    char *text = fuzz_text(data, size);
    struct uvs_error error = {0};
    struct uvs_rule *rule;
    struct uvs_verdict *verdicts;
    size_t count;
    if (uvs_rule_parse(text, &rule, &error) == 0) {
        if (uvs_rule_check(rule, &sample.report, &verdicts, &count, &error) == 0)
            uvs_verdicts_destroy(verdicts, count);
        uvs_rule_destroy(rule);
    } else if (!error.text[0]) {
        abort(); // refused without a word
    }
    free(text);
    return 0;
}
