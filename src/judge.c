// SPDX-License-Identifier: MIT
// Verdicts as JSON.
#include "judge.h"

#include "text_format.h"

#include <jansson.h>
#include <stdlib.h>

enum { CHECK_SCHEMA = 1 };

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
    const bool is_whole = *unit == 'n' || *unit == 'c'; // ns, count
    return !is_whole || verdict->value >= 0x1p63 ? json_real(verdict->value)
                                                 : json_integer((json_int_t)verdict->value);
}

static json_t *json_verdict(const struct uvs_verdict *verdict, const char *unit)
{
    const struct uvs_site *site = verdict->site;
    return json_pack("{s:b, s:b, s:o, s:s, s:o, s:o, s:o, s:o}", "passed", verdict->passed, "no_data",
                     verdict->no_data, "value", json_value(verdict, unit), "unit", unit, "where",
                     json_text(verdict->where), "file", json_text(site ? site->file : NULL), "line",
                     site && site->line ? json_integer(site->line) : json_null(), "text",
                     json_text(verdict->text));
}

// NULL without memory.
static json_t *judge_rule(const struct uvs_rule *rule, const struct uvs_report *report, bool *passed,
                          struct uvs_error *error)
{
    struct uvs_verdict *verdicts;
    size_t count;
    if (uvs_rule_check(rule, report, &verdicts, &count, error) < 0)
        return NULL;
    json_t *list = json_array();
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, json_verdict(&verdicts[i], uvs_rule_unit(rule)));
        all = all && verdicts[i].passed;
    }
    const bool whole = json_array_size(list) == count;
    uvs_verdicts_destroy(verdicts, count);
    *passed = *passed && all;
    if (!whole) {
        json_decref(list);
        return NULL;
    }
    return json_pack("{s:o, s:b, s:o}", "rule", json_text(uvs_rule_text(rule)), "passed", all, "verdicts",
                     list);
}

static json_t *json_trace(const struct uvs_trace_facts *trace)
{
    return json_pack("{s:o, s:o, s:{s:o, s:o, s:o}}", "path", json_text(trace->path), "incomplete",
                     json_text(trace->incomplete), "loss", "events", json_count(trace->loss.events),
                     "packets", json_count(trace->loss.packets), "spans_unknown",
                     json_count(trace->loss.spans_unknown));
}

static json_t *judge_all(const struct uvs__judge *judge, const struct uvs_report *report,
                         struct uvs_error *error)
{
    json_t *rules = json_array();
    bool passed = true;
    for (size_t i = 0; i < judge->count; i++)
        json_array_append_new(rules, judge_rule(judge->rules[i], report, &passed, error));
    if (json_array_size(rules) == judge->count)
        return json_pack("{s:i, s:s, s:b, s:o, s:o}", "schema", CHECK_SCHEMA, "uvscope", UVS_VERSION,
                         "passed", passed, "trace", json_trace(&report->trace), "rules", rules);
    json_decref(rules);
    return NULL;
}

int uvs__judge(FILE *out, const struct uvs_report *report, void *data, struct uvs_error *error)
{
    const struct uvs__judge *judge = data;
    json_t *check = judge_all(judge, report, error);
    char *full = judge->measures ? uvs_report_to_json(report) : NULL;
    int result = check && (full || !judge->measures) ? UVS_E_OK : -UVS_E_ENVIRONMENT;
    fputs("{\"check\":", out);
    if (result == 0 && json_dumpf(check, out, JSON_COMPACT) != 0)
        result = -UVS_E_ENVIRONMENT;
    fprintf(out, ",\"report\":%s}\n", full ? full : "null");
    json_decref(check);
    free(full);
    return result < 0 && !error->text[0]
               ? uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory for the verdicts")
               : result;
}
