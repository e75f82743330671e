// SPDX-License-Identifier: MIT
// A rule and a report to verdicts.
#include "rule.h"
#include "duration.h"
#include "rule_parse.h"

#include <stdio.h>
#include <stdlib.h>

enum { FIGURE_SIZE = 32 };

static bool violates(const struct uvs_rule *rule, const struct uvs__figure *figure)
{
    return figure->state == UVS__FIGURE_KNOWN && !rule->comparison->holds(figure->value, rule->limit);
}

// Which of two figures decides: a violating one, then one that nobody knows, then the one nearest its limit.
static bool is_worse(const struct uvs_rule *rule, const struct uvs__figure *a, const struct uvs__figure *b)
{
    static const int order[] = {[UVS__FIGURE_NONE] = 0, [UVS__FIGURE_KNOWN] = 1, [UVS__FIGURE_UNKNOWN] = 2};
    int a_rank = violates(rule, a) ? 3 : order[a->state], b_rank = violates(rule, b) ? 3 : order[b->state];
    if (a_rank != b_rank)
        return a_rank > b_rank;
    return a->state == UVS__FIGURE_KNOWN &&
           rule->comparison->excess(a->value, rule->limit) > rule->comparison->excess(b->value, rule->limit);
}

static void format_value(char buffer[FIGURE_SIZE], enum uvs__unit unit, double value)
{
    switch (unit) {
    case UVS__UNIT_TIME:
        uvs_format_ns(buffer, FIGURE_SIZE, value < 0x1p63 ? (uint64_t)value : UINT64_MAX - 1);
        break;
    case UVS__UNIT_COUNT:
        snprintf(buffer, FIGURE_SIZE, "%.0f", value);
        break;
    case UVS__UNIT_RATIO:
        snprintf(buffer, FIGURE_SIZE, "%.1f %%", value * 100);
        break;
    case UVS__UNIT_QUOTIENT:
        snprintf(buffer, FIGURE_SIZE, "%.6g", value);
        break;
    }
}

static void format_place(char *buffer, size_t size, const struct uvs__figure *figure)
{
    if (figure->pid == 0)
        buffer[0] = '\0';
    else if (figure->loop == UVS__LOOP_NONE)
        snprintf(buffer, size, "pid %u outside of any loop", figure->pid);
    else if (figure->loop == UVS__LOOP_ANY)
        snprintf(buffer, size, "pid %u", figure->pid);
    else
        snprintf(buffer, size, "pid %u loop %d", figure->pid, figure->loop);
}

// NULL is the whole trace. Returns false without memory.
static bool create_where(const struct uvs_rule *rule, const struct uvs__figure *figure, char **ret_where)
{
    char place[64];
    format_place(place, sizeof(place), figure);
    if (!*place)
        return true;
    const char *kind = figure->kind >= 0 ? uvs_kind_name((uint8_t)figure->kind) : NULL;
    if (!figure->site)
        return asprintf(ret_where, "%s", place) >= 0;
    return asprintf(ret_where, "%s, %s%s%s%s", place, rule->value.selection.by_site ? "" : "by ", kind ? kind : "",
                    kind ? " " : "", figure->site->label) >= 0;
}

static int decide(const struct uvs_rule *rule, const struct uvs__figure *figure, struct uvs_verdict *verdict)
{
    char value[FIGURE_SIZE];
    const char *said = value;
    format_value(value, rule->unit, figure->value);
    verdict->no_data = figure->state != UVS__FIGURE_KNOWN;
    verdict->value = figure->value;
    verdict->site = figure->site;
    verdict->passed = !verdict->no_data && !violates(rule, figure);
    if (figure->state == UVS__FIGURE_NONE) {
        verdict->passed = rule->or_none;
        said = rule->or_none ? "no data" : "no data; end the rule in `or none` to allow that";
    } else if (figure->state == UVS__FIGURE_UNKNOWN) {
        said = "unknown: the trace does not have all that it needs";
    }
    if (!create_where(rule, figure, &verdict->where))
        return -UVS_E_ENVIRONMENT;
    const char *where = verdict->where;
    int length = asprintf(&verdict->text, "%s: %s%s%s%s", rule->text, said, where ? " (" : "",
                          where ? where : "", where ? ")" : "");
    if (length >= 0)
        return 0;
    verdict->text = NULL;
    return -UVS_E_ENVIRONMENT;
}

