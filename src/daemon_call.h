// SPDX-License-Identifier: MIT
// Calls of liblttng-ctl that end. The library waits for the daemon's answer for ever, and a daemon can hang
// without dying; so each call is made in a child, which is ended when no answer comes.
#ifndef UVS_DAEMON_CALL_H
#define UVS_DAEMON_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include "../analysis/error.h"

// How long an answer is waited for, as $UVSCOPE_DAEMON_TIMEOUT says. -UVS_E_USAGE: it says nonsense.
int uvs__daemon_timeout_read(struct uvs_error *error);
unsigned uvs__daemon_timeout_ms(void);

// Runs `call` in a child. `data` (size bytes, at most 1024, no pointers into the child's memory) is what it
// has there, and is as it left it when this returns what it returned. -UVS_E_ENVIRONMENT without an answer:
// `what` ("stop the LTTng session") could then not be done, and no later call is tried.
int uvs__daemon_call(const char *what, int (*call)(void *data, struct uvs_error *error), void *data,
                     size_t size, struct uvs_error *error);

// A call was not answered.
bool uvs__daemon_is_silent(void);

#endif
