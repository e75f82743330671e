// SPDX-License-Identifier: MIT
// Sentences that fit the terminal.
#include "text_prose.h"

#include "text_name.h"

#include <stdlib.h>
#include <string.h>

FILE *uvs__prose_begin(struct uvs__prose *prose, FILE *out)
{
    *prose = (struct uvs__prose){.out = out};
    prose->gathered = open_memstream(&prose->text, &prose->size);
    if (!prose->gathered)
        prose->gathered = out;
    return prose->gathered;
}

// A figure and its unit are one word.
static size_t word_length(const char *text)
{
    static const char *const units[] = {"ns", "µs", "ms", "s", "%"};
    const size_t length = strcspn(text, " ");
    if (length == 0 || text[length] == '\0' || text[length - 1] < '0' || text[length - 1] > '9')
        return length;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        const size_t whole = length + 1 + strlen(units[i]);
        if (strncmp(text + length + 1, units[i], strlen(units[i])) == 0 && strchr(" ,;.)", text[whole]))
            return whole + strcspn(text + whole, " ");
    }
    return length;
}

// A word that is wider than a line stays whole.
static void print_wrapped(FILE *out, const char *text, size_t width, size_t used, size_t indent)
{
    bool is_first = true;
    while (*text) {
        const size_t length = word_length(text);
        char *word = strndup(text, length);
        const size_t columns = word ? uvs__text_width(word) : length;
        free(word);
        if (!is_first && used + 1 + columns > width) {
            fprintf(out, "\n%*s", (int)indent, "");
            used = indent;
        } else if (!is_first) {
            fputc(' ', out);
            used++;
        }
        fwrite(text, 1, length, out);
        used += columns;
        text += length + (text[length] == ' ');
        is_first = false;
    }
}

static void shorten(struct uvs__prose *prose)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return;
    uvs__print_short(stream, prose->text);
    const bool failed = ferror(stream) != 0;
    if (fclose(stream) == 0 && !failed) {
        free(prose->text);
        prose->text = text;
    } else {
        free(text);
    }
}

void uvs__prose_end(struct uvs__prose *prose, const struct uvs__look *look, size_t used, size_t indent)
{
    if (prose->gathered == prose->out)
        return;
    if (fclose(prose->gathered) == 0 && look->short_names)
        shorten(prose);
    if (prose->text && look->markdown)
        uvs__print_markdown(prose->out, prose->text);
    else if (prose->text && look->width)
        print_wrapped(prose->out, prose->text, look->width, used, indent);
    else if (prose->text)
        fputs(prose->text, prose->out);
    free(prose->text);
}
