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

static const unsigned char uuid[16] = "uvscope-unittest"; // its last byte is the trace's own

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
    uint64_t time_ns; // of the packet's last event
    bool has_time;
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

// Returns its last byte.
static unsigned char set_uuid(const struct ctf_variant *variant, unsigned char *ret_uuid)
{
    memcpy(ret_uuid, uuid, sizeof(uuid));
    return ret_uuid[sizeof(uuid) - 1] = (unsigned char)(uuid[sizeof(uuid) - 1] + variant->trace);
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
    static const unsigned widths[] = {8, 16, 32, 64};
    add(text, "/* CTF 1.8 */\n\n");
    for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++)
        add(text, "typealias integer { size = %u; align = 8; signed = false; } := uint%u_t;\n", widths[i],
            widths[i]);
    add(text, "typealias integer { size = 64; align = 8; signed = false; } := unsigned long;\n\n"
              "trace {\n\tmajor = 1;\n\tminor = 8;\n");
    add(text, "\tuuid = \"75767363-6f70-652d-756e-6974746573%02x\";\n\tbyte_order = le;\n",
        (unsigned)set_uuid(variant, (unsigned char[16]){0}));
    add(text, "\tpacket.header := struct {\n\t\tuint32_t magic;\n\t\tuint8_t  uuid[16];\n"
              "\t\tuint32_t stream_id;\n\t\tuint64_t stream_instance_id;\n\t};\n};\n\n");
    add(text,
        "env {\n\tdomain = \"ust\";\n\ttracer_name = \"%s\";\n\ttracer_major = 2;\n\ttracer_minor = "
        "13;\n};\n\n",
        variant->without_tracer ? "another" : "lttng-ust");
    add(text, "clock {\n\tname = \"monotonic\";\n\tfreq = %" PRIu64 ";\n\toffset = %" PRIu64 ";\n};\n\n",
        variant->frequency ? variant->frequency : 1000000000, variant->clock_offset);
    for (size_t i = 2; i < sizeof(widths) / sizeof(widths[0]); i++)
        add(text,
            "typealias integer {\n\tsize = %u; align = 8; signed = false;\n\tmap = clock.monotonic.value;\n"
            "} := uint%u_clock_monotonic_t;\n\n",
            widths[i], widths[i]);
}

static void add_stream_class(struct text *text, const struct ctf_variant *variant)
{
    add(text, "struct packet_context {\n\tuint64_clock_monotonic_t timestamp_begin;\n"
              "\tuint64_clock_monotonic_t timestamp_end;\n\tuint64_t content_size;\n"
              "\tuint64_t packet_size;\n\tuint64_t packet_seq_num;\n\tunsigned long events_discarded;\n"
              "\tuint32_t cpu_id;\n};\n\n");
    add(text, "struct event_header_large {\n"
              "\tenum : uint16_t { compact = 0 ... 65534, extended = 65535 } id;\n\tvariant <id> {\n"
              "\t\tstruct {\n\t\t\tuint32_clock_monotonic_t timestamp;\n\t\t} compact;\n"
              "\t\tstruct {\n\t\t\tuint32_t id;\n\t\t\tuint64_clock_monotonic_t timestamp;\n"
              "\t\t} extended;\n\t} v;\n} align(8);\n\n");
    add(text,
        "stream {\n\tid = %u;\n\tevent.header := struct event_header_large;\n"
        "\tpacket.context := struct packet_context;\n};\n\n",
        variant->stream_class);
}

// The text may grow by it.
static void replace(struct text *text, const char *words, const char *others)
{
    char *at = strstr(text->bytes, words);
    if (!at || text->length + strlen(others) >= MAX_TEXT)
        abort();
    memmove(at + strlen(others), at + strlen(words), strlen(at + strlen(words)) + 1);
    memcpy(at, others, strlen(others));
    text->length = strlen(text->bytes);
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

static void write_pieces(FILE *file, const struct text *text, const struct ctf_variant *variant)
{
    struct __attribute__((packed)) {
        uint32_t magic;
        unsigned char uuid[16];
        uint32_t checksum, content_size, packet_size;
        uint8_t compression, encryption, checksum_scheme, major, minor;
    } header = {.magic = 0x75d11d57, .packet_size = PIECE * 8, .major = 1, .minor = 8};
    const size_t room = PIECE - sizeof(header);
    set_uuid(variant, header.uuid);
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
    add_stream_class(text, variant);
    add_events(text, variant);
    if (variant->replaced)
        replace(text, variant->replaced, variant->replacement);
    write_pieces(file, text, variant);
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

void ctf_stream_belongs(struct ctf_stream *stream, const struct ctf_variant *variant)
{
    set_uuid(variant, stream->header.uuid);
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
    const char *pointer = uvs__event_pointer(event, field->offset);
    if (field->form == UVS_FIELD_STRING) {
        put(stream, pointer, strlen(pointer) + 1);
        return;
    }
    const uint8_t count = *((const uint8_t *)event + field->count_offset);
    put(stream, &count, sizeof(count));
    if (count)
        put(stream, pointer, (size_t)count * field->size);
}

// As LTTng does it: in full when the low half of the time would not tell it.
static void put_header(struct ctf_stream *stream, uint32_t id, uint64_t time_ns)
{
    const uint16_t extended = UINT16_MAX, short_id = (uint16_t)id;
    const uint32_t low_ns = (uint32_t)time_ns;
    const bool is_compact = stream->has_time && time_ns - stream->time_ns < UINT32_MAX;
    put(stream, is_compact ? &short_id : &extended, sizeof(short_id));
    if (!is_compact)
        put(stream, &id, sizeof(id));
    put(stream, is_compact ? (const void *)&low_ns : &time_ns, is_compact ? sizeof(low_ns) : sizeof(time_ns));
    stream->time_ns = time_ns;
    stream->has_time = true;
}

void ctf_stream_event(struct ctf_stream *stream, const struct uvs_event *event)
{
    put_header(stream, (uint32_t)event->type, event->time_ns);
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
    stream->has_time = false;
}

void ctf_stream_continue(struct ctf_stream *stream, const char *directory, const char *name)
{
    fclose(stream->file);
    stream->file = create(directory, name);
}

void ctf_stream_close(struct ctf_stream *stream)
{
    fclose(stream->file);
    free(stream);
}
