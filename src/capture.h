// SPDX-License-Identifier: MIT
// Runs a helper program and takes what it prints.
#ifndef UVS_CAPTURE_H
#define UVS_CAPTURE_H

// argv[0] is its path. Its standard input and error lead nowhere. Returns its output, which is the caller's
// (free), or NULL when it cannot be run; what it exits with does not matter.
char *uvs__capture(const char *const argv[]);

#endif
