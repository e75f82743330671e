// SPDX-License-Identifier: MIT
// A report made by hand: two processes, three loops, everything in it known by heart.
//
//   pid 12, loop 0: blocked twice, 10 s at worst by on_tick; 100 timers of 1…100 ms in on_tick, late by as
//   much;
//                   one idle callback; one fs.read from start() of 7 ms
//   pid 12, loop 1: nothing but busy intervals of 1 ms
//   pid 13, loop 0: one timer of 3 ms in on_other
//   pid 12's pool:  10 fs.read requests, queue 2 ms each; 4 work requests whose hand-off was missed
#ifndef UVS_SAMPLE_REPORT_H
#define UVS_SAMPLE_REPORT_H

#include "analysis/report.h"

struct sample {
    struct uvs_report report;
    struct uvs_site tick, other, start, odd;
    struct uvs_process_row processes[2];
    struct uvs_block blocks[2];
    struct uvs_block_part parts[2];
    struct uvs_loop_row loops[3];
    struct uvs_callback_row callbacks[3];
    struct uvs_sync_row sync_calls[2];
    struct uvs_pool_row pools[1];
    struct uvs_pool_request_row requests[2];
    struct uvs_finding findings[1];
};

// The sample's rows point into it: it stays where it is.
void sample_fill(struct sample *sample);
void sample_clear(struct sample *sample);

#endif
