// SPDX-License-Identifier: MIT
// Traces to read, and what a child that reads one says about it.
#ifndef TRACES_H
#define TRACES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "analysis/reader.h"
#include "ctf_writer.h"

enum { PACKETS = 10, PER_PACKET = 50, PACKET_BYTES = 4096, KEPT = 4096 };

#define SECOND    1000000000ull
#define PACKET_NS 1000000ull

// What a reading child saw; shared with it.
struct outcome {
    uint64_t events, losses;
    struct uvs_ev_lost lost[64];
    uint64_t times[KEPT];
    struct uvs_error error;
};

extern struct outcome *outcome;
extern char complaint[4096]; // the last one

// cmocka's set-up and tear-down of the directory that all paths are in.
int set_up_traces(void **state);
int tear_down_traces(void **state);

// A path in it, good for 15 more calls.
const char *in(const char *format, ...) __attribute__((format(__printf__, 1, 2)));

const struct uvs_event *a_callback(uint64_t time_ns);
// Packet i covers [i, i + 1) PACKET_NS after first_ns, with PER_PACKET events from its begin on.
void write_stream(const char *trace, const char *name, uint64_t first_ns);
// Two such streams, ch_0 and, 5 ns later, ch_1. Returns in(name).
const char *write_trace(const char *name, uint64_t first_ns);

// Reads in a supervised child, so that an abort of the decoder is a result and not the end; fails if it
// hangs.
int read_path(const char *path);
// It must be a trace error that says `words`.
void expect_refusal(const char *path, const char *words);
void expect_order(void);

#endif
