// SPDX-License-Identifier: MIT
// The workers' verdicts and the comparison, as one list.
#include "check_result.h"

#include "text_compare.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { NO_MEMORY = -UVS_E_ENVIRONMENT };

int uvs__check_result_add(struct uvs__check_result *result, const char *text, size_t size, const char *path,
                          struct uvs_error *error)
{
    json_error_t why;
    json_t *root = json_loadb(text, size, 0, &why);
    json_t *check = json_object_get(root, "check"), *report = json_object_get(root, "report");
    int rc = 0;
    if (!result->checks)
        result->checks = json_array();
    if (!json_is_object(check) || json_array_append(result->checks, check) != 0)
        rc = uvs_error_set(error, UVS_E_ENVIRONMENT, "the verdicts on %s cannot be read: %s", path,
                           root ? "memory" : why.text);
    char *measured = rc == 0 && json_is_object(report) ? json_dumps(report, JSON_COMPACT) : NULL;
    if (measured)
        rc = uvs_runs_add(&result->runs, measured, strlen(measured), path, error);
    free(measured);
    json_decref(root);
    return rc;
}

static struct uvs__outcome *add_outcome(struct uvs__check_result *result, const char *suite, bool passed)
{
    struct uvs__outcome *items = realloc(result->outcomes, (result->outcome_count + 1) * sizeof(*items));
    if (!items)
        return NULL;
    result->outcomes = items;
    items[result->outcome_count] = (struct uvs__outcome){.suite = suite, .passed = passed};
    result->failed += !passed;
    return &items[result->outcome_count++];
}

// "loop.block.max < 50ms", of several runs "run 2: loop.block.max < 50ms".
static char *in_run(const struct uvs__check_result *result, size_t run, const char *text)
{
    char *name;
    if (json_array_size(result->checks) == 1)
        return strdup(text);
    return asprintf(&name, "run %zu: %s", run + 1, text) < 0 ? NULL : name;
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static int add_verdict(struct uvs__check_result *result, size_t run, const json_t *rule,
                       const json_t *verdict)
{
    struct uvs__outcome *outcome = add_outcome(result, "rules",
                                               json_is_true(json_object_get(verdict, "passed")));
    const char *text = text_of(verdict, "text"), *name = text_of(rule, "rule");
    if (!outcome)
        return NO_MEMORY;
    outcome->name = in_run(result, run, name ? name : "");
    outcome->text = in_run(result, run, text ? text : "");
    outcome->file = text_of(verdict, "file");
    outcome->line = (int)json_integer_value(json_object_get(verdict, "line"));
    return outcome->name && outcome->text ? 0 : NO_MEMORY;
}

static int add_rules(struct uvs__check_result *result)
{
    size_t run, i, j;
    const json_t *check, *rule, *verdict;
    int rc = 0;
    json_array_foreach(result->checks, run, check)
        json_array_foreach(json_object_get(check, "rules"), i, rule)
            json_array_foreach(json_object_get(rule, "verdicts"), j, verdict) if (rc == 0)
                rc = add_verdict(result, run, rule, verdict);
    return rc;
}

static char *describe(const struct uvs_change *change)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    uvs__print_change(out, change);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

// Of what is gated, what got worse; if nothing did, that.
static int add_changes(struct uvs__check_result *result)
{
    const struct uvs_comparison *comparison = &result->comparison;
    for (size_t i = 0; i < comparison->count; i++) {
        const struct uvs_change *change = &comparison->items[i];
        if (!uvs_change_fails(comparison, change))
            continue;
        struct uvs__outcome *outcome = add_outcome(result, "baseline", false);
        if (!outcome || asprintf(&outcome->name, "%s of %s", change->gauge->name, change->who) < 0)
            return NO_MEMORY;
        outcome->text = describe(change);
        if (!outcome->text)
            return NO_MEMORY;
    }
    if (comparison->gated > 0)
        return 0;
    struct uvs__outcome *outcome = add_outcome(result, "baseline", true);
    if (!outcome)
        return NO_MEMORY;
    outcome->name = strdup("nothing is worse than the baseline");
    outcome->text = strdup("nothing is worse than the baseline");
    return outcome->name && outcome->text ? 0 : NO_MEMORY;
}

int uvs__check_result_finish(struct uvs__check_result *result)
{
    int rc = add_rules(result);
    if (rc < 0 || result->baseline.count == 0 || result->runs.count == 0)
        return rc;
    rc = uvs_compare(&result->baseline, &result->runs, &result->options, &result->comparison);
    if (rc < 0)
        return rc;
    result->is_compared = true;
    return add_changes(result);
}

void uvs__check_result_clear(struct uvs__check_result *result)
{
    for (size_t i = 0; i < result->outcome_count; i++) {
        free(result->outcomes[i].name);
        free(result->outcomes[i].text);
    }
    free(result->outcomes);
    uvs_comparison_clear(&result->comparison);
    uvs_runs_clear(&result->runs);
    uvs_runs_clear(&result->baseline);
    json_decref(result->checks);
    *result = (struct uvs__check_result){0};
}
