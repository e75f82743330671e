// SPDX-License-Identifier: MIT
// Reading a fresh recording.
#include "digest.h"

#include "launch.h"
#include "perf_maps.h"
#include "worker.h"
#include "../analysis/reader.h"
#include "../analysis/report.h"

#include <sys/mman.h>

#define PATIENCE_NS 20000000000ull

struct job {
    const char *directory;
    struct uvs_digest *digest; // shared with the worker
    struct uvs_worker_progress *progress;
};

static void advance(void *data, uint64_t events, double share __attribute__((unused)))
{
    struct job *job = data;
    job->progress->events = events;
}

static bool has_event(const char *directory)
{
    struct uvs_reader *reader;
    if (uvs_reader_create(directory, &reader, NULL))
        return false;
    const struct uvs_event *event;
    bool found = uvs_reader_next(reader, &event, NULL) == 1;
    uvs_reader_destroy(reader);
    return found;
}

static int read_recording(void *data, struct uvs_worker_progress *progress)
{
    struct job *job = data;
    job->progress = progress;
    // Ctrl-C while a long trace is read ends the reading, not the recording's own last steps.
    uvs__signals_let_end();
    // A session of the system's daemon holds what others record at the same time too.
    bool empty = false;
    const struct uvs_analysis_options options = {
        .progress = advance, .progress_data = job, .ret_empty = &empty};
    struct uvs_report *report;
    if (uvs_analyse(job->directory, &options, &report, &job->digest->error)) {
        job->digest->state = empty || !has_event(job->directory) ? UVS_DIGEST_EMPTY : UVS_DIGEST_UNREADABLE;
        return UVS_E_TRACE;
    }
    job->digest->events = report->trace.events;
    job->digest->state = report->trace.events ? UVS_DIGEST_READ : UVS_DIGEST_EMPTY;
    if (report->trace.incomplete)
        uvs_error_set(&job->digest->error, UVS_E_TRACE, "%s", report->trace.incomplete);
    uvs__perf_maps_settle(job->directory, report);
    uvs_report_destroy(report);
    return UVS_E_OK;
}

void uvs__digest(const char *directory, struct uvs_digest *ret_digest)
{
    *ret_digest = (struct uvs_digest){.state = UVS_DIGEST_UNREADABLE};
    struct uvs_digest *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        uvs_error_set(&ret_digest->error, UVS_E_ENVIRONMENT, "out of memory");
        return;
    }
    struct job job = {.directory = directory, .digest = shared};
    uvs_worker_run(read_recording, &job, directory, PATIENCE_NS, false);
    *ret_digest = *shared;
    munmap(shared, sizeof(*shared));
}
