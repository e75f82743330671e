// SPDX-License-Identifier: MIT
// `record --repeat`: the same program several times, each run a recording of its own.
#ifndef UVS_RECORD_REPEAT_H
#define UVS_RECORD_REPEAT_H

#include <stdbool.h>

struct uvs__repeat {
    const char *times;  // as on the command line
    const char *output; // the directory of the runs; NULL: a new one
    bool quiet;
    // Records once into `directory`, in a process of its own; says only, and not if quiet, that nothing was
    // recorded. *ret_empty: whether that is so; in memory that is shared. Returns record's exit status.
    int (*record)(char **operands, const char *directory, bool quiet, bool *ret_empty);
};

// Returns the first status that is not 0, or ends as uvs__end_by does. The series ends early when a run could
// not be recorded at all, or when somebody asked for the end.
int uvs__record_repeat(const struct uvs__repeat *repeat, char **operands);

#endif
