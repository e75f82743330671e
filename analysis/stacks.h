// SPDX-License-Identifier: MIT
// Stacks of stalled loops: each kept once and counted, and those of a block merged into its dominant one.
#ifndef UVS_STACKS_H
#define UVS_STACKS_H

#include "analysis.h"

// Fills block->stack from block->stacks. 0 or -UVS_E_ENVIRONMENT.
int uvs__merge_stacks(const struct uvs_report *report, struct uvs_block *block);

// Whether it is a function of a script of the program's own, not of the language's runtime.
bool uvs__is_own_script(const struct uvs_site *site);

#endif
