// SPDX-License-Identifier: MIT
// Where an export goes: a file that appears when it is whole, or standard output.
#ifndef UVS_EXPORT_OUTPUT_H
#define UVS_EXPORT_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>
#include "../analysis/error.h"
#include "worker.h"

struct uvs__export_output {
    const char *name; // -o's FILE; NULL or "-": standard output
    char *temporary;  // beside it; NULL: written in place (a device, a pipe)
    int fd;
};

int uvs__export_output_create(const char *name, struct uvs__export_output *ret_output,
                              struct uvs_error *error);
bool uvs__export_output_is_compressed(const struct uvs__export_output *output); // its name ends in .gz
// A stream into it, compressed where its name says so. Waiting for who reads it counts as progress. NULL
// without memory.
FILE *uvs__export_output_open(const struct uvs__export_output *output, struct uvs_worker_progress *progress);
// What was written is whole: it gets its name.
int uvs__export_output_keep(const struct uvs__export_output *output, struct uvs_error *error);
// Removes what was not kept.
void uvs__export_output_destroy(struct uvs__export_output *output);

#endif
