// SPDX-License-Identifier: MIT
// Who waited, and for whom.
#ifndef UVS_TEXT_BLAME_H
#define UVS_TEXT_BLAME_H

#include "../analysis/report.h"
#include "text_format.h"

// A sentence for each kind of victim, those that suffered most first; nothing when nobody waited.
void uvs__print_blame(FILE *out, const struct uvs__look *look, const struct uvs_report *report);
// "on_slow (app.c:3)", "sync fs.read from start (app.c:9)", "libuv itself"
void uvs__print_blame_who(FILE *out, const struct uvs_blame_who *who);

#endif
