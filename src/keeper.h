// SPDX-License-Identifier: MIT
// The child that outlives `record` by a moment: whatever ends `record`, the keeper destroys its session, ends
// the daemon that was started for it, and removes that daemon's home.
//
// It is the daemon's parent, has a session of its own (the terminal's signals do not reach it) and waits on a
// socket whose other end only `record` holds.
#ifndef UVS_KEEPER_H
#define UVS_KEEPER_H

#include <stdbool.h>
#include <sys/types.h>
#include "../analysis/error.h"

struct uvs_keeper_task {
    const char *session;  // destroyed at the end, where it still is
    const char *home;     // private LTTNG_HOME, removed at the end; NULL: the system's daemon
    const char *sessiond; // the daemon to start; NULL: one runs already
};

struct uvs_keeper {
    pid_t pid;
    int socket;
    pid_t daemon;      // that it started, and the group of what that started; 0: none
    int private_pidfd; // of a daemon with a home of its own; -1: none, or a kernel without pidfds
};

// Returns when the daemon is ready. SIGUSR1 and SIGCHLD must be blocked. On failure nothing is left.
int uvs__keeper_start(const struct uvs_keeper_task *task, struct uvs_keeper *ret_keeper,
                      struct uvs_error *error);

// The daemon that it started and what that started go on if somebody has stopped them (SIGSTOP). True:
// somebody had.
bool uvs__keeper_wake_daemon(const struct uvs_keeper *keeper);

// Lets it clean up, and waits until it has. A daemon of a home of its own is ended whatever it does, the
// system's is left alone when it does not answer. False: the keeper was killed, and has not cleaned up.
bool uvs__keeper_finish(const struct uvs_keeper *keeper);

#endif
