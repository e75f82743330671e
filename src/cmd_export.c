// SPDX-License-Identifier: MIT
// `uvscope export`: a trace in the forms of other tools.
#include "command.h"

#include "export.h"
#include "export_output.h"
#include "runs_dir.h"
#include "worker.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// As for reports: looking up symbols is no progress in events.
#define PATIENCE_NS     60000000000ull

#define AND_BAR         "|"
#define AND_COMMA       ,
#define FORM_NAME(name) #name
#define FORM_ROW(name)  &uvs__export_##name

static const struct uvs__export_form *const forms[] = {UVS_EXPORT_MAP(FORM_ROW, AND_COMMA)};

enum { AROUND_NOTHING = -1, AROUND_WORST };

static int form = -1, around = AROUND_NOTHING;
static const char *output_name;
static uint64_t from_ns, to_ns, threshold_ns = UVS_DEFAULT_BLOCK_THRESHOLD_NS;
static const char *block;
static uint64_t block_number; // 0: none was asked for
static bool in_process;

struct work {
    const char *path;
    struct uvs__export_output output;
    struct uvs_worker_progress *progress;
};

// The trace is read twice.
static void advance(void *data, uint64_t events, double share)
{
    struct work *work = data;
    atomic_store(&work->progress->events, events);
    atomic_store(&work->progress->read, events);
    atomic_store(&work->progress->per_mille, share > 0 ? (uint32_t)(share * 500) : 0);
}

static void stay_alive(void *data)
{
    struct work *work = data;
    atomic_fetch_add(&work->progress->events, 1);
}

static int write_stream(struct work *work, struct uvs__export *export, struct uvs_error *error)
{
    const char *name = work->output.name ? work->output.name : "the output";
    export->out = uvs__export_output_open(&work->output, work->progress);
    if (!export->out)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot open %s: %s", name, strerror(errno));
    int rc = forms[form]->run(export, error);
    bool failed = ferror(export->out) != 0;
    failed = fclose(export->out) != 0 || failed;
    if (!rc && failed)
        rc = uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot write %s: %s", name, strerror(errno));
    return rc;
}

static int write_form(struct work *work, const struct uvs_span_source *source, struct uvs_error *error)
{
    struct uvs__export export = {.source = source,
                                 .tables = uvs_span_source_tables(source),
                                 .file = work->output.temporary,
                                 .alive = stay_alive,
                                 .alive_data = work,
                                 .block = block_number};
    int rc = forms[form]->own_file ? forms[form]->run(&export, error) : write_stream(work, &export, error);
    return rc ? rc : uvs__export_output_keep(&work->output, error);
}

static int export_trace(void *data, struct uvs_worker_progress *progress)
{
    struct work *work = data;
    work->progress = progress;
    atomic_store(&progress->silent, !output_name && isatty(STDOUT_FILENO));
    const struct uvs_span_options options = {
        .analysis = {.block_threshold_ns = threshold_ns, .progress = advance, .progress_data = work},
        .from_ns = from_ns,
        .to_ns = to_ns,
        .around_worst = around == AROUND_WORST};
    struct uvs_error error = {0};
    struct uvs_span_source *source;
    int rc = uvs_span_source_create(work->path, &options, &source, &error);
    if (rc)
        return uvs_complain(-rc, "%s", error.text);
    rc = write_form(work, source, &error);
    const char *incomplete = uvs_span_source_tables(source)->report->trace.incomplete;
    int status = -rc;
    if (rc)
        uvs_complain(0, "%s", error.text);
    else if (incomplete)
        status = uvs_complain(UVS_E_TRACE, "warning: the trace is incomplete: %s", incomplete);
    uvs_span_source_destroy(source);
    return status;
}

static int export_path(const char *path)
{
    struct work work = {.path = path};
    struct uvs_error error = {0};
    int rc = uvs__export_output_create(output_name, &work.output, &error);
    if (rc)
        return uvs_complain(-rc, "%s", error.text);
    int status = UVS_E_OK;
    bool in_place = !work.output.temporary || uvs__export_output_is_compressed(&work.output);
    if (forms[form]->own_file && in_place)
        status = uvs_complain(UVS_E_USAGE,
                              "this form is no stream: it needs a file after -o, not compressed");
    // Where a closed pipe does not end the process, writing to it fails.
    if (!status)
        status = uvs_worker_run(export_trace, &work, path, PATIENCE_NS, in_process);
    uvs__export_output_destroy(&work.output);
    return status;
}

