// SPDX-License-Identifier: MIT
// Which processes were traced, and how libuv was hooked in them.
#include "analysis.h"

#include "saturate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_MEMORY = -UVS_E_ENVIRONMENT };
static const char argv_separator[] = "\x1f";

static int split_argv(const char *joined, struct uvs_process_row *row)
{
    size_t count = *joined != '\0';
    for (const char *at = joined; *at; at++)
        count += *at == argv_separator[0];
    row->argv = calloc(count + 1, sizeof(*row->argv));
    if (!row->argv)
        return NO_MEMORY;
    while (row->argc < count) {
        size_t length = strcspn(joined, argv_separator);
        row->argv[row->argc] = strndup(joined, length);
        if (!row->argv[row->argc++])
            return NO_MEMORY;
        joined += length + (joined[length] != '\0');
    }
    return 0;
}

static int describe(const struct uvs__process *process, struct uvs_process_row *row)
{
    row->hooks = process->hooks;
    row->pool_size = process->pool_size;
    row->exe = strdup(process->exe);
    row->unhooked = strdup(process->unhooked);
    bool printed = !process->libuv || asprintf(&row->libuv, "%u.%u.%u", process->libuv >> 16,
                                               process->libuv >> 8 & 0xff, process->libuv & 0xff) >= 0;
    if (!printed)
        row->libuv = NULL;
    return row->exe && printed && row->unhooked ? split_argv(process->argv, row) : NO_MEMORY;
}

static int set_exit(const struct uvs_recording *recording, struct uvs_process_row *row)
{
    if (!recording || recording->pid != row->pid)
        return 0;
    row->exit = strdup(recording->exit ? recording->exit : "running");
    return row->exit ? 0 : NO_MEMORY;
}

static uint64_t untold_ns(const struct uvs__spans *spans, const struct uvs__process *process)
{
    uint64_t most_ns = 0;
    for (const struct uvs__loop *loop = spans->loops; loop; loop = loop->next)
        if (loop->process == process)
            most_ns = uvs__max(most_ns, uvs__loop_untold_ns(spans, loop));
    return most_ns;
}

static int compare(const void *left, const void *right)
{
    const struct uvs_process_row *a = left, *b = right;
    return a->pid != b->pid ? (a->pid > b->pid) - (a->pid < b->pid) : (int)a->copy - (int)b->copy;
}

static int finish(void *state, struct uvs__output *output)
{
    (void)state;
    struct uvs_report *report = output->report;
    size_t capacity = 0;
    for (const struct uvs__process *p = output->spans->processes; p; p = p->next) {
        if (p->foreign || (report->shown.any && !p->counted))
            continue;
        struct uvs_process_row *rows = uvs__grow(report->processes, report->process_count, &capacity,
                                                 sizeof(*rows));
        if (!rows)
            return NO_MEMORY;
        report->processes = rows;
        struct uvs_process_row *row = &rows[report->process_count++];
        *row = (struct uvs_process_row){.pid = p->pid,
                                        .copy = p->copy,
                                        .hooks = -1,
                                        .handoff_missed = p->handoff_missed,
                                        .lean_ns = p->is_lean ? p->lean_ns : 0,
                                        .totals_lost = p->totals_lost,
                                        .untold_ns = untold_ns(output->spans, p),
                                        .loops_dropped = p->loops_dropped};
        int rc = p->exe ? describe(p, row) : 0;
        if (!rc)
            rc = set_exit(output->recording, row);
        if (rc)
            return rc;
    }
    if (report->process_count)
        qsort(report->processes, report->process_count, sizeof(*report->processes), compare);
    return 0;
}

const struct uvs__analysis uvs__processes_analysis = {.finish = finish};
