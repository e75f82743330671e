// SPDX-License-Identifier: MIT
// `uvscope check`: tests runs against rules and against a baseline.
#include "command.h"

#include "check_forms.h"
#include "export_output.h"
#include "judge.h"
#include "report_job.h"
#include "run_inputs.h"
#include "runs_dir.h"
#include "tolerance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FORMAT_TEXT, FORMAT_JSON };

static int format = FORMAT_TEXT, reader = UVS_READER_AUTO;
static struct uvs_strings rule_texts, baseline_files;
static const char *rules_file, *junit_file, *markdown_file, *benchmark_file;
static const char *tolerance = UVS__TOLERANCE_DEFAULT;
static bool in_process, update_baseline, github;

struct rules {
    struct uvs_rule **items;
    size_t count;
    bool has_error; // all of them are said before the command ends
};

static int add_rule(struct rules *rules, const char *text, const char *file, size_t line)
{
    struct uvs_error error = {0};
    struct uvs_rule **items = realloc(rules->items, (rules->count + 1) * sizeof(*items)), *rule;
    if (!items)
        return uvs_complain(UVS_E_ENVIRONMENT, "no memory for the rules");
    rules->items = items;
    int result = uvs_rule_parse(text, &rule, &error);
    if (result == 0) {
        rules->items[rules->count++] = rule;
        return 0;
    }
    if (file)
        uvs_error_add(&error, "%s:%zu", file, line);
    uvs_complain(0, "%s", error.text);
    rules->has_error = true;
    return result == -UVS_E_USAGE ? 0 : -result;
}

// A comment begins with a # at the begin of a word, outside of quotes.
static void cut_comment(char *line)
{
    char quote = '\0';
    for (char *c = line; *c; c++) {
        if (quote ? *c == quote : *c == '"' || *c == '\'')
            quote = quote ? '\0' : *c;
        else if (*c == '#' && !quote && (c == line || strchr(" \t", c[-1]))) {
            *c = '\0';
            return;
        }
    }
}

static int read_rules(struct rules *rules, FILE *file)
{
    char *line = NULL;
    size_t size = 0, number = 0;
    int status = 0;
    errno = 0;
    while (status == 0 && getline(&line, &size, file) >= 0) {
        number++;
        cut_comment(line);
        if (line[strspn(line, " \t\r\n")])
            status = add_rule(rules, line, rules_file, number);
    }
    if (status == 0 && ferror(file))
        status = uvs_complain(UVS_E_USAGE, "cannot read rules from %s: %s", rules_file, strerror(errno));
    free(line);
    return status;
}

static int collect_rules(struct rules *rules)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < rule_texts.count; i++)
        status = add_rule(rules, rule_texts.items[i], NULL, 0);
    if (status || !rules_file)
        return status;
    FILE *file = fopen(rules_file, "re");
    if (!file)
        return uvs_complain(UVS_E_USAGE, "cannot open the rules in %s: %s", rules_file, strerror(errno));
    status = read_rules(rules, file);
    fclose(file);
    return status;
}

static void destroy_rules(struct rules *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        uvs_rule_destroy(rules->items[i]);
    free(rules->items);
}

// --- Outputs ---

typedef int print_function(FILE *out, const struct uvs__check_result *result);

static int print_to(FILE *out, print_function *print, const struct uvs__check_result *result,
                    const char *name)
{
    if (print(out, result) < 0)
        return uvs_complain(UVS_E_ENVIRONMENT, "no memory for %s", name);
    if (fflush(out) != 0 || ferror(out))
        return uvs_complain(UVS_E_ENVIRONMENT, "cannot write %s: %s", name, strerror(errno));
    return 0;
}

// mode: of fopen.
static int print_to_file(const char *file, const char *mode, print_function *print,
                         const struct uvs__check_result *result)
{
    if (!file)
        return 0;
    FILE *out = fopen(file, mode);
    if (!out)
        return uvs_complain(UVS_E_ENVIRONMENT, "cannot write %s: %s", file, strerror(errno));
    int status = print_to(out, print, result, file);
    if (fclose(out) != 0 && status == 0)
        status = uvs_complain(UVS_E_ENVIRONMENT, "cannot write %s: %s", file, strerror(errno));
    return status;
}

static int print_text(FILE *out, const struct uvs__check_result *result)
{
    const struct uvs__look look = uvs__look_of_stdout(UVS__COLOUR_AUTO, 0);
    return uvs__print_check(out, &look, result);
}