// Every violating figure `by site`, else the one that decides.
static int decide_all(const struct uvs_rule *rule, const struct uvs__figure *figures, size_t count,
                      struct uvs_verdict *verdicts, size_t *ret_count)
{
    static const struct uvs__figure none = {.state = UVS__FIGURE_NONE, .loop = UVS__LOOP_ANY, .kind = -1};
    const struct uvs__figure *worst = count ? &figures[0] : &none;
    for (size_t i = 0; i < count; i++)
        if (is_worse(rule, &figures[i], worst))
            worst = &figures[i];
    *ret_count = 1;
    if (!rule->value.selection.by_site || !violates(rule, worst))
        return decide(rule, worst, &verdicts[0]);
    *ret_count = 0;
    int result = 0;
    for (size_t i = 0; result == 0 && i < count; i++)
        if (violates(rule, &figures[i]))
            result = decide(rule, &figures[i], &verdicts[(*ret_count)++]);
    return result;
}

// Everything that matches, wherever it was.
static int create_sum(const struct uvs__term *term, const struct uvs_report *report,
                      struct uvs__figure *ret_sum)
{
    struct uvs__figure *figures = NULL, sum = {.state = UVS__FIGURE_NONE, .loop = UVS__LOOP_ANY, .kind = -1};
    size_t count = 0;
    int result = uvs__figures_create(term->metric, &term->selection, report, &figures, &count);
    for (size_t i = 0; result == 0 && i < count; i++) {
        sum.value += figures[i].value;
        if (sum.state != UVS__FIGURE_UNKNOWN)
            sum.state = figures[i].state;
    }
    free(figures);
    *ret_sum = sum;
    return result;
}

static int create_quotient(const struct uvs_rule *rule, const struct uvs_report *report,
                           struct uvs__figure **ret_figures, size_t *ret_count)
{
    struct uvs__figure *figures = calloc(1, sizeof(*figures)), divisor = {.state = UVS__FIGURE_NONE};
    int result = figures ? create_sum(&rule->value, report, figures) : -UVS_E_ENVIRONMENT;
    if (result == 0)
        result = create_sum(&rule->divisor, report, &divisor);
    if (result < 0) {
        free(figures);
        return result;
    }
    if (divisor.state == UVS__FIGURE_KNOWN && !(divisor.value > 0))
        divisor.state = UVS__FIGURE_NONE;
    if (divisor.state != UVS__FIGURE_KNOWN)
        figures->state = divisor.state;
    else
        figures->value /= divisor.value;
    *ret_figures = figures;
    *ret_count = 1;
    return 0;
}

int uvs_rule_check(const struct uvs_rule *rule, const struct uvs_report *report,
                   struct uvs_verdict **ret_verdicts, size_t *ret_count, struct uvs_error *error)
{
    struct uvs__figure *figures = NULL;
    size_t count = 0, verdict_count = 0;
    int result = rule->divisor.metric ? create_quotient(rule, report, &figures, &count)
                                      : uvs__figures_create(rule->value.metric, &rule->value.selection, report,
                                                            &figures, &count);
    struct uvs_verdict *verdicts = result == 0 ? calloc(count + 1, sizeof(*verdicts)) : NULL;
    if (verdicts)
        result = decide_all(rule, figures, count, verdicts, &verdict_count);
    free(figures);
    if (!verdicts || result < 0) {
        uvs_verdicts_destroy(verdicts, verdict_count);
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory to check '%s'", rule->text);
    }
    *ret_verdicts = verdicts;
    *ret_count = verdict_count;
    return 0;
}

void uvs_verdicts_destroy(struct uvs_verdict *verdicts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(verdicts[i].where);
        free(verdicts[i].text);
    }
    free(verdicts);
}

const char *uvs_rule_text(const struct uvs_rule *rule)
{
    return rule->text;
}

const char *uvs_rule_unit(const struct uvs_rule *rule)
{
    return rule->divisor.metric ? "quotient" : rule->value.metric->info.unit;
}
