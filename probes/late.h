// SPDX-License-Identifier: MIT
// Copies of libuv in libraries that the program loads after its start, as `record --plugin` names them.
#ifndef UVS_LATE_H
#define UVS_LATE_H

// From the end of the constructor, when what the runtime itself loads is loaded.
void uvs__await_plugins(void);

#endif
