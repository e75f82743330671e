// SPDX-License-Identifier: MIT
// What the page shows of long names: {"whole": "short"} of the texts of the report that get shorter.
#include "report_short.h"

#include "json_out.h"
#include "text_name.h"

#include <jansson.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

// NULL: it cannot be shortened.
static char *shorten(const char *text)
{
    char *name = NULL;
    size_t size;
    FILE *stream = open_memstream(&name, &size);
    if (!stream)
        return NULL;
    uvs__print_short(stream, text);
    const bool failed = ferror(stream) != 0;
    if (fclose(stream) == 0 && !failed && strcmp(name, text) != 0)
        return name;
    free(name);
    return NULL;
}

static void collect_text(const json_t *value, json_t *names)
{
    const char *text = json_string_value(value);
    char *name = text ? shorten(text) : NULL;
    if (name)
        json_object_set_new(names, text, json_string(name));
    free(name);
}

// As deep as a report is.
static void collect(json_t *value, json_t *names)
{
    const char *key;
    size_t index;
    json_t *part;
    json_object_foreach(value, key, part)
    {
        if (strcmp(key, "label") == 0 || strcmp(key, "text") == 0)
            collect_text(part, names);
        else
            collect(part, names);
    }
    json_array_foreach(value, index, part) collect(part, names);
}

void uvs__print_short_names(FILE *out, const char *report)
{
    json_t *document = json_loads(report, 0, NULL), *names = json_object(), *name;
    const char *whole, *separator = "";
    if (document && names)
        collect(document, names);
    fputc('{', out);
    json_object_foreach(names, whole, name)
    {
        fputs(separator, out);
        uvs__json_string(out, whole);
        fputc(':', out);
        uvs__json_string(out, json_string_value(name));
        separator = ",";
    }
    fputc('}', out);
    json_decref(document);
    json_decref(names);
}
