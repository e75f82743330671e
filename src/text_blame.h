// SPDX-License-Identifier: MIT
// Who waited, and for whom.
#ifndef UVS_TEXT_BLAME_H
#define UVS_TEXT_BLAME_H

#include "../analysis/report.h"
#include "text_format.h"

// A sentence for each kind of victim, those that suffered most first; nothing when nobody waited.
void uvs__print_blame(FILE *out, const struct uvs__look *look, const struct uvs_report *report);
// The two halves of who it is: "timer" and "on_slow (app.c:3)", "sync fs.read" and "start (app.c:9)", "worker
// work" and "hash (app.c:12)", "-" and "libuv itself".
void uvs__print_blame_kind(FILE *out, const struct uvs_blame_who *who);
void uvs__print_blame_name(FILE *out, const struct uvs_blame_who *who);
// "80 % superSlowFunction (app.js:3)": the function of a script that most of what was sampled of it was in, and
// how much; "-" where none is known.
void uvs__print_blame_script(FILE *out, const struct uvs_blame_who *who);

#endif
