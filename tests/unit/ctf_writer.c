// SPDX-License-Identifier: MIT
// The layout that lttng-sessiond declares for UST channels with large headers.
#include "ctf_writer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PIECE = 4096, MAX_TEXT = 1 << 16, MAX_PACKET = 1 << 20 };

static const unsigned char uuid[16] = "uvscope-unittest";
static const char uuid_text[] = "75767363-6f70-652d-756e-697474657374";

struct __attribute__((packed)) packet_header {
    uint32_t magic;
    unsigned char uuid[16];
    uint32_t stream_id;
    uint64_t stream_instance_id, begin_ns, end_ns, content_size, packet_size, sequence, events_discarded;
    uint32_t cpu_id;
};

struct ctf_stream {
    FILE *file;
    struct packet_header header;
    size_t size;
    unsigned char bytes[MAX_PACKET];
};

struct text {
    size_t length;
    char bytes[MAX_TEXT];
};

static void add(struct text *text, const char *format, ...) __attribute__((format(__printf__, 2, 3)));
static void add(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text->length += (size_t)vsnprintf(text->bytes + text->length, MAX_TEXT - text->length, format, args);
    va_end(args);
}

static void add_field(struct text *text, const struct uvs_field *field, const struct ctf_variant *variant)
{
    const char *name = field->name;
    if (variant->renamed_field && strcmp(name, variant->renamed_field) == 0)
        name = "other_field";
    if (field->form == UVS_FIELD_STRING) {
        add(text, "\t\tstring _%s;\n", name);
        return;
    }
    const bool is_changed = variant->signed_field && strcmp(field->name, variant->signed_field) == 0;
    if (field->form == UVS_FIELD_SEQUENCE)
        add(text, "\t\tinteger { size = 8; align = 8; signed = 0; } __%s_length;\n", name);
    add(text, "\t\tinteger { size = %u; align = 8; signed = %d; } _%s%s%s%s;\n", field->size * 8u,
        field->is_signed || is_changed, name, field->form == UVS_FIELD_SEQUENCE ? "[ __" : "",
        field->form == UVS_FIELD_SEQUENCE ? name : "", field->form == UVS_FIELD_SEQUENCE ? "_length ]" : "");
}

static void add_events(struct text *text, const struct ctf_variant *variant)
{
    for (int i = 0; i < UVS_EV_COUNT; i++) {
        add(text, "event {\n\tname = \"uvscope:%s\";\n\tid = %d;\n\tstream_id = %u;\n\tfields := struct {\n",
            uvs_event_classes[i].name, i, variant->stream_class);
        for (int k = 0; k < uvs_event_classes[i].field_count; k++)
            add_field(text, &uvs_event_classes[i].fields[k], variant);
        add(text, "\t};\n};\n\n");
    }
    add(text,
        "event {\n\tname = \"other:event\";\n\tid = %d;\n\tstream_id = %u;\n\tfields := struct { };\n};\n\n",
        UVS_EV_COUNT, variant->stream_class);
}

static void add_preamble(struct text *text, const struct ctf_variant *variant)
{
    add(text, "/* CTF 1.8 */\n\ntrace {\n\tmajor = 1;\n\tminor = 8;\n\tuuid = \"%s\";\n\tbyte_order = le;\n",
        uuid_text);
    add(text,
        "\tpacket.header := struct {\n\t\tinteger { size = 32; align = 8; } magic;\n"
        "\t\tinteger { size = 8; align = 8; } uuid[16];\n\t\tinteger { size = 32; align = 8; } stream_id;\n"
        "\t\tinteger { size = 64; align = 8; } stream_instance_id;\n\t};\n};\n\n");
    add(text,
        "env {\n\tdomain = \"ust\";\n\ttracer_name = \"%s\";\n\ttracer_major = 2;\n\ttracer_minor = "
        "13;\n};\n\n",
        variant->without_tracer ? "another" : "lttng-ust");
    add(text, "clock {\n\tname = \"monotonic\";\n\tfreq = %" PRIu64 ";\n\toffset = %" PRIu64 ";\n};\n\n",
        variant->frequency ? variant->frequency : 1000000000, variant->clock_offset);
    add(text, "typealias integer { size = 64; align = 8; map = clock.monotonic.value; } := stamp_t;\n"
              "typealias integer { size = 64; align = 8; } := uint64_t;\n\n");
    add(text, "stream {\n\tid = %u;\n", variant->stream_class);
    add(text, "\tevent.header := struct {\n\t\tinteger { size = 16; align = 8; } unused;\n"
              "\t\tinteger { size = 32; align = 8; } id;\n\t\tstamp_t timestamp;\n\t};\n");
    add(text, "\tpacket.context := struct {\n\t\tstamp_t timestamp_begin;\n\t\tstamp_t timestamp_end;\n"
              "\t\tuint64_t content_size;\n\t\tuint64_t packet_size;\n\t\tuint64_t packet_seq_num;\n"
              "\t\tuint64_t events_discarded;\n\t\tinteger { size = 32; align = 8; } cpu_id;\n\t};\n};\n\n");
}

