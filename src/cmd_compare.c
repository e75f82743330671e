// SPDX-License-Identifier: MIT
// `uvscope compare`: what changed between two groups of runs.
#include "command.h"

#include "run_inputs.h"
#include "text_compare.h"
#include "tolerance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT_TEXT, FORMAT_JSON, FORMAT_MARKDOWN };

static int format = FORMAT_TEXT, colour = UVS__COLOUR_AUTO, reader = UVS_READER_AUTO;
static struct uvs_strings old_paths, new_paths;
static const char *tolerance = UVS__TOLERANCE_DEFAULT;
static bool all, in_process;

static int collect(struct uvs_runs *runs, const struct uvs_strings *paths, const char *path)
{
    const struct uvs__report_job how = {.in_process = in_process, .reader = (enum uvs_reader_choice)reader};
    int status = path ? uvs__runs_collect(runs, path, &how) : 0;
    for (size_t i = 0; i < paths->count && status == 0; i++)
        status = uvs__runs_collect(runs, paths->items[i], &how);
    return status;
}

static int print_json(const struct uvs_comparison *comparison, const struct uvs_compare_options *options,
                      size_t old_runs, size_t new_runs)
{
    json_t *root = uvs__comparison_to_json(comparison, options, old_runs, new_runs);
    // What could not be written is the caller's to say.
    const bool printed = root && (json_dumpf(root, stdout, JSON_INDENT(2)) == 0 || ferror(stdout));
    json_decref(root);
    putchar('\n');
    return printed ? 0 : uvs_complain(UVS_E_ENVIRONMENT, "no memory for the comparison");
}

static int print(const struct uvs_comparison *comparison, const struct uvs_compare_options *options,
                 size_t old_runs, size_t new_runs)
{
    const struct uvs__look look = uvs__look_of_stdout((enum uvs__colour)colour, 0);
    int status = 0;
    if (format == FORMAT_JSON)
        status = print_json(comparison, options, old_runs, new_runs);
    else if (format == FORMAT_MARKDOWN)
        uvs__print_comparison_markdown(stdout, comparison, old_runs, new_runs, 0, all);
    else
        uvs__print_comparison(stdout, &look, comparison, old_runs, new_runs, 0, all);
    if (status == 0 && (fflush(stdout) != 0 || ferror(stdout)))
        return uvs_complain(UVS_E_ENVIRONMENT, "cannot write the output: %s", strerror(errno));
    return status;
}

static int compare(const struct uvs_runs *sides, const struct uvs_compare_options *options)
{
    struct uvs_comparison comparison;
    if (sides[0].count == 0 || sides[1].count == 0)
        return uvs_complain(UVS_E_USAGE, "there is nothing to compare; for example: uvscope compare OLD NEW");
    if (uvs_compare(&sides[0], &sides[1], options, &comparison) < 0)
        return uvs_complain(UVS_E_ENVIRONMENT, "no memory for the comparison");
    const int status = print(&comparison, options, sides[0].count, sides[1].count);
    uvs_comparison_clear(&comparison);
    return status;
}

static int run(char **operands)
{
    struct uvs_compare_options options = UVS_COMPARE_DEFAULTS;
    struct uvs_runs sides[2] = {{0}};
    struct uvs_error error = {0};
    const bool named = operands[0] != NULL;
    if (uvs__parse_tolerance(tolerance, &options.tolerance, &error) < 0)
        return uvs_complain(UVS_E_USAGE, "%s", error.text);
    if (named && (!operands[1] || operands[2]))
        return uvs_complain(UVS_E_USAGE,
                            "two are compared, OLD and NEW; give more of a side with --old and --new");
    int status = collect(&sides[0], &old_paths, named ? operands[0] : NULL);
    if (status == 0)
        status = collect(&sides[1], &new_paths, named ? operands[1] : NULL);
    if (status == 0)
        status = compare(sides, &options);
    uvs_runs_clear(&sides[0]);
    uvs_runs_clear(&sides[1]);
    return status;
}

static const struct uvs_option options_[] = {
    {"old", 0, UVS_OPTION_LIST, "PATH", "One more of the old side; may be repeated", &old_paths},
    {"new", 0, UVS_OPTION_LIST, "PATH", "One more of the new side; may be repeated", &new_paths},
    {"tolerance", 0, UVS_OPTION_STRING, "PERCENT", UVS__TOLERANCE_HELP, &tolerance},
    {"all", 'a', UVS_OPTION_FLAG, NULL, "Show what is the same, too", &all},
    {"format", 'f', UVS_OPTION_CHOICE, "text|json|markdown",
     "For people, programs or comments (default text)", &format},
    {"color", 0, UVS_OPTION_CHOICE, UVS__COLOUR_CHOICES,
     "When to use colour; auto is on a terminal, unless NO_COLOR is set (default auto)", &colour},
    {"reader", 0, UVS_OPTION_CHOICE, UVS__READER_CHOICES,
     "How to read CTF; auto is fast where the trace is as LTTng-UST writes it (default auto)", &reader},
    {"in-process", 0, UVS_OPTION_FLAG, NULL, "Read in this process, for debuggers", &in_process},
    {0},
};

const struct uvs_command uvs_command_compare = {
    .name = "compare",
    .summary = "Say what changed between two groups of runs, and what is only noise",
    .operands = "[OLD NEW]",
    .description = "Compares each figure of OLD with that of NEW. Either is a trace, a directory that "
                   "`uvscope record --repeat` "
                   "made, a report saved as JSON, or a baseline of `uvscope check`. Functions are matched by "
                   "name and file, so "
                   "that the program may have been built again in between.\n\n"
                   "With several runs of each side, a change is one that a rank test does not take for noise "
                   "(p <= 0.01) and that "
                   "is greater than the tolerance. Numbers of synchronous calls and of requests to the pool "
                   "that are the same in "
                   "all runs of a side are compared exactly, and of the shortest calls the shortest of all "
                   "runs. With one run of a side, noise cannot be told, "
                   "and the tolerance "
                   "alone decides.\n\n"
                   "Ends with 0 whatever changed; `uvscope check --baseline` ends with 1.",
    .options = options_,
    .run = run,
};
