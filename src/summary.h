// SPDX-License-Identifier: MIT
// What `record` says at its end: one line, and one more for each thing that went wrong.
#ifndef UVS_SUMMARY_H
#define UVS_SUMMARY_H

#include <stdbool.h>
#include "digest.h"
#include "named_libuv.h"
#include "session.h"

enum uvs_daemon_end {
    UVS_DAEMON_ANSWERED,
    UVS_DAEMON_WOKEN, // somebody had stopped it
    UVS_DAEMON_DIED,  // while recording
    UVS_DAEMON_ENDED, // by us, because it did not answer
    UVS_DAEMON_LEFT,  // does not answer, and serves others too
};

struct uvs_summary {
    const char *program, *directory;
    struct uvs_digest digest;
    struct uvs_session_loss loss;
    uint64_t bytes;
    bool is_latest;     // `uvscope report` without a name finds it
    bool has_own_libuv; // the program, exported
    const struct uvs_named_libuv *named_libuv;
    unsigned left_running; // processes of the program that have not ended with it
    enum uvs_daemon_end daemon;
    struct uvs_error daemon_left; // what to know about the system's daemon, which is silent
    bool overwritten;             // the oldest part, by --max-size
    int refusal;                  // errno of the trace's disk; 0 = it takes more
    bool file_limit;              // a file of the trace has come to `ulimit -f`
    struct uvs_error save;        // why uvscope.json could not be written; "" = it was
};

void uvs__summary_print(const struct uvs_summary *summary);

#endif
