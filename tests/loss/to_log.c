// SPDX-License-Identifier: MIT
// to_log TRACE: its events as a text event log. Modules are left out: names are not what loss is about, and
// to look them up takes longest.
#include "analysis/reader.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void print_text(const char *text)
{
    putchar('"');
    for (; *text; text++)
        if (isgraph((unsigned char)*text) && !strchr("\"\\", *text))
            putchar(*text);
        else
            printf("\\x%02x", (unsigned char)*text);
    putchar('"');
}

static uint64_t load(const void *at, const struct uvs_field *field)
{
    uint64_t value = 0;
    memcpy(&value, at, field->size);
    const unsigned unused = 64u - 8u * field->size;
    return field->is_signed ? (uint64_t)((int64_t)(value << unused) >> unused) : value;
}

static void print_integer(const struct uvs_field *field, uint64_t value)
{
    const size_t length = strlen(field->name);
    const bool is_time = length > 3 && strcmp(field->name + length - 3, "_ns") == 0;
    if (strcmp(field->name, "loop") == 0)
        printf("%" PRIu32 ":%" PRIu32, uvs_key_pid((uint32_t)value), uvs_key_slot((uint32_t)value));
    else if (is_time && value == UVS_ABSENT)
        putchar('-');
    else if (field->is_signed)
        printf("%" PRId64, (int64_t)value);
    else
        printf("%" PRIu64, value);
}

static void print_field(const struct uvs_event *event, const struct uvs_field *field)
{
    const char *at = (const char *)event + field->offset;
    printf(" %s=", field->name);
    if (field->form == UVS_FIELD_STRING)
        print_text(*(const char *const *)at);
    else if (field->form == UVS_FIELD_INTEGER)
        print_integer(field, load(at, field));
    else
        for (uint8_t i = 0, count = *((const uint8_t *)event + field->count_offset); i < count; i++)
            printf("%s%" PRIu64, i ? "," : "", (*(const uint64_t *const *)at)[i]);
}

int main(int argc, char **argv)
{
    struct uvs_error error = {0};
    struct uvs_reader *reader;
    const struct uvs_event *event;
    int result = argc == 2 ? uvs_reader_create(argv[1], &reader, &error) : -1;
    if (result < 0) {
        fprintf(stderr, "to_log TRACE: %s\n", error.text);
        return 1;
    }
    while ((result = uvs_reader_next(reader, &event, &error)) > 0) {
        if (event->type < 0 || event->type >= UVS_EV_COUNT || event->type == UVS_EV_module)
            continue;
        const struct uvs_event_class *class = &uvs_event_classes[event->type];
        printf("%" PRIu64 " %s", event->time_ns, class->name);
        for (int i = 0; i < class->field_count; i++)
            print_field(event, &class->fields[i]);
        putchar('\n');
    }
    uvs_reader_destroy(reader);
    return result < 0;
}
