// SPDX-License-Identifier: MIT
// Changes as lines, as Markdown and as JSON.
#include "text_compare.h"

#include "text_prose.h"
#include "../analysis/json_file.h"

#include <math.h>
#include <stdlib.h>

enum { WORD_WIDTH = 10 };

static void print_value(FILE *out, const struct uvs_change *change, double value)
{
    if (uvs_gauge_is_time(change->gauge))
        uvs__print_ns(out, (uint64_t)value);
    else
        fprintf(out, "%.10g", value);
}

static void print_difference(FILE *out, const struct uvs_change *change)
{
    const double difference = change->new_value - change->old_value;
    if (change->old_value > 0)
        fprintf(out, "%+.*f %%", fabs(difference) < 0.1 * change->old_value ? 1 : 0,
                100 * difference / change->old_value);
    else
        fprintf(out, "%+.10g", difference);
}

static void print_evidence(FILE *out, const struct uvs_change *change)
{
    switch (change->evidence) {
    case UVS_EVIDENCE_EXACT:
        fputs("the same in every run of a side", out);
        break;
    case UVS_EVIDENCE_FLOOR:
        fputs("the shortest of all calls", out);
        break;
    case UVS_EVIDENCE_RANKS:
        fprintf(out, "p = %.2g", change->p);
        break;
    case UVS_EVIDENCE_TOLERANCE:
        fputs("noise cannot be told", out);
        break;
    }
}

void uvs__print_change(FILE *out, const struct uvs_change *change)
{
    fprintf(out, "%s of ", change->gauge->name);
    uvs__print_escaped(out, change->who);
    fputs(": ", out);
    print_value(out, change, change->old_value);
    fputs(" -> ", out);
    print_value(out, change, change->new_value);
    fputs(", ", out);
    print_difference(out, change);
    fputs(" (", out);
    print_evidence(out, change);
    fputc(')', out);
}

static void print_runs(FILE *out, size_t count)
{
    fprintf(out, "%zu run%s", count, count == 1 ? "" : "s");
}

void uvs__print_comparison_verdict(FILE *out, const struct uvs_comparison *comparison, size_t old_runs,
                                   size_t new_runs)
{
    print_runs(out, old_runs);
    fprintf(out, " against %zu: ", new_runs);
    fprintf(out, "%zu %s worse, %zu %s better, %zu the same.", comparison->worse,
            comparison->worse == 1 ? "figure is" : "figures are", comparison->better,
            comparison->better == 1 ? "is" : "are",
            comparison->count - comparison->worse - comparison->better);
    if (!comparison->tells_noise)
        fputs(" So few runs cannot tell noise: whatever differs by more than the tolerance is shown. Record "
              "5 or more "
              "of each with record --repeat.",
              out);
    if (comparison->has_loss)
        fputs(" Events were lost: counts are not to be relied upon.", out);
}

static bool is_shown(const struct uvs_change *change, size_t index, size_t top, bool all)
{
    return (all || change->verdict != UVS_CHANGE_SAME) && (top == 0 || index < top);
}

void uvs__print_comparison(FILE *out, const struct uvs__look *look, const struct uvs_comparison *comparison,
                           size_t old_runs, size_t new_runs, size_t top, bool all)
{
    static const enum uvs__style styles[] = {[UVS_CHANGE_SAME] = UVS__STYLE_DIM,
                                             [UVS_CHANGE_WORSE] = UVS__STYLE_RED,
                                             [UVS_CHANGE_BETTER] = UVS__STYLE_GREEN};
    uvs__print_comparison_verdict(out, comparison, old_runs, new_runs);
    fputc('\n', out);
    for (size_t i = 0; i < comparison->count; i++) {
        const struct uvs_change *change = &comparison->items[i];
        if (!is_shown(change, i, top, all))
            continue;
        uvs__style_begin(out, look, styles[change->verdict]);
        fprintf(out, "  %-6s", uvs_change_words[change->verdict]);
        uvs__style_end(out, look, styles[change->verdict]);
        fputs("  ", out);
        struct uvs__prose prose;
        uvs__print_change(uvs__prose_begin(&prose, out), change);
        uvs__prose_end(&prose, look, WORD_WIDTH, WORD_WIDTH);
        fputc('\n', out);
    }
}

void uvs__print_comparison_markdown(FILE *out, const struct uvs_comparison *comparison, size_t old_runs,
                                    size_t new_runs, size_t top, bool all)
{
    const struct uvs__look look = {.markdown = true, .short_names = true};
    struct uvs__prose prose;
    uvs__print_comparison_verdict(out, comparison, old_runs, new_runs);
    fputs("\n", out);
    if (comparison->worse + comparison->better == 0 && !all)
        return;
    fputs("\n| | metric | of | old | new | change | evidence |\n|---|---|---|---:|---:|---:|---|\n", out);
    for (size_t i = 0; i < comparison->count; i++) {
        const struct uvs_change *change = &comparison->items[i];
        if (!is_shown(change, i, top, all))
            continue;
        fprintf(out, "| %s | `%s` | ", uvs_change_words[change->verdict], change->gauge->name);
        uvs__print_escaped(uvs__prose_begin(&prose, out), change->who);
        uvs__prose_end(&prose, &look, 0, 0);
        fputs(" | ", out);
        print_value(out, change, change->old_value);
        fputs(" | ", out);
        print_value(out, change, change->new_value);
        fputs(" | ", out);
        print_difference(out, change);
        fputs(" | ", out);
        print_evidence(out, change);
        fputs(" |\n", out);
    }
}

static json_t *change_to_json(const struct uvs_change *change)
{
    const bool is_time = uvs_gauge_is_time(change->gauge);
    return json_pack("{s:s, s:o, s:s, s:f, s:f, s:o, s:I, s:I, s:o, s:f, s:s, s:s, s:b}", "metric",
                     change->gauge->name, "who", uvs__json_text(change->who), "unit",
                     is_time ? "ns" : "count", "old", change->old_value, "new", change->new_value, "change",
                     change->old_value > 0 ? json_real(change->new_value / change->old_value - 1)
                                           : json_null(),
                     "old_runs", (json_int_t)change->old_runs, "new_runs", (json_int_t)change->new_runs, "p",
                     change->p < 0 ? json_null() : json_real(change->p), "superiority", change->superiority,
                     "evidence", uvs_evidence_words[change->evidence], "verdict",
                     uvs_change_words[change->verdict], "gated", change->gauge->is_gated);
}

json_t *uvs__comparison_to_json(const struct uvs_comparison *comparison,
                                const struct uvs_compare_options *options, size_t old_runs, size_t new_runs)
{
    json_t *changes = json_array();
    for (size_t i = 0; i < comparison->count; i++)
        json_array_append_new(changes, change_to_json(&comparison->items[i]));
    if (json_array_size(changes) == comparison->count)
        return json_pack("{s:i, s:s, s:I, s:I, s:f, s:f, s:b, s:b, s:I, s:I, s:o}", "schema", 1, "uvscope",
                         UVS_VERSION, "old_runs", (json_int_t)old_runs, "new_runs", (json_int_t)new_runs,
                         "tolerance", options->tolerance, "p", options->p, "tells_noise",
                         comparison->tells_noise, "loss", comparison->has_loss, "worse",
                         (json_int_t)comparison->worse, "better", (json_int_t)comparison->better, "changes",
                         changes);
    json_decref(changes);
    return NULL;
}
