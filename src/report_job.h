// SPDX-License-Identifier: MIT
// What `report` and `check` have in common: a trace is analysed and rendered in the supervised worker, and
// what came out whole is written to stdout.
#ifndef UVS_REPORT_JOB_H
#define UVS_REPORT_JOB_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "../analysis/report.h"

// In the order of enum uvs_reader_choice.
#define UVS__READER_CHOICES "auto|fast|babeltrace2"

struct uvs__report_job {
    uint64_t block_threshold_ns, blame_threshold_ns; // 0 = the default
    uint64_t chain_op;                               // 0 = the slowest chains
    uint32_t chain_pid;
    // What of the report is shown: see analysis/shown.h. Times since the begin of the trace.
    uint64_t from_ns, until_ns; // 0: open
    const char *filter, *sort;  // checked by uvs__report_job_run; NULL: none
    size_t top;                 // rows of each table; 0: all
    bool in_process;
    enum uvs_reader_choice reader;
    // In the worker: prints the output. Returns the exit status; negative: error says why, nothing is
    // written.
    int (*render)(FILE *out, const struct uvs_report *report, void *data, struct uvs_error *error);
    void *data;
};

// operands: none (the newest trace) or one. Returns the exit status, UVS_E_TRACE after an incomplete trace
// whatever `render` said.
int uvs__report_job_run(const struct uvs__report_job *job, char **operands);

// The same for a path, and what came out is the caller's (free) instead: *ret_text is NULL when it is not
// whole.
int uvs__report_job_capture(const struct uvs__report_job *job, const char *path, char **ret_text,
                            size_t *ret_size);

#endif
