// SPDX-License-Identifier: MIT
// Included last: what code in someone else's process must not call.
#pragma GCC poison printf fprintf vprintf vfprintf puts perror exit abort malloc calloc realloc
