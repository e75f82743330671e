// SPDX-License-Identifier: MIT
// A library with a libuv of its own inside.
#ifndef UVS_TEST_PLUGIN_H
#define UVS_TEST_PLUGIN_H

// Runs a loop of the library's libuv on the calling thread: that many ticks, and as many files looked at by its
// pool. 0, or what went wrong.
int plugin_run(int ticks);

#endif
