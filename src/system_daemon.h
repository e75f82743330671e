// SPDX-License-Identifier: MIT
// Recordings of root share the system's LTTng daemon: the first starts it where there is none, the last ends
// one that was started so.
#ifndef UVS_SYSTEM_DAEMON_H
#define UVS_SYSTEM_DAEMON_H

#include <stdbool.h>
#include "../analysis/error.h"

// argv[0] of a daemon that a recording started: by this it is known, in ps too.
#define UVS_SYSTEM_DAEMON_NAME "lttng-sessiond (uvscope)"

// Between "is there one?" and "my session is on it", and between "is anybody on it?" and "it is gone", only
// one recording may be. The lock, or -1 when there is none to be had: then the race is run. Leaves no file
// behind.
int uvs__system_lock(void);
void uvs__system_unlock(int lock);

// Sets what to tell about a daemon that does not answer. It is never ended: it serves others too.
int uvs__system_daemon_say_silent(struct uvs_error *error);

// With the lock, where no daemon answers: ends one that a recording started and that did not come to its end.
void uvs__system_daemon_clear(void);

enum { UVS_DAEMON_END_MS = 10000 }; // in which a daemon comes to its end

// Ends the daemon if a recording started it and nobody has a session on it, and waits for its end; it is
// killed after so long. False: somebody has.
bool uvs__system_daemon_end(unsigned timeout_ms);

#endif
