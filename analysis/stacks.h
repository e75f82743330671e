// SPDX-License-Identifier: MIT
// Stacks of stalled loops: each kept once and counted, and those of a block merged into its dominant one.
#ifndef UVS_STACKS_H
#define UVS_STACKS_H

#include "analysis.h"

// Fills block->stack from block->stacks. 0 or -UVS_E_ENVIRONMENT.
int uvs__merge_stacks(const struct uvs_report *report, struct uvs_block *block);

#endif
