// SPDX-License-Identifier: MIT
// Escaping, widths and figures.
#include "text_format.h"

#include "../analysis/duration.h"
#include "../probes/uvs_abi.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

// Tables do not fit narrower ones anyway, and names that are cut to fit say less than lines that wrap.
enum { WIDTH_MIN = 80 };

static const char *const styles[] = {
#define X(NAME, sgr) sgr,
    UVS_STYLE_MAP(X)
#undef X
};

struct range {
    uint32_t first, last;
};

static bool is_in(uint32_t character, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (character >= ranges[i].first && character <= ranges[i].last)
            return true;
    return false;
}

// Controls, line separators, direction marks and overrides, invisible characters.
static bool is_hazardous(uint32_t character)
{
    static const struct range ranges[] = {{0, 0x1f},        {0x7f, 0x9f},      {0x61c, 0x61c},
                                          {0x200b, 0x200f}, {0x2028, 0x202e},  {0x2060, 0x206f},
                                          {0xfeff, 0xfeff}, {0xe0000, 0xe007f}};
    return is_in(character, ranges, sizeof(ranges) / sizeof(ranges[0]));
}

static bool is_combining(uint32_t character)
{
    static const struct range ranges[] = {{0x300, 0x36f},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
                                          {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};
    return is_in(character, ranges, sizeof(ranges) / sizeof(ranges[0]));
}

size_t uvs__decode_utf8(const char *text, uint32_t *ret_character)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t length = 1; length <= 4; length++) {
        if ((bytes[0] & forms[length - 1].mask) != forms[length - 1].lead)
            continue;
        uint32_t character = bytes[0] & (unsigned char)~forms[length - 1].mask;
        for (size_t i = 1; i < length; i++) {
            if ((bytes[i] & 0xc0) != 0x80)
                return 0;
            character = character << 6 | (bytes[i] & 0x3f);
        }
        *ret_character = character;
        bool is_surrogate = character >= 0xd800 && character <= 0xdfff;
        return character >= forms[length - 1].least && character <= 0x10ffff && !is_surrogate ? length : 0;
    }
    return 0;
}

// 0: no terminal, or one that does not know.
static size_t terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 0;
    return size.ws_col > WIDTH_MIN ? size.ws_col : WIDTH_MIN;
}

static bool wants_colour(void)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

struct uvs__look uvs__look_of_stdout(enum uvs__colour colour, size_t top)
{
    const size_t width = terminal_width();
    return (struct uvs__look){.colour = colour == UVS__COLOUR_ALWAYS ||
                                        (colour == UVS__COLOUR_AUTO && wants_colour()),
                              .short_names = width > 0,
                              .width = width,
                              .top = top};
}

void uvs__style_begin(FILE *out, const struct uvs__look *look, enum uvs__style style)
{
    if (look->colour && style != UVS__STYLE_PLAIN)
        fprintf(out, "\x1b[%sm", styles[style]);
}

void uvs__style_end(FILE *out, const struct uvs__look *look, enum uvs__style style)
{
    if (look->colour && style != UVS__STYLE_PLAIN)
        fputs("\x1b[0m", out);
}

// The character at text, whose bytes are `length`, made harmless.
static void print_hazard(FILE *out, const char *text, size_t length, uint32_t character)
{
    static const char *const names[] = {['\t'] = "\\t", ['\n'] = "\\n", ['\r'] = "\\r"};
    size_t name_count = sizeof(names) / sizeof(names[0]);
    if (length == 1 && character < name_count && names[character])
        fputs(names[character], out);
    else if (length <= 1)
        fprintf(out, "\\x%02x", (unsigned char)*text);
    else
        fprintf(out, "\\u{%" PRIx32 "}", character);
}

void uvs__print_escaped(FILE *out, const char *text)
{
    while (*text) {
        uint32_t character = 0;
        size_t length = uvs__decode_utf8(text, &character);
        if (length > 0 && !is_hazardous(character))
            fwrite(text, 1, length, out);
        else
            print_hazard(out, text, length, character);
        text += length ? length : 1;
    }
}

// Bytes of the character at text, and the columns it takes.
static size_t step(const char *text, size_t *ret_columns)
{
    uint32_t character = 0;
    size_t length = uvs__decode_utf8(text, &character);
    *ret_columns = is_combining(character) ? 0 : 1;
    return length ? length : 1;
}

size_t uvs__text_width(const char *text)
{
    size_t width = 0;
    for (size_t columns; *text; width += columns)
        text += step(text, &columns);
    return width;
}

// Where the first `width` columns of text end.
static const char *skip_columns(const char *text, size_t width)
{
    size_t used = 0;
    while (*text) {
        size_t columns, length = step(text, &columns);
        if (used + columns > width)
            break;
        used += columns;
        text += length;
    }
    return text;
}

// Spaces are between template arguments only.
static bool is_scoped_name(const char *text)
{
    for (const char *at = strchr(text, ' '); at; at = strchr(at + 1, ' '))
        if (at == text || at[-1] != ',')
            return false;
    return strstr(text, "::") != NULL;
}

void uvs__print_cut(FILE *out, const char *text, size_t width)
{
    size_t whole = uvs__text_width(text);
    if (whole <= width) {
        fputs(text, out);
        return;
    }
    if (width == 0)
        return;
    // The end of a site is its file and line: both ends say who it is. That of a name in C++ is its own.
    size_t head = is_scoped_name(text) ? 0 : (width - 1) / 2, tail = width - 1 - head;
    fwrite(text, 1, (size_t)(skip_columns(text, head) - text), out);
    fprintf(out, "…%s", skip_columns(text, whole - tail));
}

void uvs__print_markdown(FILE *out, const char *text)
{
    for (; *text; text++) {
        // Brackets are harmless where there are no square ones. A forge takes @name and #1 for people and
        // issues, a reference to a character it takes for that.
        if (strchr("<>&@#\"", *text))
            fprintf(out, "&#%d;", *text);
        else if (strchr("\\`*_{}[]~|!", *text))
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
}

void uvs__print_ns(FILE *out, uint64_t ns)
{
    char buffer[32];
    fputs(uvs_format_ns(buffer, sizeof(buffer), ns), out);
}

void uvs__print_moment(FILE *out, uint64_t ns)
{
    uint64_t ms = ns / 1000000;
    fprintf(out, "%" PRIu64 ".%03u s", ms / 1000, (unsigned)(ms % 1000));
}

void uvs__print_count(FILE *out, uint64_t number)
{
    char digits[24];
    if (number == UVS_ABSENT) {
        fputc('-', out);
        return;
    }
    int length = snprintf(digits, sizeof(digits), "%" PRIu64, number);
    for (int i = 0; i < length; i++)
        fprintf(out, "%s%c", i > 0 && (length - i) % 3 == 0 ? "," : "", digits[i]);
}

void uvs__print_ratio(FILE *out, double ratio)
{
    if (ratio < 0)
        fputc('-', out);
    else
        fprintf(out, "%.1f %%", ratio * 100);
}