static int print_all(const struct uvs__check_result *result)
{
    int status = print_to(stdout, format == FORMAT_JSON ? uvs__print_check_json : print_text, result,
                          "the output");
    if (github && status == 0)
        status = print_to(stdout, uvs__print_check_github, result, "the output");
    if (github && status == 0)
        status = print_to_file(getenv("GITHUB_STEP_SUMMARY"), "ae", uvs__print_check_markdown, result);
    if (status == 0)
        status = print_to_file(junit_file, "we", uvs__print_check_junit, result);
    if (status == 0)
        status = print_to_file(markdown_file, "we", uvs__print_check_markdown, result);
    if (status == 0)
        status = print_to_file(benchmark_file, "we", uvs__print_check_benchmark, result);
    return status;
}

// --- The baseline ---

static int load_baseline(struct uvs__check_result *result)
{
    int status = 0;
    for (size_t i = 0; i < baseline_files.count && status == 0; i++) {
        const char *file = baseline_files.items[i];
        if (update_baseline && access(file, F_OK) != 0)
            continue; // the first one
        status = uvs__runs_load(&result->baseline, file);
    }
    return status;
}

// What the check found is said before: nothing gets worse in silence.
static int save_baseline(const struct uvs__check_result *result)
{
    const char *file = baseline_files.items[0];
    struct uvs_worker_progress unwatched = {0};
    struct uvs__export_output output;
    struct uvs_error error = {0};
    char *json = uvs_runs_to_json(&result->runs);
    if (!json)
        return uvs_complain(UVS_E_ENVIRONMENT, "no memory for the baseline");
    int rc = uvs__export_output_create(file, &output, &error);
    if (rc == 0) {
        FILE *out = uvs__export_output_open(&output, &unwatched);
        const bool written = out && fprintf(out, "%s\n", json) > 0;
        const bool closed = out && fclose(out) == 0;
        rc = written && closed
                 ? uvs__export_output_keep(&output, &error)
                 : uvs_error_set(&error, UVS_E_ENVIRONMENT, "cannot write %s: %s", file, strerror(errno));
        uvs__export_output_destroy(&output);
    }
    free(json);
    if (rc < 0)
        return uvs_complain(-rc, "%s", error.text);
    fprintf(stderr, "uvscope: %s now is the baseline of %zu run%s\n", file, result->runs.count,
            result->runs.count == 1 ? "" : "s");
    return 0;
}

static bool rules_hold(const struct uvs__check_result *result)
{
    for (size_t i = 0; i < result->outcome_count; i++)
        if (!result->outcomes[i].passed && strcmp(result->outcomes[i].suite, "rules") == 0)
            return false;
    return true;
}

static int update(const struct uvs__check_result *result)
{
    if (rules_hold(result))
        return save_baseline(result);
    return uvs_complain(UVS_E_VIOLATION, "a rule is violated, so %s stays as it is", baseline_files.items[0]);
}

// --- The check ---

static int check_run(struct uvs__check_result *result, const struct uvs__report_job *job, const char *path)
{
    struct uvs_error error = {0};
    char *text;
    size_t size = 0;
    int status = uvs__report_job_capture(job, path, &text, &size);
    if (text && uvs__check_result_add(result, text, size, path, &error) < 0)
        status = uvs_complain(UVS_E_ENVIRONMENT, "%s", error.text);
    free(text);
    return status;
}

// The status of the first run that could not be read whole; the others are checked all the same.
static int check_runs(struct uvs__check_result *result, const struct rules *rules,
                      const struct uvs_strings *paths)
{
    struct uvs__judge judge = {rules->items, rules->count, baseline_files.count > 0 || benchmark_file};
    const struct uvs__report_job job = {.in_process = in_process,
                                        .reader = (enum uvs_reader_choice)reader,
                                        .render = uvs__judge,
                                        .data = &judge};
    int status = 0;
    for (size_t i = 0; i < paths->count; i++) {
        const int of_run = check_run(result, &job, paths->items[i]);
        status = status ? status : of_run;
    }
    return status;
}

static int conclude(struct uvs__check_result *result, int status)
{
    if (json_array_size(result->checks) == 0)
        return status;
    if (uvs__check_result_finish(result) < 0)
        return uvs_complain(UVS_E_ENVIRONMENT, "no memory for the verdicts");
    const int printed = print_all(result);
    if (status || printed)
        return status ? status : printed;
    if (update_baseline)
        return update(result);
    return result->failed ? UVS_E_VIOLATION : UVS_E_OK;
}

