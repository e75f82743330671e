// SPDX-License-Identifier: MIT
// Each run is recorded by a child, for which the parent stands aside as record does for its program.
#include "record_repeat.h"

#include "launch.h"
#include "preflight.h"
#include "runs_dir.h"
#include "trace_dir.h"
#include "../analysis/recording.h"
#include "../probes/uvs_abi.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_TIMES = 10000 };

struct series {
    const struct uvs__repeat *repeat;
    char **operands;
    struct uvs_trace_dir dir;
    struct uvs_signals signals;
    size_t done;    // runs that were recorded
    size_t empty;   // of which so many recorded nothing
    bool *is_empty; // the run; shared with it
    uint64_t lost_events;
    int status, signal; // signal: that the status is of, if any
    bool ends;
};

static bool parse_times(const char *text, size_t *ret_times)
{
    char *end;
    errno = 0;
    *ret_times = strtoul(text, &end, 10);
    return isdigit((unsigned char)*text) && !*end && errno == 0 && *ret_times > 0 && *ret_times <= MOST_TIMES;
}

static _Noreturn void record_one(const struct series *series, const char *directory)
{
    uvs__signals_restore(&series->signals);
    // All runs are of the same program: why nothing is recorded is said once.
    const bool quiet = series->repeat->quiet || series->empty;
    exit(series->repeat->record(series->operands, directory, quiet, series->is_empty));
}

// A run that could not be recorded has left nothing.
static void take_facts(struct series *series, const char *directory)
{
    struct uvs_recording facts;
    struct uvs_error error;
    if (uvs_recording_load(directory, &facts, &error) <= 0) {
        series->ends = true;
        return;
    }
    series->done++;
    series->empty += *series->is_empty;
    series->lost_events = facts.lost_events == UVS_ABSENT || series->lost_events == UVS_ABSENT
                              ? UVS_ABSENT
                              : series->lost_events + facts.lost_events;
    uvs_recording_clear(&facts);
}

// The first that is not 0 counts; but a series that is interrupted ends of that.
static void take_status(struct series *series, int status, int number)
{
    const bool interrupted = series->ends && uvs__is_typed(number);
    if (series->status && !interrupted)
        return;
    series->status = status;
    series->signal = number;
}

static void run_one(struct series *series, size_t number)
{
    char *directory = NULL;
    if (asprintf(&directory, UVS_RUNS_DIR_FORMAT, series->dir.path, number) < 0) {
        take_status(series, uvs_complain(UVS_RECORD_FAILED, "out of memory"), 0);
        return;
    }
    fflush(NULL);
    *series->is_empty = false;
    struct uvs_witness witness;
    uvs__witness_start(&witness);
    const pid_t pid = fork();
    if (pid == 0)
        record_one(series, directory);
    if (pid > 0) {
        siginfo_t ended;
        series->ends = uvs__launch_wait(pid, &witness, &ended) != 0;
        const int killed = ended.si_code == CLD_EXITED ? 0 : ended.si_status;
        take_status(series, killed ? 128 + killed : ended.si_status, killed);
        take_facts(series, directory);
    } else {
        take_status(series, uvs_complain(UVS_RECORD_FAILED, "cannot start a process: %s", strerror(errno)),
                    0);
        uvs__witness_end(&witness);
        series->ends = true;
    }
    free(directory);
}

static void say_all(const struct series *series, size_t times, bool is_latest)
{
    char lost[64] = "", empty[64] = "";
    const char *path = series->dir.path;
    if (series->lost_events == UVS_ABSENT)
        snprintf(lost, sizeof(lost), ", unknown how many events lost");
    else if (series->lost_events)
        snprintf(lost, sizeof(lost), ", %" PRIu64 " events lost", series->lost_events);
    const double megabytes = (double)uvs__trace_dir_size(&series->dir, NULL) / 1e6;
    if (series->empty)
        snprintf(empty, sizeof(empty), ", nothing recorded in %zu of them", series->empty);
    const bool is_useful = series->empty < series->done;
    uvs_complain(0, "%zu of %zu runs of %s%s%s, %.1f MB in %s%s%s", series->done, times, series->operands[0],
                 empty, lost, megabytes, path, is_useful ? " — next: uvscope compare OLD " : "",
                 is_useful ? path : "");
    if (!is_latest)
        uvs_complain(0, "'latest' could not be set to it: name it to those who read it");
}

int uvs__record_repeat(const struct uvs__repeat *repeat, char **operands)
{
    struct series series = {.repeat = repeat, .operands = operands};
    struct uvs_error error = {0};
    size_t times;
    if (!parse_times(repeat->times, &times))
        return uvs_complain(UVS_E_USAGE, "--repeat '%s' is not a number of runs, 1 to %d", repeat->times,
                            MOST_TIMES);
    series.is_empty = mmap(NULL, sizeof(bool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (series.is_empty == MAP_FAILED)
        return uvs_complain(UVS_RECORD_FAILED, "out of memory");
    if (uvs__trace_dir_create(repeat->output, operands[0], &series.dir, &error) < 0)
        return uvs_complain(UVS_RECORD_FAILED, "%s", error.text);
    uvs__signals_hold(&series.signals);
    for (size_t i = 1; i <= times && !series.ends; i++)
        run_one(&series, i);
    if (series.done == 0) {
        uvs__trace_dir_abandon(&series.dir);
    } else {
        const bool is_latest = uvs__trace_dir_link_latest(&series.dir);
        if (!repeat->quiet)
            say_all(&series, times, is_latest);
    }
    uvs__trace_dir_clear(&series.dir);
    return series.signal ? uvs__end_by(series.signal) : series.status;
}
