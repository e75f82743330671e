// SPDX-License-Identifier: MIT
// fork, daemon and close: what a process with LTTng-UST in it must do differently so that the program need
// not.
#ifndef UVS_GUEST_H
#define UVS_GUEST_H

// provider: the dlopen handle through which liblttng-ust's functions are found.
void uvs__guest_init(void *provider);

#endif
