// SPDX-License-Identifier: MIT
// What `record` says at its end: one line, and one more for each thing that went wrong.
#ifndef UVS_SUMMARY_H
#define UVS_SUMMARY_H

#include <stdbool.h>
#include "digest.h"
#include "named_libuv.h"
#include "session.h"

struct uvs_summary {
    const char *program, *directory;
    struct uvs_digest digest;
    struct uvs_session_loss loss;
    uint64_t bytes;
    bool is_latest;     // `uvscope report` without a name finds it
    bool has_own_libuv; // the program, exported
    const struct uvs_named_libuv *named_libuv;
    unsigned left_running; // processes of the program that have not ended with it
    bool daemon_died;      // while recording
    bool disk_full;        // of the trace
    struct uvs_error save; // why uvscope.json could not be written; "" = it was
};

void uvs__summary_print(const struct uvs_summary *summary);

#endif
