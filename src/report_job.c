// SPDX-License-Identifier: MIT
// The worker fills a memory file; only its supervisor writes to stdout, where a pager may keep it waiting for
// as long as it likes.
#include "report_job.h"

#include "command.h"
#include "runs_dir.h"
#include "worker.h"
#include "../analysis/shown.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// Looking up symbols in large debug files takes its time, and is no progress in events.
#define PATIENCE_NS 60000000000ull

struct work {
    const struct uvs__report_job *job;
    struct uvs_filter *filter;
    const char *path;
    int output;
    struct uvs_worker_progress *progress;
};

static void advance(void *data, uint64_t events, double share)
{
    struct work *work = data;
    atomic_store(&work->progress->events, events);
    atomic_store(&work->progress->read, events);
    atomic_store(&work->progress->per_mille, share > 0 ? (uint32_t)(share * 1000) : 0);
}

// Above the standard descriptors, of which one may be closed.
static int create_output(void)
{
    int low = memfd_create("uvscope-output", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (low < 0)
        return -1;
    int output = fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(low);
    return output;
}

// The seal says that the output is whole: a worker that is killed leaves none.
static int fill_output(const struct work *work, const struct uvs_report *report, struct uvs_error *error)
{
    int copy = dup(work->output);
    FILE *out = copy < 0 ? NULL : fdopen(copy, "w");
    if (!out) {
        close(copy);
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot open the output: %s", strerror(errno));
    }
    int status = work->job->render(out, report, work->job->data, error);
    bool failed = ferror(out) != 0;
    failed = fclose(out) != 0 || failed;
    if (status >= 0 && (failed || fcntl(work->output, F_ADD_SEALS, F_SEAL_WRITE) != 0))
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot keep the output: %s", strerror(errno));
    return status;
}

// In this order: what is filtered away takes no place among the first.
static int select_rows(const struct work *work, struct uvs_report *report, struct uvs_error *error)
{
    int rc = work->filter ? uvs_filter_apply(work->filter, report, error) : 0;
    if (!rc && work->job->sort)
        rc = uvs_report_sort(report, work->job->sort, error);
    if (rc || !work->job->top)
        return rc;
    // Loops come by their numbers; of many, those at the begin are seldom the ones that matter.
    if (!work->job->sort && report->loop_count > work->job->top)
        rc = uvs_report_sort(report, "loop.block.max", error);
    if (rc)
        return rc;
    size_t most[UVS_LIST_COUNT];
    for (size_t i = 0; i < UVS_LIST_COUNT; i++)
        most[i] = work->job->top;
    uvs_report_shorten(report, most, work->job->top);
    report->shown.any = true;
    report->shown.top = work->job->top;
    return 0;
}

static int read_trace(void *data, struct uvs_worker_progress *progress)
{
    struct work *work = data;
    struct uvs_error error = {0};
    struct uvs_report *report;
    work->progress = progress;
    const struct uvs_analysis_options options = {.reader = work->job->reader,
                                                 .block_threshold_ns = work->job->block_threshold_ns,
                                                 .blame_threshold_ns = work->job->blame_threshold_ns,
                                                 .chain_op = work->job->chain_op,
                                                 .chain_pid = work->job->chain_pid,
                                                 .from_ns = work->job->from_ns,
                                                 .until_ns = work->job->until_ns,
                                                 .progress = advance,
                                                 .progress_data = work};
    int result = uvs_analyse(work->path, &options, &report, &error);
    if (result < 0)
        return uvs_complain(-result, "%s", error.text);
    if (report->trace.reader_note)
        uvs_complain(0, "note: read by babeltrace2, which is slower: %s", report->trace.reader_note);
    int status = select_rows(work, report, &error);
    if (!status)
        status = fill_output(work, report, &error);
    if (status < 0)
        status = uvs_complain(-status, "%s", error.text);
    else if (report->trace.incomplete)
        status = uvs_complain(UVS_E_TRACE, "warning: the trace is incomplete: %s", report->trace.incomplete);
    uvs_report_destroy(report);
    return status;
}

static ssize_t write_all(const char *bytes, ssize_t size)
{
    ssize_t written = 0;
    while (written < size) {
        ssize_t more = write(STDOUT_FILENO, bytes + written, (size_t)(size - written));
        if (more < 0 && errno != EINTR)
            return -1;
        written += more > 0 ? more : 0;
    }
    return written;
}

// Where a closed pipe does not already end the process, it ends as if it had.
static int copy_output(int output, int status)
{
    char bytes[65536];
    ssize_t size = 0;
    if (!(fcntl(output, F_GET_SEALS) & F_SEAL_WRITE))
        return status;
    if (lseek(output, 0, SEEK_SET) == 0)
        while ((size = read(output, bytes, sizeof(bytes))) > 0 && write_all(bytes, size) == size)
            ;
    if (size == 0)
        return status;
    if (errno == EPIPE)
        return 128 + SIGPIPE;
    return uvs_complain(UVS_E_ENVIRONMENT, "cannot write the output: %s", strerror(errno));
}

// The exit status; *ret_output is the caller's to close, -1 if there is none.
static int run_on(const struct uvs__report_job *job, struct uvs_filter *filter, const char *path,
                  int *ret_output)
{
    struct work work = {.job = job, .filter = filter, .path = path, .output = create_output()};
    *ret_output = work.output;
    if (work.output < 0)
        return uvs_complain(UVS_E_ENVIRONMENT, "cannot make a memory file: %s", strerror(errno));
    return uvs_worker_run(read_trace, &work, path, PATIENCE_NS, job->in_process);
}

static int print_on(const struct uvs__report_job *job, struct uvs_filter *filter, const char *path)
{
    int output, status = run_on(job, filter, path, &output);
    if (output < 0)
        return status;
    status = copy_output(output, status);
    close(output);
    return status;
}

static int check_shown(const struct uvs__report_job *job, struct uvs_filter **ret_filter)
{
    struct uvs_error error = {0};
    if (job->filter && uvs_filter_create(job->filter, ret_filter, &error))
        return uvs_complain(UVS_E_USAGE, "--filter '%s': %s", job->filter, error.text);
    if (job->sort && uvs_report_sort(NULL, job->sort, &error))
        return uvs_complain(UVS_E_USAGE, "--sort: %s", error.text);
    if (job->until_ns && job->until_ns <= job->from_ns)
        return uvs_complain(UVS_E_USAGE, "--until must be later than --from");
    return UVS_E_OK;
}

// NULL: it is not whole, or there is no memory.
static char *take_output(int output, size_t *ret_size)
{
    const off_t size = fcntl(output, F_GET_SEALS) & F_SEAL_WRITE ? lseek(output, 0, SEEK_END) : -1;
    char *text = size < 0 ? NULL : malloc((size_t)size + 1);
    for (off_t done = 0; text && done < size;) {
        ssize_t more = pread(output, text + done, (size_t)(size - done), done);
        if (more <= 0) {
            free(text);
            return NULL;
        }
        done += more;
    }
    if (!text)
        return NULL;
    text[size] = '\0';
    *ret_size = (size_t)size;
    return text;
}

int uvs__report_job_capture(const struct uvs__report_job *job, const char *path, char **ret_text,
                            size_t *ret_size)
{
    int output, status = run_on(job, NULL, path, &output);
    *ret_text = NULL;
    if (output < 0)
        return status;
    *ret_text = take_output(output, ret_size);
    close(output);
    return !*ret_text && status == 0
               ? uvs_complain(UVS_E_ENVIRONMENT, "no memory for the figures of %s", path)
               : status;
}

int uvs__report_job_run(const struct uvs__report_job *job, char **operands)
{
    struct uvs_filter *filter = NULL;
    char *path = NULL;
    int status = check_shown(job, &filter);
    if (status == 0)
        status = uvs__choose_trace(operands, &path);
    if (status == 0)
        status = print_on(job, filter, path);
    uvs_filter_destroy(filter);
    free(path);
    return status;
}
