// SPDX-License-Identifier: MIT
// The forms that `uvscope export` writes. A new one is a word in the list and a file that defines
// uvs__export_WORD.
#ifndef UVS_EXPORT_H
#define UVS_EXPORT_H

#include <stdbool.h>
#include <stdio.h>
#include "../analysis/spans_read.h"

#define UVS_EXPORT_MAP(X, AND) \
    X(chrome) AND X(sqlite)    \
    AND X(ndjson) AND X(folded) AND X(openmetrics)

struct uvs__export {
    const struct uvs_span_source *source;
    const struct uvs_span_tables *tables; // of the source
    FILE *out;                            // NULL for forms that write a file of their own
    const char *file;                     // an empty file that will get its name when it is whole; or NULL
    void (*alive)(void *data); // to be called now and then by what takes long without reading or writing
    void *alive_data;
    uint64_t block; // only this of the worst blocks, 1 the longest; 0 all of the trace
};

struct uvs__export_form {
    bool own_file;    // it is no stream: -o is needed
    bool whole_trace; // it is made from the report alone, so a window has no meaning
    bool has_blocks;  // it can be of one block
    // 0 or negative. What cannot be written to `out` is noticed by the caller.
    int (*run)(const struct uvs__export *export, struct uvs_error *error);
};

#define UVS_EXPORT_DECLARE(name) extern const struct uvs__export_form uvs__export_##name;
#define UVS_EXPORT_NOTHING
UVS_EXPORT_MAP(UVS_EXPORT_DECLARE, UVS_EXPORT_NOTHING)

#endif
