// SPDX-License-Identifier: MIT
// Reports and baselines to runs, and runs to baselines. Rows of several processes or loops that have one name
// are merged: numbers add up, of times the mean stands, weighted by the samples.
#include "runs.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "json_file.h"

enum { NO_MEMORY = -UVS_E_ENVIRONMENT };

// --- Names ---

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

// By function and file; by label where there are none, without its line.
static int name_site(const json_t *site, char *name, size_t size)
{
    const char *function = text_of(site, "function"), *file = text_of(site, "file");
    const char *slash = strrchr(file, '/');
    if (*function && *file)
        return snprintf(name, size, " %s (%s)", function, slash ? slash + 1 : file);
    return snprintf(name, size, " %s",
                    *function              ? function
                    : json_is_object(site) ? text_of(site, "label")
                                           : "?");
}

// "timer on_tick (app.c)"; of a loop, its thread's name. NULL without memory.
static char *name_row(const json_t *row)
{
    char site[512] = "", *name;
    const json_t *kind = json_object_get(row, "kind"), *caller = json_object_get(row, "called_from");
    if (!json_is_string(kind))
        return asprintf(&name, "loop %s", text_of(row, "name")) < 0 ? NULL : name;
    name_site(caller ? caller : json_object_get(row, "site"), site, sizeof(site));
    return asprintf(&name, "%s%s", json_string_value(kind), site) < 0 ? NULL : name;
}

// --- Figures ---

static int compare_measured(const void *a, const void *b)
{
    const struct uvs_measured *x = a, *y = b;
    if (x->gauge != y->gauge)
        return x->gauge < y->gauge ? -1 : 1;
    return strcmp(x->who, y->who);
}

// Takes `who`.
static int add_measured(struct uvs_run *run, const struct uvs_gauge *gauge, char *who, double value,
                        double count)
{
    if (run->count == run->capacity) {
        const size_t capacity = run->capacity ? run->capacity * 2 : 64;
        struct uvs_measured *items = realloc(run->items, capacity * sizeof(*items));
        if (!items) {
            free(who);
            return NO_MEMORY;
        }
        run->items = items;
        run->capacity = capacity;
    }
    run->items[run->count++] = (struct uvs_measured){gauge, who, value, count};
    return who ? 0 : NO_MEMORY;
}

static void merge_into(struct uvs_measured *to, const struct uvs_measured *from)
{
    const double count = to->count + from->count;
    if (to->gauge->form == UVS_GAUGE_FLOOR)
        to->value = from->value < to->value ? from->value : to->value;
    else if (to->gauge->form != UVS_GAUGE_TIME)
        to->value += from->value;
    else if (count > 0)
        to->value = (to->value * to->count + from->value * from->count) / count;
    to->count = count;
}

static void sort_and_merge(struct uvs_run *run)
{
    size_t kept = 0;
    if (run->count == 0)
        return;
    qsort(run->items, run->count, sizeof(*run->items), compare_measured);
    for (size_t i = 1; i < run->count; i++) {
        if (compare_measured(&run->items[kept], &run->items[i]) != 0) {
            run->items[++kept] = run->items[i];
            continue;
        }
        merge_into(&run->items[kept], &run->items[i]);
        free(run->items[i].who);
    }
    run->count = kept + 1;
}

static int measure_row(struct uvs_run *run, const struct uvs_gauge *gauge, const json_t *row)
{
    const json_t *group = gauge->group ? json_object_get(row, gauge->group) : row;
    const json_t *value = json_object_get(group, gauge->member), *count = json_object_get(group, "count");
    if (!json_is_number(value) || json_number_value(value) < 0)
        return 0;
    return add_measured(run, gauge, name_row(row), json_number_value(value), json_number_value(count));
}

static int measure_rows(struct uvs_run *run, const char *name, const json_t *rows)
{
    size_t index;
    const json_t *row;
    int result = 0;
    json_array_foreach(rows, index, row)
    {
        const struct uvs_gauge *gauge;
        for (size_t i = 0; result == 0 && (gauge = uvs_gauge_at(i)); i++)
            if (strcmp(gauge->rows, name) == 0)
                result = measure_row(run, gauge, row);
    }
    return result;
}

static double sum_of(const json_t *rows, const char *member)
{
    double sum = 0;
    size_t index;
    const json_t *row;
    json_array_foreach(rows, index, row) sum += json_number_value(json_object_get(row, member));
    return sum;
}

static int measure_report(struct uvs_run *run, const json_t *report)
{
    const json_t *loops = json_object_get(report, "loops"), *pools = json_object_get(report, "pool"), *pool;
    const json_t *loss = json_object_get(json_object_get(report, "trace"), "loss");
    size_t index;
    int result = measure_rows(run, "loops", loops);
    if (result == 0)
        result = measure_rows(run, "callbacks", json_object_get(report, "callbacks"));
    if (result == 0)
        result = measure_rows(run, "sync_calls", json_object_get(report, "sync_calls"));
    json_array_foreach(pools, index, pool) if (result == 0)
        result = measure_rows(run, "requests", json_object_get(pool, "requests"));
    run->busy_ns = sum_of(loops, "busy_ns") + sum_of(pools, "busy_ns");
    run->lost = json_number_value(json_object_get(loss, "events")) +
                json_number_value(json_object_get(loss, "packets"));
    return result;
}

// --- Baselines ---