static bool parse_block(const char *text)
{
    char *end;
    errno = 0;
    block_number = strtoull(text, &end, 10);
    return isdigit((unsigned char)*text) && !*end && errno == 0 && block_number > 0;
}

static int check_options(void)
{
    bool window = from_ns || to_ns || around != AROUND_NOTHING;
    if (form < 0)
        return uvs_complain(UVS_E_USAGE, "which form? --to " UVS_EXPORT_MAP(FORM_NAME, AND_BAR));
    if (block && !parse_block(block))
        return uvs_complain(UVS_E_USAGE, "--block '%s' is not the number of a block; 1 is the longest",
                            block);
    if (block && !forms[form]->has_blocks)
        return uvs_complain(UVS_E_USAGE, "this form has no blocks: it takes no --block");
    if (threshold_ns == 0)
        return uvs_complain(UVS_E_USAGE, "--threshold must be above 0, e.g. 50ms");
    if (forms[form]->whole_trace && window)
        return uvs_complain(UVS_E_USAGE,
                            "this form is of the whole trace: it takes no --from, --until, --around");
    if ((from_ns || to_ns) && around != AROUND_NOTHING)
        return uvs_complain(UVS_E_USAGE, "--around stands for --from and --until: give one or the other");
    if (to_ns && to_ns <= from_ns)
        return uvs_complain(UVS_E_USAGE, "--until must be later than --from");
    return UVS_E_OK;
}

static int run(char **operands)
{
    char *path = NULL;
    int status = check_options();
    if (status == 0)
        status = uvs__choose_trace(operands, &path);
    if (status == 0)
        status = export_path(path);
    free(path);
    return status;
}

static const struct uvs_option options[] = {
    {"to", 0, UVS_OPTION_CHOICE, UVS_EXPORT_MAP(FORM_NAME, AND_BAR), "What to write", &form},
    {"output", 'o', UVS_OPTION_STRING, "FILE",
     "Where to write it; a name that ends in .gz is compressed (default: standard output)", &output_name},
    {"from", 0, UVS_OPTION_DURATION, "DURATION", "Leave out what ended before, since the begin of the trace",
     &from_ns},
    {"until", 0, UVS_OPTION_DURATION, "DURATION", "Leave out what began later, since the begin of the trace",
     &to_ns},
    {"around", 0, UVS_OPTION_CHOICE, "worst", "Only the longest block and what is near it", &around},
    {"block", 0, UVS_OPTION_STRING, "N", "Only the stacks of the Nth of the worst blocks; 1 is the longest",
     &block},
    {"threshold", 't', UVS_OPTION_DURATION, "DURATION",
     "Busy intervals of this length or more are blocks (default 50ms)", &threshold_ns},
    {"in-process", 0, UVS_OPTION_FLAG, NULL, "Read in this process, for debuggers", &in_process},
    {0},
};

const struct uvs_command uvs_command_export = {
    .name = "export",
    .summary = "Write a trace in the form of another tool: timelines, SQL, metrics",
    .operands = "[TRACE]",
    .description = "Writes TRACE as\n"
                   "  chrome       a timeline in the Trace Event format, for Perfetto, chrome://tracing and "
                   "speedscope\n"
                   "  sqlite       a database with a table for each kind of span, and views\n"
                   "  ndjson       one span a line, for DuckDB, ClickHouse, jq\n"
                   "  folded       the stacks of what held the loops, for flame graphs\n"
                   "  openmetrics  figures and histograms, for Prometheus\n"
                   "\n"
                   "Viewers of timelines get slow near a million events: --from, --until and --around worst "
                   "make it less.\n\n"
                   "TRACE is what `uvscope report` takes. Without it, the newest recording is written.",
    .options = options,
    .run = run,
};
