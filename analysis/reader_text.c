// SPDX-License-Identifier: MIT
// The text event log, one event a line: `<time> <event> field=value …`. For tests and for people.
#include "reader.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FRAMES = UINT8_MAX, MAX_LINE = 1 << 16 };

// The only event that is no trace event; its fields are in the same form.
static const struct uvs_field lost_fields[] = {
#define LOST(field)                                           \
    {                                                         \
        .name = #field, .form = UVS_FIELD_INTEGER, .size = 8, \
        .offset = offsetof(struct uvs_event, lost.field)      \
    }
    LOST(begin_ns),
    LOST(end_ns),
    LOST(events),
    LOST(packets),
#undef LOST
};
static const struct uvs_event_class lost_class = {
    .name = "lost", .fields = lost_fields, .field_count = sizeof(lost_fields) / sizeof(lost_fields[0])};

struct text_reader {
    struct uvs_reader base;
    FILE *file;
    char *path;
    unsigned long number;
    struct uvs_event event;
    uint64_t frames[MAX_FRAMES];
    char line[MAX_LINE];
};

static bool names_time(const char *name)
{
    size_t length = strlen(name);
    return length > 3 && strcmp(name + length - 3, "_ns") == 0;
}

// --- Words ---

static int complain(const struct text_reader *reader, struct uvs_error *error, const char *what,
                    const char *word)
{
    return uvs_error_set(error, UVS_E_TRACE, "%s:%lu: %s `%s'", reader->path, reader->number, what, word);
}

// The byte that \xHH or \c stands for; *from is behind the backslash, and moves to its last character.
static char escaped(char **from)
{
    if (**from == 'x' && isxdigit((unsigned char)(*from)[1]) && isxdigit((unsigned char)(*from)[2])) {
        const char digits[] = {(*from)[1], (*from)[2], '\0'};
        *from += 2;
        return (char)strtoul(digits, NULL, 16);
    }
    return **from;
}

// Takes the next word off *cursor, its quotes and backslashes resolved in place; NULL at the end of the line.
static char *next_word(char **cursor)
{
    char *from = *cursor + strspn(*cursor, " \t\r\n");
    if (*from == '\0' || *from == '#')
        return NULL;
    char *word = from, *to = from;
    bool quoted = false;
    for (; *from && (quoted || !isspace((unsigned char)*from)); from++) {
        bool escape = *from == '\\' && from[1];
        if (*from == '"') {
            quoted = !quoted;
            continue;
        }
        from += escape;
        *to++ = escape ? escaped(&from) : *from;
    }
    *cursor = *from ? from + 1 : from;
    *to = '\0';
    return word;
}

static bool parse_integer(const char *text, uint64_t *ret_value)
{
    bool negative = *text == '-';
    const char *digits = text + negative;
    if (!isdigit((unsigned char)*digits))
        return false;
    char *end;
    errno = 0;
    uint64_t value = strtoull(digits, &end, strncmp(digits, "0x", 2) == 0 ? 16 : 10);
    if (*end || errno)
        return false;
    *ret_value = negative ? -value : value;
    return true;
}

