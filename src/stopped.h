// SPDX-License-Identifier: MIT
// Whether somebody has stopped a process of a group (SIGSTOP).
#ifndef UVS_STOPPED_H
#define UVS_STOPPED_H

#include <stdbool.h>
#include <sys/types.h>

bool uvs__any_stopped(pid_t group);

#endif
