// SPDX-License-Identifier: MIT
// Gives back a report.
#include "analysis.h"

#include <stdlib.h>

static void clear_trace(struct uvs_trace_facts *trace)
{
    free(trace->path);
    free(trace->reader_note);
    free(trace->incomplete);
    free(trace->loss.intervals);
}

static void clear_process(struct uvs_process_row *row)
{
    for (size_t i = 0; row->argv && i < row->argc; i++)
        free(row->argv[i]);
    free(row->argv);
    free(row->unhooked);
    free(row->exe);
    free(row->libuv);
    free(row->exit);
}

static void clear_loop(struct uvs_loop_row *row)
{
    for (size_t i = 0; i < row->worst_count; i++) {
        free(row->worst[i].callbacks);
        free(row->worst[i].sync_calls);
        free(row->worst[i].stack);
        free(row->worst[i].stacks);
    }
    for (size_t i = 0; i < row->gc_count; i++)
        uvs_hist_clear(&row->gc[i].duration);
    free(row->gc);
    free(row->worst);
    free(row->name);
    uvs_hist_clear(&row->block);
}

static void clear_callback(struct uvs_callback_row *row)
{
    uvs_hist_clear(&row->duration);
    uvs_hist_clear(&row->self);
    uvs_hist_clear(&row->delay);
    uvs_hist_clear(&row->latency);
    uvs_hist_clear(&row->delay_most);
}

static void clear_pool(struct uvs_pool_row *row)
{
    for (size_t i = 0; i < row->request_count; i++) {
        uvs_hist_clear(&row->requests[i].queue);
        uvs_hist_clear(&row->requests[i].service);
        uvs_hist_clear(&row->requests[i].return_);
    }
    free(row->requests);
    free(row->what_if);
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

void uvs_report_destroy(struct uvs_report *report)
{
    if (!report)
        return;
    clear_trace(&report->trace);
    for (size_t i = 0; i < report->process_count; i++)
        clear_process(&report->processes[i]);
    for (size_t i = 0; i < report->loop_count; i++)
        clear_loop(&report->loops[i]);
    for (size_t i = 0; i < report->callback_count; i++)
        clear_callback(&report->callbacks[i]);
    for (size_t i = 0; i < report->sync_call_count; i++)
        uvs_hist_clear(&report->sync_calls[i].duration);
    for (size_t i = 0; i < report->pool_count; i++)
        clear_pool(&report->pools[i]);
    for (size_t i = 0; i < report->culprit_count; i++)
        uvs_hist_clear(&report->culprits[i].inflicted);
    for (size_t i = 0; i < report->victim_count; i++) {
        uvs_hist_clear(&report->victims[i].suffered);
        free(report->victims[i].by);
    }
    for (size_t i = 0; i < report->slices_count; i++)
        free(report->slices[i].slices);
    for (size_t i = 0; i < report->chain_count; i++)
        free(report->chains[i].steps);
    for (size_t i = 0; i < report->finding_count; i++)
        free(report->findings[i].text);
    for (size_t i = 0; i < report->stack_count; i++)
        free(report->stacks[i].frames);
    for (size_t i = 0; i < report->site_count; i++)
        uvs__site_destroy(report->sites[i]);
    void *arrays[] = {report->processes, report->loops,    report->callbacks, report->sync_calls,
                      report->pools,     report->findings, report->sites,     report->culprits,
                      report->victims,   report->stacks,   report->chains,    report->slices};
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
        free(arrays[i]);
    free(report);
}
