// SPDX-License-Identifier: MIT
// `uvscope check`: tests a trace against rules.
#include "command.h"

#include "report_job.h"
#include "text_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT_TEXT, FORMAT_JSON };

static int format = FORMAT_TEXT, reader = UVS_READER_AUTO;
static struct uvs_strings rule_texts;
static const char *rules_file;
static bool in_process;

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

static int print(FILE *out, const struct uvs_report *report, const struct uvs__judgement *judgements,
                 size_t count, struct uvs_error *error)
{
    const struct uvs__look look = uvs__look_of_stdout(UVS__COLOUR_AUTO, 0);
    if (format == FORMAT_TEXT)
        uvs__print_judgements(out, &look, report, judgements, count);
    else if (uvs__print_judgements_json(out, report, judgements, count) < 0)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory for the verdicts");
    for (size_t i = 0; i < count; i++)
        if (!uvs__judgement_passed(&judgements[i]))
            return UVS_E_VIOLATION;
    return UVS_E_OK;
}

static int judge(FILE *out, const struct uvs_report *report, void *data, struct uvs_error *error)
{
    const struct rules *rules = data;
    struct uvs__judgement *judgements = calloc(rules->count, sizeof(*judgements));
    if (!judgements)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory for the verdicts");
    int status = 0;
    for (size_t i = 0; status == 0 && i < rules->count; i++) {
        judgements[i].rule = rules->items[i];
        status = uvs_rule_check(rules->items[i], report, &judgements[i].verdicts, &judgements[i].count,
                                error);
    }
    if (status == 0)
        status = print(out, report, judgements, rules->count, error);
    for (size_t i = 0; i < rules->count; i++)
        uvs_verdicts_destroy(judgements[i].verdicts, judgements[i].count);
    free(judgements);
    return status;
}

static int run(char **operands)
{
    struct rules rules = {0};
    const struct uvs__report_job job = {
        .in_process = in_process, .reader = (enum uvs_reader_choice)reader, .render = judge, .data = &rules};
    int status = collect_rules(&rules);
    if (status == 0 && rules.has_error)
        status = UVS_E_USAGE;
    else if (status == 0 && rules.count == 0)
        status = uvs_complain(UVS_E_USAGE, "there is no rule to check; for example: "
                                           "uvscope check --rule 'loop.block.max < 50ms'");
    if (status == 0)
        status = uvs__report_job_run(&job, operands);
    destroy_rules(&rules);
    return status;
}

static const struct uvs_option options[] = {
    {"rule", 'r', UVS_OPTION_LIST, "RULE", "A rule that must hold; may be repeated", &rule_texts},
    {"rules", 0, UVS_OPTION_STRING, "FILE", "Rules from a file, one a line; # begins a comment", &rules_file},
    {"format", 'f', UVS_OPTION_CHOICE, "text|json", "For people or for programs (default text)", &format},
    {"reader", 0, UVS_OPTION_CHOICE, UVS__READER_CHOICES,
     "How to read CTF; auto is fast where the trace is as LTTng-UST writes it (default auto)", &reader},
    {"in-process", 0, UVS_OPTION_FLAG, NULL, "Read in this process, for debuggers", &in_process},
    {0},
};

const struct uvs_command uvs_command_check = {
    .name = "check",
    .summary = "Test a trace against rules; exit 1 when one is violated",
    .operands = "[TRACE]",
    .description =
        "Evaluates rules on TRACE (as for `uvscope report`; without it, the newest recording) and ends with "
        "1 "
        "if one is violated, after naming each violated rule with its figure.\n\n"
        "A rule is: METRIC [kind=K] [site~REGEX] [pid=N] [by site [min N]] OP VALUE [or none]\n\n"
        "for example: loop.block.max < 50ms, or: callback.delay.p99 kind=timer < 10ms. A metric that has no "
        "data violates its rule, unless the rule ends in `or none`.",
    .options = options,
    .run = run,
};
