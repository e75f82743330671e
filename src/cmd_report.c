// SPDX-License-Identifier: MIT
// `uvscope report`: what a trace shows.
#include "command.h"

#include "report_forms.h"
#include "report_job.h"
#include "text_chains.h"
#include "text_report.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int format, colour = UVS__COLOUR_AUTO, reader = UVS_READER_AUTO;
static uint64_t threshold_ns = UVS_DEFAULT_BLOCK_THRESHOLD_NS;
static uint64_t blame_threshold_ns = UVS_DEFAULT_BLAME_THRESHOLD_NS;
static const char *chain;
static const char *top, *filter, *sort;
static uint64_t from_ns, until_ns;
static bool in_process, full_stacks;

static bool parse_number(const char *text, uint64_t most, char after, const char **ret_rest,
                         uint64_t *ret_number)
{
    char *end;
    errno = 0;
    *ret_number = strtoull(text, &end, 10);
    *ret_rest = end + (*end != '\0');
    return isdigit((unsigned char)*text) && *end == after && errno == 0 && *ret_number > 0 &&
           *ret_number <= most;
}

// "OP" or "PID:OP".
static bool parse_chain(const char *text, struct uvs__report_job *job)
{
    const char *rest = text, *colon = strchr(text, ':');
    uint64_t pid = 0;
    if (colon && !parse_number(text, UINT32_MAX, ':', &rest, &pid))
        return false;
    job->chain_pid = (uint32_t)pid;
    return parse_number(rest, UINT64_MAX, '\0', &rest, &job->chain_op);
}

static int render_chain(FILE *out, const struct uvs_report *report, void *data, struct uvs_error *error)
{
    if (report->chain_count == 0)
        return uvs_error_set(error, UVS_E_USAGE,
                             "no callback of operation %s ran in this trace; the numbers are in the report's "
                             "slowest chains, and in those of --format json",
                             chain);
    if (uvs__report_forms[format].render == uvs__render_json)
        return uvs__render_json(out, report, data, error);
    uvs__print_chain(out, data, report, &report->chains[0]);
    return UVS_E_OK;
}

static bool parse_top(const char *text, size_t *ret_top)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    *ret_top = number;
    return isdigit((unsigned char)*text) && !*end && errno == 0;
}

static int run(char **operands)
{
    const struct uvs__report_form *form = &uvs__report_forms[format];
    size_t rows = form->rows;
    if (top && !parse_top(top, &rows))
        return uvs_complain(UVS_E_USAGE, "--top '%s' is not a number of rows", top);
    if (threshold_ns == 0)
        return uvs_complain(UVS_E_USAGE, "--threshold must be above 0, e.g. 50ms");
    if (blame_threshold_ns == 0)
        return uvs_complain(UVS_E_USAGE, "--blame-threshold must be above 0, e.g. 10ms");
    struct uvs__look look = uvs__look_of_stdout((enum uvs__colour)colour, rows);
    look.full_stacks = full_stacks;
    struct uvs__report_job job = {
        .block_threshold_ns = threshold_ns,
        .blame_threshold_ns = blame_threshold_ns,
        .in_process = in_process,
        .reader = (enum uvs_reader_choice)reader,
        .from_ns = from_ns,
        .until_ns = until_ns,
        .filter = filter,
        .sort = sort,
        .top = form->counts_left_out ? 0 : rows,
        .render = form->render,
        .data = &look,
    };
    if (chain)
        job.render = render_chain;
    if (chain && !parse_chain(chain, &job))
        return uvs_complain(UVS_E_USAGE, "--chain '%s' is not the number of an operation, e.g. 17 or 4242:17",
                            chain);
    return uvs__report_job_run(&job, operands);
}

static const struct uvs_option options[] = {
    {"format", 'f', UVS_OPTION_CHOICE, UVS__REPORT_FORM_CHOICES,
     "For people, programs, comments, spreadsheets or browsers (default text)", &format},
    {"threshold", 't', UVS_OPTION_DURATION, "DURATION",
     "Busy intervals of this length or more are blocks (default 50ms)", &threshold_ns},
    {"blame-threshold", 0, UVS_OPTION_DURATION, "DURATION",
     "Who waited this long or longer has a culprit (default 10ms)", &blame_threshold_ns},
    {"chain", 0, UVS_OPTION_STRING, "[PID:]OP",
     "Show only who asked for operation OP, back to the root (its last run)", &chain},
    {"top", 'n', UVS_OPTION_STRING, "N",
     "Rows of each table, 0 for all (default 20; html 100, json and csv 0)", &top},
    {"sort", 0, UVS_OPTION_STRING, "KEY",
     "Order the rows: name, or a metric of rules, e.g. delay.max or callback.duration.p99", &sort},
    {"filter", 0, UVS_OPTION_STRING, "EXPR",
     "Only the rows for which it holds: pid=N, process~REGEX, loop=N, kind=K[,K], site~REGEX", &filter},
    {"from", 0, UVS_OPTION_DURATION, "DURATION",
     "Leave out what happened before, since the begin of the trace", &from_ns},
    {"until", 0, UVS_OPTION_DURATION, "DURATION",
     "Leave out what happened later, since the begin of the trace", &until_ns},
    {"full-stacks", 0, UVS_OPTION_FLAG, NULL,
     "Show the stacks of all worst blocks, with the frames of libraries and runtimes", &full_stacks},
    {"color", 0, UVS_OPTION_CHOICE, UVS__COLOUR_CHOICES,
     "When to use colour; auto is on a terminal, unless NO_COLOR is set (default auto)", &colour},
    {"reader", 0, UVS_OPTION_CHOICE, UVS__READER_CHOICES,
     "How to read CTF; auto is fast where the trace is as LTTng-UST writes it (default auto)", &reader},
    {"in-process", 0, UVS_OPTION_FLAG, NULL, "Read in this process, for debuggers", &in_process},
    {0},
};

const struct uvs_command uvs_command_report = {
    .name = "report",
    .summary = "Say what a trace shows: who blocked the loop, who waited, and where",
    .operands = "[TRACE]",
    .description = "Reads TRACE and prints a verdict first, and then tables: loops and their worst blocks, "
                   "callbacks by function, synchronous calls, the thread pool.\n\n"
                   "TRACE is a directory that `uvscope record` made, any directory with a CTF trace of "
                   "uvscope's events below it, or a text event log. Without it, the newest recording is "
                   "read.\n\n"
                   "Events that LTTng lost are said, and figures that are unknown because of them are shown "
                   "as unknown.",
    .options = options,
    .run = run,
};