static const struct uvs_gauge *find_gauge(const char *name)
{
    const struct uvs_gauge *gauge;
    for (size_t i = 0; (gauge = uvs_gauge_at(i)); i++)
        if (strcmp(gauge->name, name) == 0)
            return gauge;
    return NULL;
}

// What a later version measures besides is passed over.
static int read_figure(struct uvs_run *run, const json_t *figure)
{
    const struct uvs_gauge *gauge = find_gauge(text_of(figure, "metric"));
    const json_t *who = json_object_get(figure, "who"), *value = json_object_get(figure, "value");
    if (!json_is_string(who) || !json_is_number(value))
        return -UVS_E_USAGE;
    if (!gauge)
        return 0;
    return add_measured(run, gauge, strdup(json_string_value(who)), json_number_value(value),
                        json_number_value(json_object_get(figure, "count")));
}

static int read_run(struct uvs_run *run, const json_t *from)
{
    const json_t *figures = json_object_get(from, "figures"), *figure;
    size_t index;
    int result = json_is_array(figures) ? 0 : -UVS_E_USAGE;
    run->busy_ns = json_number_value(json_object_get(from, "busy_ns"));
    run->lost = json_number_value(json_object_get(from, "lost"));
    json_array_foreach(figures, index, figure) if (result == 0) result = read_figure(run, figure);
    return result;
}

static json_t *run_to_json(const struct uvs_run *run)
{
    json_t *figures = json_array();
    for (size_t i = 0; i < run->count; i++) {
        const struct uvs_measured *item = &run->items[i];
        json_array_append_new(figures, json_pack("{s:s, s:o, s:f, s:f}", "metric", item->gauge->name, "who",
                                                 uvs__json_text(item->who), "value", item->value, "count",
                                                 item->count));
    }
    return json_pack("{s:o, s:f, s:f, s:o}", "trace", uvs__json_text(run->trace), "busy_ns", run->busy_ns,
                     "lost", run->lost, "figures", figures);
}

char *uvs_runs_to_json(const struct uvs_runs *runs)
{
    json_t *list = json_array();
    for (size_t i = 0; i < runs->count; i++)
        json_array_append_new(list, run_to_json(&runs->items[i]));
    json_t *root = json_pack("{s:i, s:s, s:o}", "baseline", UVS_BASELINE_SCHEMA, "uvscope", UVS_VERSION,
                             "runs", list);
    char *text = root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
    json_decref(root);
    return text;
}

// --- Runs ---

static void clear_run(struct uvs_run *run)
{
    for (size_t i = 0; i < run->count; i++)
        free(run->items[i].who);
    free(run->items);
    free(run->trace);
}

void uvs_runs_clear(struct uvs_runs *runs)
{
    for (size_t i = 0; i < runs->count; i++)
        clear_run(&runs->items[i]);
    free(runs->items);
    *runs = (struct uvs_runs){0};
}

typedef int fill_function(struct uvs_run *run, const json_t *from);

static int add_run(struct uvs_runs *runs, fill_function *fill, const json_t *from, const char *trace)
{
    struct uvs_run run = {.trace = strdup(trace)};
    int result = run.trace ? fill(&run, from) : NO_MEMORY;
    struct uvs_run *items = result == 0 ? realloc(runs->items, (runs->count + 1) * sizeof(*items)) : NULL;
    if (!items) {
        clear_run(&run);
        return result ? result : NO_MEMORY;
    }
    sort_and_merge(&run);
    runs->items = items;
    items[runs->count++] = run;
    return 0;
}

static int add_baseline(struct uvs_runs *runs, const json_t *root, const char *name, struct uvs_error *error)
{
    const json_t *list = json_object_get(root, "runs"), *run;
    const json_int_t schema = json_integer_value(json_object_get(root, "baseline"));
    size_t index;
    int result = json_array_size(list) > 0 ? 0 : -UVS_E_USAGE;
    if (schema > UVS_BASELINE_SCHEMA)
        return uvs_error_set(
            error, UVS_E_USAGE,
            "%s is a baseline of schema %lld, this uvscope knows up to %d; use the newer uvscope, or "
            "make the baseline again with --update-baseline",
            name, (long long)schema, UVS_BASELINE_SCHEMA);
    json_array_foreach(list, index, run) if (result == 0)
        result = add_run(runs, read_run, run, *text_of(run, "trace") ? text_of(run, "trace") : name);
    if (result == -UVS_E_USAGE)
        return uvs_error_set(error, UVS_E_USAGE,
                             "%s is a damaged baseline; make it again with --update-baseline", name);
    return result;
}

int uvs_runs_add(struct uvs_runs *runs, const char *json, size_t size, const char *name,
                 struct uvs_error *error)
{
    json_error_t why;
    json_t *root = json_loadb(json, size, 0, &why);
    int result;
    if (!root)
        return uvs_error_set(error, UVS_E_USAGE, "%s is not JSON: line %d: %s", name, why.line, why.text);
    if (json_is_integer(json_object_get(root, "baseline")))
        result = add_baseline(runs, root, name, error);
    else if (json_is_array(json_object_get(root, "loops")))
        result = add_run(runs, measure_report, root, name);
    else
        result = uvs_error_set(
            error, UVS_E_USAGE,
            "%s is neither a report of `uvscope report --format json` nor a baseline of `uvscope "
            "check --update-baseline`",
            name);
    json_decref(root);
    return result == NO_MEMORY ? uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory for %s", name) : result;
}
