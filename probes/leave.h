// SPDX-License-Identifier: MIT
// _exit and exec, which end threads in the middle of an event.
#ifndef UVS_LEAVE_H
#define UVS_LEAVE_H

#include <stdbool.h>

// No event is begun any more.
extern bool uvs__leaving;

// provider: the dlopen handle through which liblttng-ust's functions are found.
void uvs__leave_init(void *provider);

#endif
