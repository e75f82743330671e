// SPDX-License-Identifier: MIT
// Gives back a report.
#include "analysis.h"
#include "lists.h"

#include <stdlib.h>

static void clear_trace(struct uvs_trace_facts *trace)
{
    free(trace->path);
    free(trace->reader_note);
    free(trace->incomplete);
    free(trace->loss.intervals);
}

void uvs__site_destroy(struct uvs_site *site)
{
    if (!site)
        return;
    free((char *)site->function);
    free((char *)site->module);
    free((char *)site->file);
    free((char *)site->label);
    free(site);
}

static bool keep_none(const void *row, size_t index, const void *data)
{
    (void)row, (void)index, (void)data;
    return false;
}

void uvs_report_destroy(struct uvs_report *report)
{
    if (!report)
        return;
    clear_trace(&report->trace);
    for (size_t i = 0; i < UVS_LIST_COUNT; i++) {
        uvs__list_keep(&uvs__lists[i], report, keep_none, NULL);
        free(uvs__list_items(&uvs__lists[i], report));
    }
    for (size_t i = 0; i < report->stack_count; i++)
        free(report->stacks[i].frames);
    for (size_t i = 0; i < report->site_count; i++)
        uvs__site_destroy(report->sites[i]);
    free(report->stacks);
    free(report->scripts);
    free(report->sites);
    free(report->shown.filter);
    free(report->shown.sort);
    free(report);
}