static int check(const struct rules *rules, const struct uvs_strings *paths)
{
    struct uvs__check_result result = {.options = UVS_COMPARE_DEFAULTS};
    struct uvs_error error = {0};
    int status = 0;
    if (uvs__parse_tolerance(tolerance, &result.options.tolerance, &error) < 0)
        status = uvs_complain(UVS_E_USAGE, "%s", error.text);
    if (status == 0)
        status = load_baseline(&result);
    if (status == 0)
        status = conclude(&result, check_runs(&result, rules, paths));
    uvs__check_result_clear(&result);
    return status;
}

// What the options ask for together. 0 or UVS_E_USAGE.
static int look_at_options(const struct rules *rules)
{
    if (rules->has_error)
        return UVS_E_USAGE;
    if (rules->count == 0 && baseline_files.count == 0)
        return uvs_complain(UVS_E_USAGE, "there is no rule to check, and no baseline; for example: "
                                         "uvscope check --rule 'loop.block.max < 50ms'");
    if (update_baseline && baseline_files.count != 1)
        return uvs_complain(UVS_E_USAGE, "--update-baseline needs one --baseline FILE, which it writes");
    if (github && format == FORMAT_JSON)
        return uvs_complain(UVS_E_USAGE,
                            "--github and --format json both write to standard output; choose one");
    return 0;
}

static int run(char **operands)
{
    struct rules rules = {0};
    struct uvs_strings paths = {0};
    int status = collect_rules(&rules);
    if (status == 0)
        status = look_at_options(&rules);
    if (status == 0)
        status = uvs__expand_runs(operands, &paths);
    if (status == 0)
        status = check(&rules, &paths);
    uvs__paths_clear(&paths);
    destroy_rules(&rules);
    return status;
}

static const struct uvs_option options[] = {
    {"rule", 'r', UVS_OPTION_LIST, "RULE", "A rule that must hold; may be repeated", &rule_texts},
    {"rules", 0, UVS_OPTION_STRING, "FILE", "Rules from a file, one a line; # begins a comment", &rules_file},
    {"baseline", 'b', UVS_OPTION_LIST, "FILE",
     "Fail if something is worse than in the runs of FILE, a baseline or a report as JSON; may be repeated",
     &baseline_files},
    {"tolerance", 0, UVS_OPTION_STRING, "PERCENT", UVS__TOLERANCE_HELP, &tolerance},
    {"update-baseline", 0, UVS_OPTION_FLAG, NULL,
     "Make the baseline FILE of these runs, unless they violate a rule; what is worse than before is said",
     &update_baseline},
    {"format", 'f', UVS_OPTION_CHOICE, "text|json", "For people or for programs (default text)", &format},
    {"junit", 0, UVS_OPTION_STRING, "FILE", "Write the outcomes as JUnit XML, too", &junit_file},
    {"github", 0, UVS_OPTION_FLAG, NULL,
     "Print annotations for GitHub Actions, too, and append to the job's summary ($GITHUB_STEP_SUMMARY)",
     &github},
    {"markdown", 0, UVS_OPTION_STRING, "FILE", "Write the outcomes as Markdown, too", &markdown_file},
    {"benchmark", 0, UVS_OPTION_STRING, "FILE",
     "Write the figures for github-action-benchmark, too (customSmallerIsBetter)", &benchmark_file},
    {"reader", 0, UVS_OPTION_CHOICE, UVS__READER_CHOICES,
     "How to read CTF; auto is fast where the trace is as LTTng-UST writes it (default auto)", &reader},
    {"in-process", 0, UVS_OPTION_FLAG, NULL, "Read in this process, for debuggers", &in_process},
    {0},
};

const struct uvs_command uvs_command_check = {
    .name = "check",
    .summary = "Test a trace against rules; exit 1 when one is violated",
    .operands = "[TRACE]...",
    .description =
        "Evaluates rules on TRACE (as for `uvscope report`; without it, the newest recording) and ends with "
        "1 "
        "if one is violated, after naming each violated rule with its figure.\n\n"
        "A rule is: METRIC [kind=K] [site~REGEX] [pid=N] [by site [min N]] [/ METRIC ...] OP VALUE [or "
        "none]\n\n"
        "for example: loop.block.max < 50ms, or: callback.delay.p99 kind=timer < 10ms. A metric that has no "
        "data violates its rule, unless the rule ends in `or none`.\n\n"
        "Of several runs, each must hold the rules. With a baseline, the runs together are compared with its "
        "runs as "
        "`uvscope compare` does: numbers of synchronous calls and of requests to the pool, and how long "
        "callbacks, "
        "synchronous calls and the pool's work took. What is worse is a violation.",
    .options = options,
    .run = run,
};
