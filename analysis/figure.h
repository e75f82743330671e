// SPDX-License-Identifier: MIT
// The figures of one metric in a report: one per loop, process or site, out of the rows that match.
#ifndef UVS_FIGURE_H
#define UVS_FIGURE_H

#include <regex.h>
#include "metric.h"

struct uvs__selection {
    int kind;            // -1: every kind
    int64_t pid;         // -1: every process
    const regex_t *site; // NULL: every site
    bool by_site;        // a figure for each site
    uint64_t min;        // samples that a site needs to have a figure
};

enum uvs__figure_state {
    UVS__FIGURE_KNOWN,
    UVS__FIGURE_NONE,    // nothing happened that has such a figure
    UVS__FIGURE_UNKNOWN, // something happened, but the trace does not tell its figure
};

enum { UVS__LOOP_NONE = -1, UVS__LOOP_ANY = -2 };

struct uvs__figure {
    enum uvs__figure_state state;
    double value;                // in the metric's unit; KNOWN only
    uint32_t pid;                // 0: the whole trace
    int loop;                    // the slot, or one of the above: outside of any loop, not about a loop
    int kind;                    // of `site`, -1: none or several
    const struct uvs_site *site; // whose figure it is, or who had the greatest part in it; NULL: nobody
};

// *ret_figures is the caller's (free); it borrows the report's sites. -UVS_E_ENVIRONMENT without memory.
int uvs__figures_create(const struct uvs__metric *metric, const struct uvs__selection *selection,
                        const struct uvs_report *report, struct uvs__figure **ret_figures, size_t *ret_count);

// What a block is blamed on: its largest sync call if it is of that class, else its largest callback. NULL:
// unknown.
const struct uvs_block_part *uvs_block_culprit(const struct uvs_block *block);

#endif
