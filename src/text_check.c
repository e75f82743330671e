// SPDX-License-Identifier: MIT
// Verdicts as lines and as JSON.
#include "text_check.h"

#include "text_report.h"

#include <jansson.h>
#include <stdlib.h>

enum { CHECK_SCHEMA = 1 };

bool uvs__judgement_passed(const struct uvs__judgement *judgement)
{
    for (size_t i = 0; i < judgement->count; i++)
        if (!judgement->verdicts[i].passed)
            return false;
    return true;
}

static void print_verdict(FILE *out, const struct uvs__look *look, const struct uvs_verdict *verdict)
{
    enum uvs__style style = verdict->passed ? UVS__STYLE_GREEN : UVS__STYLE_RED;
    uvs__style_begin(out, look, style);
    fputs(verdict->passed ? "ok      " : "VIOLATED", out);
    uvs__style_end(out, look, style);
    fputs("  ", out);
    uvs__print_escaped(out, verdict->text);
    fputc('\n', out);
}

static void print_loss_note(FILE *out, const struct uvs_trace_facts *trace)
{
    if (trace->loss.events == 0 && trace->loss.packets == 0 && trace->loss.spans_unknown == 0)
        return;
    fputs("note      ", out);
    if (!uvs__print_loss(out, trace))
        fputs("the trace has gaps", out);
    if (trace->loss.spans_unknown) {
        fputs("; self times and blocks are unknown of callbacks: ", out);
        uvs__print_count(out, trace->loss.spans_unknown);
    }
    fputc('\n', out);
}

void uvs__print_judgements(FILE *out, const struct uvs__look *look, const struct uvs_report *report,
                           const struct uvs__judgement *judgements, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < judgements[i].count; j++)
            print_verdict(out, look, &judgements[i].verdicts[j]);
    print_loss_note(out, &report->trace);
}

// JSON holds UTF-8 only: other text is shown as on a terminal.
static json_t *json_text(const char *text)
{
    json_t *value = text ? json_string(text) : json_null();
    if (value)
        return value;
    char *escaped = NULL;
    size_t size;
    FILE *out = open_memstream(&escaped, &size);
    if (!out)
        return NULL;
    uvs__print_escaped(out, text);
    value = fclose(out) == 0 ? json_string(escaped) : NULL;
    free(escaped);
    return value;
}

static json_t *json_count(uint64_t number)
{
    return number == UVS_ABSENT ? json_null() : json_integer((json_int_t)number);
}

static json_t *json_value(const struct uvs_verdict *verdict, const char *unit)
{
    if (verdict->no_data)
        return json_null();
    return *unit == 'r' || verdict->value >= 0x1p63 ? json_real(verdict->value)
                                                    : json_integer((json_int_t)verdict->value);
}

static json_t *json_verdict(const struct uvs_verdict *verdict, const char *unit)
{
    return json_pack("{s:b, s:b, s:o, s:s, s:o, s:o}", "passed", verdict->passed, "no_data", verdict->no_data,
                     "value", json_value(verdict, unit), "unit", unit, "where", json_text(verdict->where),
                     "text", json_text(verdict->text));
}

static json_t *json_judgement(const struct uvs__judgement *judgement)
{
    json_t *verdicts = json_array();
    for (size_t i = 0; i < judgement->count; i++)
        json_array_append_new(verdicts,
                              json_verdict(&judgement->verdicts[i], uvs_rule_unit(judgement->rule)));
    return json_pack("{s:o, s:b, s:o}", "rule", json_text(uvs_rule_text(judgement->rule)), "passed",
                     uvs__judgement_passed(judgement), "verdicts", verdicts);
}

static json_t *json_trace(const struct uvs_trace_facts *trace)
{
    return json_pack("{s:o, s:o, s:{s:o, s:o, s:o}}", "path", json_text(trace->path), "incomplete",
                     json_text(trace->incomplete), "loss", "events", json_count(trace->loss.events),
                     "packets", json_count(trace->loss.packets), "spans_unknown",
                     json_count(trace->loss.spans_unknown));
}

int uvs__print_judgements_json(FILE *out, const struct uvs_report *report,
                               const struct uvs__judgement *judgements, size_t count)
{
    json_t *rules = json_array();
    bool passed = true;
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(rules, json_judgement(&judgements[i]));
        passed = passed && uvs__judgement_passed(&judgements[i]);
    }
    json_t *root = json_pack("{s:i, s:s, s:b, s:o, s:o}", "schema", CHECK_SCHEMA, "uvscope", UVS_VERSION,
                             "passed", passed, "trace", json_trace(&report->trace), "rules", rules);
    bool is_whole = root && json_array_size(rules) == count && json_dumpf(root, out, JSON_INDENT(2)) == 0;
    json_decref(root);
    fputc('\n', out);
    return is_whole ? 0 : -UVS_E_ENVIRONMENT;
}