static FILE *create(const char *directory, const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    if (!file)
        abort();
    return file;
}

static void write_pieces(FILE *file, const struct text *text)
{
    struct __attribute__((packed)) {
        uint32_t magic;
        unsigned char uuid[16];
        uint32_t checksum, content_size, packet_size;
        uint8_t compression, encryption, checksum_scheme, major, minor;
    } header = {.magic = 0x75d11d57, .packet_size = PIECE * 8, .major = 1, .minor = 8};
    const size_t room = PIECE - sizeof(header);
    memcpy(header.uuid, uuid, sizeof(uuid));
    for (size_t at = 0; at < text->length; at += room) {
        char piece[PIECE] = {0};
        const size_t part = text->length - at < room ? text->length - at : room;
        header.content_size = (uint32_t)(sizeof(header) + part) * 8;
        memcpy(piece, &header, sizeof(header));
        memcpy(piece + sizeof(header), text->bytes + at, part);
        fwrite(piece, 1, sizeof(piece), file);
    }
}

void ctf_write_metadata(const char *directory, const struct ctf_variant *variant)
{
    struct text *text = calloc(1, sizeof(*text));
    mkdir(directory, 0700);
    FILE *file = create(directory, "metadata");
    add_preamble(text, variant);
    add_events(text, variant);
    write_pieces(file, text);
    fclose(file);
    free(text);
}

struct ctf_stream *ctf_stream_open(const char *directory, const char *name)
{
    struct ctf_stream *stream = calloc(1, sizeof(*stream));
    stream->file = create(directory, name);
    stream->size = sizeof(stream->header);
    stream->header.magic = 0xc1fc1fc1;
    stream->header.stream_instance_id = strtoull(name + strcspn(name, "0123456789"), NULL, 10);
    memcpy(stream->header.uuid, uuid, sizeof(uuid));
    return stream;
}

static void put(struct ctf_stream *stream, const void *bytes, size_t size)
{
    if (stream->size + size > MAX_PACKET)
        abort();
    memcpy(stream->bytes + stream->size, bytes, size);
    stream->size += size;
}

static void put_field(struct ctf_stream *stream, const struct uvs_event *event, const struct uvs_field *field)
{
    const char *at = (const char *)event + field->offset;
    if (field->form == UVS_FIELD_INTEGER) {
        put(stream, at, field->size);
        return;
    }
    const char *pointer = *(const char *const *)at;
    if (field->form == UVS_FIELD_STRING) {
        put(stream, pointer, strlen(pointer) + 1);
        return;
    }
    const uint8_t count = *((const uint8_t *)event + field->count_offset);
    put(stream, &count, sizeof(count));
    if (count)
        put(stream, pointer, (size_t)count * field->size);
}

void ctf_stream_event(struct ctf_stream *stream, const struct uvs_event *event)
{
    const uint16_t unused = UINT16_MAX;
    const uint32_t id = (uint32_t)event->type;
    put(stream, &unused, sizeof(unused));
    put(stream, &id, sizeof(id));
    put(stream, &event->time_ns, sizeof(event->time_ns));
    if (event->type == UVS_EV_COUNT)
        return;
    for (int i = 0; i < uvs_event_classes[event->type].field_count; i++)
        put_field(stream, event, &uvs_event_classes[event->type].fields[i]);
}

void ctf_stream_packet(struct ctf_stream *stream, uint64_t begin_ns, uint64_t end_ns, uint64_t discarded,
                       uint64_t skipped)
{
    stream->header.begin_ns = begin_ns;
    stream->header.end_ns = end_ns;
    stream->header.content_size = stream->size * 8;
    stream->header.packet_size = (stream->size + PIECE - 1) / PIECE * PIECE * 8;
    stream->header.events_discarded += discarded;
    stream->header.sequence += skipped;
    memcpy(stream->bytes, &stream->header, sizeof(stream->header));
    fwrite(stream->bytes, 1, stream->header.packet_size / 8, stream->file);
    stream->header.sequence++;
    memset(stream->bytes, 0, sizeof(stream->bytes));
    stream->size = sizeof(stream->header);
}

void ctf_stream_close(struct ctf_stream *stream)
{
    fclose(stream->file);
    free(stream);
}