static uint64_t unit_ns(const char *unit)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {{"", 1}, {"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(units[i].name, unit) == 0)
            return units[i].ns;
    return 0;
}

// "1.5s", "250", "-": exact, without floating point.
static bool parse_time(const char *text, uint64_t *ret_ns)
{
    if (strcmp(text, "-") == 0) {
        *ret_ns = UVS_ABSENT;
        return true;
    }
    if (!isdigit((unsigned char)*text))
        return false;
    char *end;
    errno = 0;
    uint64_t whole = strtoull(text, &end, 10);
    const char *fraction = *end == '.' ? end + 1 : end;
    const char *unit = fraction + strspn(fraction, "0123456789");
    uint64_t scale = unit_ns(unit);
    if (errno || scale == 0 || whole > UINT64_MAX / scale)
        return false;
    uint64_t ns = whole * scale;
    for (; fraction < unit && scale > 1; fraction++) {
        scale /= 10;
        ns += (uint64_t)(*fraction - '0') * scale;
    }
    *ret_ns = ns;
    return true;
}

static bool parse_loop(const char *text, uint64_t *ret_key)
{
    char *end;
    uint64_t pid = strtoull(text, &end, 10), slot = UVS_SLOT_NONE;
    if (end == text || *end != ':' || pid > UINT32_MAX >> UVS_SLOT_BITS)
        return false;
    if (strcmp(end + 1, "-") != 0 && (!parse_integer(end + 1, &slot) || slot > UVS_SLOT_NONE))
        return false;
    *ret_key = uvs_loop_key((uint32_t)pid, (uint32_t)slot);
    return true;
}

static bool parse_kind(const char *text, uint64_t *ret_kind)
{
    int kind = uvs_kind_from_name(text);
    if (kind < 0)
        kind = uvs_gc_from_name(text);
    if (kind < 0)
        return parse_integer(text, ret_kind);
    *ret_kind = (uint64_t)kind;
    return true;
}

// --- Fields ---

static bool fits(const struct uvs_field *field, uint64_t value)
{
    unsigned bits = field->size * 8u;
    if (bits == 64)
        return true;
    if (!field->is_signed)
        return value >> bits == 0;
    int64_t number = (int64_t)value, limit = (int64_t)1 << (bits - 1);
    return number >= -limit && number < limit;
}

static bool set_integer(struct uvs_event *event, const struct uvs_field *field, const char *text)
{
    static const struct {
        const char *name;
        bool (*parse)(const char *text, uint64_t *ret_value);
    } special[] = {{"loop", parse_loop}, {"kind", parse_kind}};
    bool (*parse)(const char *, uint64_t *) = names_time(field->name) ? parse_time : parse_integer;
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
        if (strcmp(special[i].name, field->name) == 0)
            parse = special[i].parse;
    uint64_t value;
    if (!parse(text, &value) || !fits(field, value))
        return false;
    uvs__event_set(event, field->offset, field->size, value);
    return true;
}

static bool set_sequence(struct text_reader *reader, const struct uvs_field *field, const char *text)
{
    size_t count = 0;
    while (*text) {
        char item[24] = "";
        size_t length = strcspn(text, ",");
        if (count == MAX_FRAMES || length >= sizeof(item))
            return false;
        memcpy(item, text, length);
        if (!parse_integer(item, &reader->frames[count++]))
            return false;
        text += length + (text[length] == ',');
    }
    *((uint8_t *)&reader->event + field->count_offset) = (uint8_t)count;
    return true;
}

static bool set_field(struct text_reader *reader, const struct uvs_field *field, char *text)
{
    switch (field->form) {
    case UVS_FIELD_INTEGER:
        return set_integer(&reader->event, field, text);
    case UVS_FIELD_STRING:
        uvs__event_point(&reader->event, field->offset, text);
        return true;
    default:
        return set_sequence(reader, field, text);
    }
}

static void set_defaults(struct text_reader *reader, const struct uvs_event_class *class)
{
    for (unsigned i = 0; i < class->field_count; i++) {
        const struct uvs_field *field = &class->fields[i];
        if (field->form == UVS_FIELD_STRING)
            uvs__event_point(&reader->event, field->offset, "");
        else if (field->form == UVS_FIELD_SEQUENCE)
            uvs__event_point(&reader->event, field->offset, reader->frames);
        else if (names_time(field->name))
            uvs__event_set(&reader->event, field->offset, field->size, UVS_ABSENT);
    }
}

static const struct uvs_field *find_field(const struct uvs_event_class *class, const char *name)
{
    for (unsigned i = 0; i < class->field_count; i++)
        if (strcmp(class->fields[i].name, name) == 0)
            return &class->fields[i];
    return NULL;
}

static const struct uvs_event_class *find_class(const char *name, int *ret_type)
{
    for (int i = 0; i < UVS_EV_COUNT; i++)
        if (strcmp(uvs_event_classes[i].name, name) == 0) {
            *ret_type = i;
            return &uvs_event_classes[i];
        }
    *ret_type = UVS_EV_LOST;
    return strcmp(name, lost_class.name) == 0 ? &lost_class : NULL;
}

// --- Lines ---

static int parse_fields(struct text_reader *reader, const struct uvs_event_class *class, char *cursor,
                        struct uvs_error *error)
{
    for (char *word; (word = next_word(&cursor));) {
        char *value = strchr(word, '=');
        if (!value)
            return complain(reader, error, "a field is name=value, not", word);
        *value++ = '\0';
        const struct uvs_field *field = find_field(class, word);
        if (!field)
            return complain(reader, error, "the event has no field", word);
        if (!set_field(reader, field, value)) {
            value[-1] = '=';
            return complain(reader, error, "cannot read the value of", word);
        }
    }
    return 0;
}

// 1: an event; 0: an empty line.
static int parse_line(struct text_reader *reader, struct uvs_error *error)
{
    char *cursor = reader->line;
    const char *time = next_word(&cursor);
    if (!time)
        return 0;
    reader->event = (struct uvs_event){0};
    if (!parse_time(time, &reader->event.time_ns))
        return complain(reader, error, "a line begins with a time, not", time);
    const char *name = next_word(&cursor);
    const struct uvs_event_class *class = name ? find_class(name, &reader->event.type) : NULL;
    if (!class)
        return complain(reader, error, "there is no event", name ? name : "");
    set_defaults(reader, class);
    int rc = parse_fields(reader, class, cursor, error);
    return rc ? rc : 1;
}

// 1, or 0 at the end.
static int read_line(struct text_reader *reader, struct uvs_error *error)
{
    if (!fgets(reader->line, MAX_LINE, reader->file))
        return 0;
    reader->number++;
    if (strchr(reader->line, '\n') || feof(reader->file))
        return 1;
    return uvs_error_set(error, UVS_E_TRACE, "%s:%lu: the line is too long, or holds a zero byte",
                         reader->path, reader->number);
}

static int text_next(struct uvs_reader *base, const struct uvs_event **ret_event, struct uvs_error *error)
{
    struct text_reader *reader = (struct text_reader *)base;
    int rc;
    while ((rc = read_line(reader, error)) > 0 && (rc = parse_line(reader, error)) == 0)
        ;
    if (rc == 1)
        *ret_event = &reader->event;
    if (rc)
        return rc;
    if (ferror(reader->file))
        return uvs_error_set(error, UVS_E_TRACE, "cannot read %s: %s", reader->path, strerror(errno));
    return 0;
}

static void text_destroy(struct uvs_reader *base)
{
    struct text_reader *reader = (struct text_reader *)base;
    if (reader->file)
        fclose(reader->file);
    free(reader->path);
    free(reader);
}

static const struct uvs_reader_ops text_ops = {.name = "text", .next = text_next, .destroy = text_destroy};

int uvs__reader_text_create(const char *file, struct uvs_reader **ret_reader, struct uvs_error *error)
{
    struct text_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory to read %s", file);
    reader->base.ops = &text_ops;
    reader->path = strdup(file);
    reader->file = fopen(file, "re");
    if (!reader->path || !reader->file) {
        int rc = uvs_error_set(error, UVS_E_TRACE, "cannot open %s: %s; is it there, and may you read it?",
                               file, strerror(errno));
        text_destroy(&reader->base);
        return rc;
    }
    *ret_reader = &reader->base;
    return 0;
}
