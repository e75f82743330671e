// SPDX-License-Identifier: MIT
// The outcomes of `check` as lines, as JSON and as Markdown.
#include "check_forms.h"

#include "text_compare.h"
#include "text_prose.h"
#include "text_report.h"

enum { MARK_WIDTH = 10 };

static void print_mark(FILE *out, const struct uvs__look *look, bool passed)
{
    const enum uvs__style style = passed ? UVS__STYLE_GREEN : UVS__STYLE_RED;
    uvs__style_begin(out, look, style);
    fputs(passed ? "ok      " : "VIOLATED", out);
    uvs__style_end(out, look, style);
    fputs("  ", out);
}

static uint64_t number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? (uint64_t)json_integer_value(value) : UVS_ABSENT;
}

static void print_loss_note(FILE *out, const json_t *check)
{
    const json_t *loss = json_object_get(json_object_get(check, "trace"), "loss");
    const struct uvs_trace_facts trace = {
        .loss = {.events = number_of(loss, "events"),
                 .packets = number_of(loss, "packets"),
                 .uncounted = json_array_size(json_object_get(loss, "intervals")) > 0,
                 .spans_unknown = number_of(loss, "spans_unknown")}};
    if (!trace.loss.events && !trace.loss.packets && !trace.loss.uncounted && !trace.loss.spans_unknown)
        return;
    fputs("note      ", out);
    if (!uvs__print_loss(out, &trace))
        fputs("the trace has gaps", out);
    if (trace.loss.spans_unknown) {
        fputs("; self times and blocks are unknown of callbacks: ", out);
        uvs__print_count(out, trace.loss.spans_unknown);
    }
    fputc('\n', out);
}

int uvs__print_check(FILE *out, const struct uvs__look *look, const struct uvs__check_result *result)
{
    size_t index;
    const json_t *check;
    for (size_t i = 0; i < result->outcome_count; i++) {
        print_mark(out, look, result->outcomes[i].passed);
        struct uvs__prose prose;
        uvs__print_escaped(uvs__prose_begin(&prose, out), result->outcomes[i].text);
        uvs__prose_end(&prose, look, MARK_WIDTH, MARK_WIDTH);
        fputc('\n', out);
    }
    json_array_foreach(result->checks, index, check) print_loss_note(out, check);
    if (!result->is_compared)
        return 0;
    fputs("\nSince the baseline: ", out);
    uvs__print_comparison(out, look, &result->comparison, result->baseline.count, result->runs.count, 0,
                          false);
    return 0;
}

// --- JSON ---

static json_t *several_runs(const struct uvs__check_result *result)
{
    return json_pack("{s:i, s:s, s:b, s:O}", "schema", 1, "uvscope", UVS_VERSION, "passed",
                     result->failed == 0, "runs", result->checks);
}

int uvs__print_check_json(FILE *out, const struct uvs__check_result *result)
{
    json_t *root = json_array_size(result->checks) == 1 ? json_copy(json_array_get(result->checks, 0))
                                                        : several_runs(result);
    if (root && result->is_compared)
        json_object_set_new(root, "baseline",
                            uvs__comparison_to_json(&result->comparison, &result->options,
                                                    result->baseline.count, result->runs.count));
    if (root)
        json_object_set_new(root, "passed", json_boolean(result->failed == 0));
    const bool whole = root && json_dumpf(root, out, JSON_INDENT(2)) == 0;
    json_decref(root);
    fputc('\n', out);
    return whole ? 0 : -UVS_E_ENVIRONMENT;
}

// --- Markdown ---

int uvs__print_check_markdown(FILE *out, const struct uvs__check_result *result)
{
    const struct uvs__look look = {.markdown = true, .short_names = true};
    struct uvs__prose prose;
    fprintf(out, "### uvscope: %s\n\n", result->failed ? "the check failed" : "the check passed");
    for (size_t i = 0; i < result->outcome_count; i++) {
        const struct uvs__outcome *outcome = &result->outcomes[i];
        fputs(outcome->passed ? "- ok: " : "- **violated**: ", out);
        uvs__print_escaped(uvs__prose_begin(&prose, out), outcome->text);
        uvs__prose_end(&prose, &look, 0, 0);
        fputc('\n', out);
    }
    if (!result->is_compared)
        return 0;
    fputs("\nSince the baseline: ", out);
    uvs__print_comparison_markdown(out, &result->comparison, result->baseline.count, result->runs.count, 0,
                                   false);
    return 0;
}
