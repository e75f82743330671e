// SPDX-License-Identifier: MIT
// A recording whose trace is a text event log, written by a test.
#ifndef LOG_RECORDING_H
#define LOG_RECORDING_H

#include "analysis/report.h"

// Makes the directory, whose name ends in XXXXXX, with `log` as its trace.
void log_recording_create(char *directory, const char *log);
void log_recording_write(const char *directory, const char *name, const char *text);
// The caller's to destroy.
struct uvs_report *log_recording_report(const char *directory);
// Removes it; 0, or what a test's tear-down returns when it failed.
int log_recording_remove(const char *directory);

#endif
