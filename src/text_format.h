// SPDX-License-Identifier: MIT
// Words and figures as a terminal can show them.
#ifndef UVS_TEXT_FORMAT_H
#define UVS_TEXT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// X(NAME, SGR parameters).
#define UVS_STYLE_MAP(X) \
    X(PLAIN, "")         \
    X(BOLD, "1")         \
    X(DIM, "2")          \
    X(RED, "1;31")       \
    X(YELLOW, "1;33")    \
    X(GREEN, "1;32")

enum uvs__style {
#define X(NAME, sgr) UVS__STYLE_##NAME,
    UVS_STYLE_MAP(X)
#undef X
};

enum uvs__colour { UVS__COLOUR_AUTO, UVS__COLOUR_ALWAYS, UVS__COLOUR_NEVER };
#define UVS__COLOUR_CHOICES "auto|always|never"

// How the output is to look. width 0: as wide as it gets.
struct uvs__look {
    bool colour;
    bool markdown;    // of tables and sentences
    bool short_names; // of C++, where a person reads them
    size_t width, top;
    bool full_stacks; // runtime frames too, of every block shown
};

// Asks the environment and the terminal on stdout.
struct uvs__look uvs__look_of_stdout(enum uvs__colour colour, size_t top);

void uvs__style_begin(FILE *out, const struct uvs__look *look, enum uvs__style style);
void uvs__style_end(FILE *out, const struct uvs__look *look, enum uvs__style style);

// Text from a trace: control characters, direction marks and bytes that are not UTF-8 become \x1b and
// \u{202e}, so that a name cannot act on a terminal or forge a line.
void uvs__print_escaped(FILE *out, const char *text);

// Bytes of the character that text begins with; 0 when they are no valid UTF-8.
size_t uvs__decode_utf8(const char *text, uint32_t *ret_character);

// Columns of a terminal that escaped UTF-8 takes.
size_t uvs__text_width(const char *text);
// Prints at most `width` columns of escaped UTF-8, the middle replaced by an ellipsis when it is longer.
void uvs__print_cut(FILE *out, const char *text, size_t width);

// Escaped UTF-8 as text of a Markdown table, with nothing in it that Markdown, HTML or a forge acts on.
void uvs__print_markdown(FILE *out, const char *text);

void uvs__print_ns(FILE *out, uint64_t ns);        // "-" for UVS_ABSENT
void uvs__print_moment(FILE *out, uint64_t ns);    // since the begin of the trace: "1.203 s"
void uvs__print_count(FILE *out, uint64_t number); // "12,345"; "-" for UVS_ABSENT
void uvs__print_ratio(FILE *out, double ratio);    // "99.8 %"; "-" below 0

#endif
