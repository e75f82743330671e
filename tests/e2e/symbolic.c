// SPDX-License-Identifier: MIT
// What the distribution's libuv.a, compiled for executables, lacks in a shared library: variables of libc
// that it refers to directly. The ticker's loop reads none of them.
#include <netinet/in.h>
#include <stdio.h>

#define HIDDEN __attribute__((visibility("hidden")))

HIDDEN char **environ;
HIDDEN FILE *stdin, *stdout, *stderr;
HIDDEN const struct in6_addr in6addr_any;
