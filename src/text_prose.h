// SPDX-License-Identifier: MIT
// Sentences: gathered, and then laid out for the terminal.
#ifndef UVS_TEXT_PROSE_H
#define UVS_TEXT_PROSE_H

#include "text_format.h"

struct uvs__prose {
    FILE *out, *gathered; // gathered is `out` without memory: then lines are as long as they get
    char *text;
    size_t size;
};

// What is printed, escaped, to the stream that this returns is printed to out by uvs__prose_end.
FILE *uvs__prose_begin(struct uvs__prose *prose, FILE *out);
// used: columns of the line that are taken; indent: of the lines that follow. With look->short_names names
// are shortened, and with look->width lines end between words; with look->markdown it is escaped.
void uvs__prose_end(struct uvs__prose *prose, const struct uvs__look *look, size_t used, size_t indent);

#endif
