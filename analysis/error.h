// SPDX-License-Identifier: MIT
// How a library function says what failed, why, and what to do: a negative code and a chain of sentences.
#ifndef UVS_ERROR_H
#define UVS_ERROR_H

#include <stddef.h>

// X(NAME, exit code, "meaning"). A function that fails returns -UVS_E_NAME; the command exits with the code.
#define UVS_EXIT_MAP(X)                                                                        \
    X(OK, 0, "success")                                                                        \
    X(VIOLATION, 1, "`check` found a violated rule")                                           \
    X(USAGE, 2, "the command line or a rule is wrong")                                         \
    X(ENVIRONMENT, 3, "the environment does not allow it: no LTTng, no permission, no memory") \
    X(TRACE, 4, "the trace cannot be read, or not wholly")

enum uvs_exit {
#define X(NAME, code, meaning) UVS_E_##NAME = code,
    UVS_EXIT_MAP(X)
#undef X
};

// Caller-owned, no allocation. Starts zeroed.
struct uvs_error {
    char text[2048];
};

// Sets the root sentence ("metadata is missing in DIR; was the recording stopped?"). Returns -code.
int uvs_error_set(struct uvs_error *error, enum uvs_exit code, const char *format, ...)
    __attribute__((format(__printf__, 3, 4)));

// A caller's context in front of what is there: "cannot open trace DIR: " + text. NULL error is allowed in
// both.
void uvs_error_add(struct uvs_error *error, const char *format, ...)
    __attribute__((format(__printf__, 2, 3)));

#endif
