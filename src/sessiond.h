// SPDX-License-Identifier: MIT
// The LTTng session daemon of a recording. A normal user gets a private one, in a home of its own; root,
// whose paths LTTng fixes, gets the system's, started when there is none.
#ifndef UVS_SESSIOND_H
#define UVS_SESSIOND_H

#include <limits.h>
#include "keeper.h"

struct uvs_sessiond {
    char home[64]; // private LTTNG_HOME, which the program needs too; "" = the system's daemon
    const char *session;
    struct uvs_keeper keeper;
    int lock; // held from here until the session is on it
};

// The daemon's program: $LTTNG_SESSIOND_PATH as the lttng command has it, else in the PATH, else where
// distributions put it.
int uvs__find_sessiond(char ret_path[PATH_MAX], struct uvs_error *error);

// From here on this process's liblttng-ctl speaks to that daemon, and `session`, if it is created, is gone
// after the release or this process's death; its name is borrowed. SIGUSR1 and SIGCHLD must be blocked.
int uvs__sessiond_acquire(const char *session, struct uvs_sessiond *ret_daemon, struct uvs_error *error);

// The session is created: other recordings may look.
void uvs__sessiond_unlock(struct uvs_sessiond *daemon);

// Lets a daemon that is ours go on where somebody has stopped it, so that it can be asked. True: somebody had.
bool uvs__sessiond_wake(const struct uvs_sessiond *daemon);

// Destroys the session where it still is, and ends what was started.
void uvs__sessiond_release(struct uvs_sessiond *daemon);

#endif
