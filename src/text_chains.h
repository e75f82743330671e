// SPDX-License-Identifier: MIT
// Who asked for whom.
#ifndef UVS_TEXT_CHAINS_H
#define UVS_TEXT_CHAINS_H

#include "../analysis/report.h"
#include "text_format.h"

// The slowest chains, shortened; nothing when there are none.
void uvs__print_chains(FILE *out, const struct uvs__look *look, const struct uvs_report *report);
// One chain with all of its steps.
void uvs__print_chain(FILE *out, const struct uvs__look *look, const struct uvs_report *report,
                      const struct uvs_chain_row *chain);

#endif
