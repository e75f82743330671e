// SPDX-License-Identifier: MIT
// Strings and members of JSON objects.
#include "json_out.h"

#include "../probes/uvs_abi.h"
#include "text_format.h"

#include <inttypes.h>

static bool needs_escape(uint32_t character)
{
    return character < 0x20 || character == '"' || character == '\\' || character == '<' ||
           character == 0x7f || character == 0x2028 || character == 0x2029;
}

void uvs__json_string(FILE *out, const char *text)
{
    if (!text) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    for (size_t length; *text; text += length) {
        uint32_t character = 0;
        length = uvs__decode_utf8(text, &character);
        if (length == 0)
            fputs("\\ufffd", out);
        else if (needs_escape(character))
            fprintf(out, "\\u%04" PRIx32, character);
        else
            fwrite(text, 1, length, out);
        length += length == 0;
    }
    fputc('"', out);
}

void uvs__json_text_member(FILE *out, const char *key, const char *text)
{
    fprintf(out, ",\"%s\":", key);
    uvs__json_string(out, text);
}

void uvs__json_number_member(FILE *out, const char *key, uint64_t number)
{
    if (number == UVS_ABSENT)
        fprintf(out, ",\"%s\":null", key);
    else
        fprintf(out, ",\"%s\":%" PRIu64, key, number);
}

void uvs__json_signed_member(FILE *out, const char *key, int64_t number)
{
    fprintf(out, ",\"%s\":%" PRId64, key, number);
}

void uvs__json_bool_member(FILE *out, const char *key, bool value)
{
    fprintf(out, ",\"%s\":%s", key, value ? "true" : "false");
}
