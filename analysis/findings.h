// SPDX-License-Identifier: MIT
// What the table of findings and the predicates that live in other files share.
#ifndef UVS_FINDINGS_H
#define UVS_FINDINGS_H

#include "analysis.h"

enum { UVS__TEXT_SIZE = UVS_LOOP_TEXT_SIZE };

// The findings so far, and whose turn it is.
struct uvs__hunt {
    struct uvs_report *report;
    const struct uvs__spans *spans;
    const struct uvs_finding_info *info;
    size_t capacity;
};

// 0 or -UVS_E_ENVIRONMENT. pid 0: the whole trace; loop -1: the process.
__attribute__((format(__printf__, 5, 6))) int uvs__found(struct uvs__hunt *hunt, uint64_t value_ns,
                                                         uint32_t pid, int loop, const char *format, ...);
const char *uvs__label(const struct uvs_site *site);
const char *uvs__plural(uint64_t count);
// Something is missing, whether it was counted or not.
bool uvs__has_loss(const struct uvs_trace_facts *trace);

// Predicates: 0 whether they find something or not, or -UVS_E_ENVIRONMENT.
int uvs__find_stale_time(struct uvs__hunt *hunt, const struct uvs_loop_row *loop);
int uvs__find_overruns(struct uvs__hunt *hunt, const struct uvs_loop_row *loop);
int uvs__find_async_storms(struct uvs__hunt *hunt, const struct uvs_loop_row *loop);
int uvs__find_gc_pressure(struct uvs__hunt *hunt, const struct uvs_loop_row *loop);
int uvs__find_handles_open(struct uvs__hunt *hunt, const struct uvs_loop_row *loop);
int uvs__find_refused_close(struct uvs__hunt *hunt, const struct uvs_loop_row *loop);
int uvs__find_onset(struct uvs__hunt *hunt, const struct uvs_loop_row *loop);
int uvs__find_lean(struct uvs__hunt *hunt, const struct uvs_process_row *process);
int uvs__find_missing_totals(struct uvs__hunt *hunt, const struct uvs_process_row *process);
int uvs__find_small_pool(struct uvs__hunt *hunt, const struct uvs_pool_row *pool);
int uvs__find_starved_fs(struct uvs__hunt *hunt, const struct uvs_pool_row *pool);

#endif
