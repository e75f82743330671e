// SPDX-License-Identifier: MIT
// The handles that a loop has when it should have none: the event handles_open.
#ifndef UVS_OPEN_HANDLES_H
#define UVS_OPEN_HANDLES_H

#include "probes/loop.h"

// Those of the loops that the thread which ends the program ran last are told then. Any number of calls.
void uvs__handles_await_exit(void);

// uv_loop_close returned UV_EBUSY; keeps errno.
void uvs__handles_refused(struct uvs__loop *slot);
// It was closed, so that what was told when it was refused holds no more.
void uvs__handles_closed(struct uvs__loop *slot);

#endif
