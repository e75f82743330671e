// SPDX-License-Identifier: MIT
// Recordings of root share the system's LTTng daemon: between "is there one?" and "my session is on it", and
// between "is anybody on it?" and "it is gone", only one recording may be.
#ifndef UVS_SYSTEM_LOCK_H
#define UVS_SYSTEM_LOCK_H

// The lock, or -1 when there is none to be had: then the race is run. Leaves no file behind.
int uvs__system_lock(void);
void uvs__system_unlock(int lock);

#endif
