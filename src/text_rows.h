// SPDX-License-Identifier: MIT
// The rows of a report's tables.
#ifndef UVS_TEXT_ROWS_H
#define UVS_TEXT_ROWS_H

#include "text_table.h"

struct uvs__block_line {
    uint32_t pid;
    unsigned loop;
    const struct uvs_block *block;
};

struct uvs__request_line {
    uint32_t pid;
    struct uvs_pool_request_row request; // borrows
};

struct uvs__what_if_line {
    uint32_t pid;
    struct uvs_what_if waits;
};

// *ret_rows borrows the report. *ret_owned, NULL at first, becomes what the caller frees after it.
// -UVS_E_ENVIRONMENT without memory.
typedef int uvs__rows_function(const struct uvs_report *report, struct uvs__rows *ret_rows, void **ret_owned);

uvs__rows_function uvs__loop_rows, uvs__callback_rows, uvs__sync_rows, uvs__pool_rows, uvs__process_rows;
uvs__rows_function uvs__culprit_rows;
uvs__rows_function uvs__block_rows;   // of all loops, longest first: those at the threshold or above
uvs__rows_function uvs__timer_rows;   // with a measured delay
uvs__rows_function uvs__ready_rows;   // of descriptors, with both bounds of their delay
uvs__rows_function uvs__what_if_rows; // powers of two, and what was recorded; of pools where anything waits
uvs__rows_function uvs__request_rows; // of all pools; a triple that is not known is empty

#endif
