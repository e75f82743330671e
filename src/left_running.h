// SPDX-License-Identifier: MIT
// Processes of a recording that outlive it.
#ifndef UVS_LEFT_RUNNING_H
#define UVS_LEFT_RUNNING_H

// How many processes that may be looked at were started with this recording's id in their environment.
unsigned uvs__count_left_running(const char *recording);

#endif
