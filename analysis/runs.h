// SPDX-License-Identifier: MIT
// What runs of a program measured, in a form that outlives their traces and a rebuild of the program: figures
// by metric and by whom they are of, named by function and file.
#ifndef UVS_RUNS_H
#define UVS_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include "error.h"

#define UVS_BASELINE_SCHEMA 1

enum uvs_gauge_form {
    UVS_GAUGE_TIME,  // nanoseconds; noisy
    UVS_GAUGE_FLOOR, // the shortest of a run's times: noise adds to a time and takes nothing from it
    UVS_GAUGE_COUNT, // how often the program asked for something: often the same in each run
    UVS_GAUGE_RATE,  // how often something happened that time or the kernel decide
};

struct uvs_gauge {
    const char *name; // as in rules, "callback.duration.p50"
    enum uvs_gauge_form form;
    bool is_gated;      // whether `check --baseline` ends with 1 for it
    const char *rows;   // of the report's JSON: the rows it is taken from, "callbacks"
    const char *group;  // the rows' member that names the distribution; NULL: the row itself
    const char *member; // in it
};

static inline int uvs_gauge_is_time(const struct uvs_gauge *gauge)
{
    return gauge->form == UVS_GAUGE_TIME || gauge->form == UVS_GAUGE_FLOOR;
}

// NULL past the end.
const struct uvs_gauge *uvs_gauge_at(size_t index);

struct uvs_measured {
    const struct uvs_gauge *gauge;
    char *who;    // "timer on_tick (app.c)", "loop node"
    double value; // ns or a number
    double count; // of samples behind a time
};

struct uvs_run {
    char *trace;                // where it was read from
    double busy_ns;             // of all loops and workers
    double lost;                // events and packets
    struct uvs_measured *items; // in order of gauge and name
    size_t count, capacity;
};

struct uvs_runs {
    struct uvs_run *items;
    size_t count;
};

// Appends what a JSON text has: one run if it is a report, as of `uvscope report --format json`; each of its
// runs if it is a baseline. `name` is the text's, for messages. -UVS_E_USAGE: it is neither;
// -UVS_E_ENVIRONMENT.
int uvs_runs_add(struct uvs_runs *runs, const char *json, size_t size, const char *name,
                 struct uvs_error *error);
void uvs_runs_clear(struct uvs_runs *runs);

// A baseline; the string is the caller's. NULL without memory.
char *uvs_runs_to_json(const struct uvs_runs *runs);

#endif
