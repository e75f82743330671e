// SPDX-License-Identifier: MIT
// A packet that cannot be decoded to its end costs the rest of that packet: the next one begins where its
// header says.
#include "fast_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXTENDED 0xffffu

_Static_assert(sizeof(struct uvs_event) >= UVS__EVENT_PAYLOAD + UVS__CTF_PLAIN_BYTES, "an event has room");

enum { MAX_PACKET = 64 << 20, COMPACT_HEADER = 6, EXTENDED_HEADER = 14 };

static uint16_t load16(const unsigned char *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static uint32_t load32(const unsigned char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static uint64_t load64(const unsigned char *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

// --- Packets ---

static int fail(const struct uvs__fast_stream *stream, struct uvs_error *error, const char *what)
{
    return uvs_error_set(error, UVS_E_TRACE, "cannot %s %s: %s", what, uvs__fast_stream_path(stream),
                         strerror(errno));
}

int uvs__fast_stream_create(struct uvs__fast_stream *stream, const char *path,
                            const struct uvs__ctf_layout *layout, struct uvs_error *error)
{
    *stream = (struct uvs__fast_stream){.head = UVS__FAST_END, .fd = -1, .layout = layout};
    stream->files = calloc(1, sizeof(*stream->files));
    if (!stream->files || !(stream->files->path = strdup(path)))
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory");
    stream->file_count = 1;
    struct stat facts;
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return fail(stream, error, "open");
    struct uvs__ctf_packet_header header;
    const bool has_packet = fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) &&
                            pread(fd, &header, sizeof(header), 0) == (ssize_t)sizeof(header);
    close(fd);
    if (!has_packet)
        return 0;
    stream->files->size = (uint64_t)facts.st_size;
    stream->head = UVS__FAST_UNOPENED;
    stream->is_taken = true;
    stream->head_ns = header.begin_ns;
    stream->stream_id = header.stream_id;
    stream->instance_id = header.stream_instance_id;
    stream->class = uvs__ctf_layout_class(layout, header.stream_id);
    memcpy(stream->uuid, header.uuid, sizeof(header.uuid));
    return 1;
}

static void unmap(struct uvs__fast_stream *stream)
{
    if (stream->map)
        munmap(stream->map, stream->map_size);
    stream->map = NULL;
}

void uvs__fast_stream_clear(struct uvs__fast_stream *stream)
{
    unmap(stream);
    if (stream->fd >= 0)
        close(stream->fd);
    for (size_t i = 0; i < stream->file_count; i++)
        free(stream->files[i].path);
    free(stream->files);
    free(stream->damage);
}

int uvs__fast_stream_append(struct uvs__fast_stream *stream, struct uvs__fast_stream *next)
{
    struct uvs__fast_file *files = reallocarray(stream->files, stream->file_count + 1, sizeof(*files));
    if (!files)
        return -UVS_E_ENVIRONMENT;
    stream->files = files;
    files[stream->file_count++] = *next->files;
    next->file_count = 0;
    uvs__fast_stream_clear(next);
    return 0;
}

static uint64_t size_of(const struct uvs__fast_stream *stream, size_t file_count)
{
    uint64_t size = 0;
    for (size_t i = 0; i < file_count; i++)
        size += stream->files[i].size;
    return size;
}

uint64_t uvs__fast_stream_size(const struct uvs__fast_stream *stream)
{
    return size_of(stream, stream->file_count);
}

uint64_t uvs__fast_stream_read(const struct uvs__fast_stream *stream)
{
    return size_of(stream, stream->file) + stream->at;
}

static void add_loss(struct uvs__fast_stream *stream, struct uvs_ev_lost lost)
{
    stream->losses[stream->loss_count++] = lost;
}

// The counters are the stream's: what is new since the packet before was lost between it and the end of this
// one. Of a first packet nobody knows when its counter began.
static void note_losses(struct uvs__fast_stream *stream, const struct uvs__ctf_packet_header *now)
{
    const struct uvs__ctf_packet_header *before = &stream->header;
    stream->loss_count = stream->loss_next = 0;
    if (!stream->has_header) {
        if (now->events_discarded > 0)
            add_loss(stream, (struct uvs_ev_lost){now->begin_ns, now->end_ns, UVS_ABSENT, 0});
        return;
    }
    if (now->events_discarded != before->events_discarded)
        add_loss(stream, (struct uvs_ev_lost){before->end_ns, now->end_ns,
                                              now->events_discarded - before->events_discarded, 0});
    if (now->sequence - before->sequence > 1)
        add_loss(stream, (struct uvs_ev_lost){before->end_ns, now->begin_ns, 0,
                                              now->sequence - before->sequence - 1});
}

static bool has_room(const struct uvs__fast_stream *stream, const struct uvs__ctf_packet_header *header)
{
    return header->packet_size / 8 >= sizeof(*header) && header->packet_size / 8 <= MAX_PACKET &&
           header->packet_size / 8 <= stream->files[stream->file].size - stream->at &&
           header->content_size <= header->packet_size && header->content_size / 8 >= sizeof(*header);
}

// Packets are mapped one by one: what is mapped counts as this process's memory.
static int map_packet(struct uvs__fast_stream *stream, size_t size, struct uvs_error *error)
{
    static size_t page;
    if (page == 0)
        page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t in_page = (size_t)(stream->at % page);
    unmap(stream);
    stream->map_size = in_page + size;
    void *map = mmap(NULL, stream->map_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, stream->fd,
                     (off_t)(stream->at - in_page));
    if (map == MAP_FAILED)
        return fail(stream, error, "map");
    stream->map = map;
    stream->cursor = stream->map + in_page;
    return 0;
}

static int open_file(struct uvs__fast_stream *stream, struct uvs_error *error)
{
    stream->fd = open(uvs__fast_stream_path(stream), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    return stream->fd < 0 ? fail(stream, error, "open") : 0;
}

// 1; 0: there is none.
static int open_next_file(struct uvs__fast_stream *stream, struct uvs_error *error)
{
    if (stream->file + 1 == stream->file_count)
        return 0;
    close(stream->fd);
    stream->file++;
    stream->at = 0;
    return open_file(stream, error) < 0 ? -UVS_E_TRACE : 1;
}

// Of the next packet that is wanted. 1, or 0 behind the last one.
static int find_packet(struct uvs__fast_stream *stream, struct uvs__ctf_packet_header *header,
                       struct uvs_error *error)
{
    for (;;) {
        while (stream->at >= stream->files[stream->file].size) {
            const int result = open_next_file(stream, error);
            if (result <= 0)
                return result;
        }
        if (pread(stream->fd, header, sizeof(*header), (off_t)stream->at) != (ssize_t)sizeof(*header))
            return fail(stream, error, "read");
        if (!has_room(stream, header))
            return uvs_error_set(error, UVS_E_TRACE, "%s has a damaged packet at byte %llu; record again",
                                 uvs__fast_stream_path(stream), (unsigned long long)stream->at);
        if (header->end_ns >= stream->from_ns)
            return 1;
        stream->at += header->packet_size / 8;
        stream->header = *header;
        stream->has_header = true;
    }
}

// 1, or 0 behind the last one.
static int open_packet(struct uvs__fast_stream *stream, struct uvs_error *error)
{
    struct uvs__ctf_packet_header header;
    int result = find_packet(stream, &header, error);
    if (result <= 0)
        return result;
    result = map_packet(stream, header.packet_size / 8, error);
    if (result < 0)
        return result;
    stream->end = stream->cursor + header.content_size / 8;
    stream->cursor += sizeof(header);
    stream->at += header.packet_size / 8;
    note_losses(stream, &header);
    if (!stream->has_header || header.begin_ns > stream->clock_ns)
        stream->clock_ns = header.begin_ns;
    stream->header = header;
    stream->has_header = true;
    return 1;
}

static void finish(struct uvs__fast_stream *stream)
{
    unmap(stream);
    close(stream->fd);
    stream->fd = -1;
    stream->head = UVS__FAST_END;
}

// --- Events ---

// NULL: it does not fit.
static const unsigned char *skip_variable(const struct uvs__ctf_event *event, const unsigned char *at,
                                          const unsigned char *end)
{
    uint64_t length = 0;
    for (uint32_t i = 0; i < event->step_count; i++) {
        const struct uvs__ctf_step *step = &event->steps[i];
        uint64_t size = step->width;
        if (step->op == UVS__CTF_STRING) {
            const unsigned char *zero = memchr(at, 0, (size_t)(end - at));
            if (!zero)
                return NULL;
            size = (uint64_t)(zero - at) + 1;
        } else if (step->op == UVS__CTF_SEQUENCE && __builtin_mul_overflow(length, step->width, &size)) {
            return NULL;
        }
        if (size > (uint64_t)(end - at))
            return NULL;
        if (step->op == UVS__CTF_LENGTH) {
            length = 0;
            memcpy(&length, at, step->width);
        }
        at += size;
    }
    return at;
}

// The rest of the packet is lost.
static void give_up_packet(struct uvs__fast_stream *stream)
{
    if (!stream->damage &&
        asprintf(&stream->damage, "%s is damaged at byte %llu", uvs__fast_stream_path(stream),
                 (unsigned long long)(stream->at - (stream->header.packet_size / 8) +
                                      (uint64_t)(stream->cursor -
                                                 (stream->end - stream->header.content_size / 8)))) < 0)
        stream->damage = NULL;
    const uint64_t end_ns = stream->header.end_ns > stream->clock_ns ? stream->header.end_ns
                                                                     : stream->clock_ns;
    stream->losses[0] = (struct uvs_ev_lost){stream->clock_ns, end_ns, UVS_ABSENT, UVS_ABSENT};
    stream->loss_count = 1;
    stream->loss_next = 0;
    stream->cursor = stream->end;
}

// The time of a compact header: the first one with these low bits that is not before the clock.
static uint64_t time_of(uint64_t clock_ns, uint32_t low)
{
    return clock_ns + (uint32_t)(low - (uint32_t)clock_ns);
}

// Reads the event's header. false: the packet is damaged here.
static bool read_header(struct uvs__fast_stream *stream)
{
    const unsigned char *at = stream->cursor;
    const size_t room = (size_t)(stream->end - at);
    if (room < COMPACT_HEADER)
        return false;
    uint32_t id = load16(at);
    uint64_t time_ns;
    if (__builtin_expect(id != EXTENDED, 1)) {
        time_ns = time_of(stream->clock_ns, load32(at + 2));
        at += COMPACT_HEADER;
    } else {
        if (room < EXTENDED_HEADER)
            return false;
        id = load32(at + 2);
        time_ns = load64(at + 6);
        at += EXTENDED_HEADER;
    }
    if (time_ns < stream->clock_ns || id >= stream->class->event_count)
        return false;
    const struct uvs__ctf_event *event = &stream->class->events[id];
    if (!event->is_known || event->size > (size_t)(stream->end - at))
        return false;
    if (!event->is_fixed && !skip_variable(event, at, stream->end))
        return false;
    stream->clock_ns = stream->head_ns = time_ns;
    stream->event = event;
    stream->id = id;
    stream->cursor = at;
    return true;
}

static void pass_over(struct uvs__fast_stream *stream)
{
    const struct uvs__ctf_event *event = stream->event;
    stream->cursor = event->is_fixed ? stream->cursor + event->size
                                     : skip_variable(event, stream->cursor, stream->end);
    stream->event = NULL;
}

static bool show_loss(struct uvs__fast_stream *stream)
{
    if (stream->loss_next == stream->loss_count)
        return false;
    stream->head = UVS__FAST_LOSS;
    stream->head_ns = stream->losses[stream->loss_next].begin_ns;
    return true;
}

// Mostly the next event is of ours and in the same packet.
static bool step(struct uvs__fast_stream *stream)
{
    const struct uvs__ctf_event *event = stream->event;
    if (!event || !event->is_fixed || stream->loss_next != stream->loss_count)
        return false;
    stream->cursor += event->size;
    stream->event = NULL;
    if (stream->cursor < stream->end && read_header(stream)) {
        stream->head = UVS__FAST_EVENT;
        return stream->event->type >= 0;
    }
    return false;
}

int uvs__fast_stream_advance(struct uvs__fast_stream *stream, struct uvs_error *error)
{
    stream->is_taken = false;
    if (step(stream))
        return 0;
    int result = stream->head == UVS__FAST_UNOPENED ? open_file(stream, error) : 0;
    if (result < 0)
        return result;
    if (stream->event)
        pass_over(stream);
    for (;;) {
        if (show_loss(stream))
            return 0;
        while (stream->cursor < stream->end && read_header(stream)) {
            stream->head = UVS__FAST_EVENT;
            if (stream->event->type >= 0)
                return 0;
            pass_over(stream);
        }
        if (stream->cursor < stream->end) {
            give_up_packet(stream);
            continue;
        }
        result = open_packet(stream, error);
        if (result <= 0) {
            finish(stream);
            return result;
        }
    }
}

// --- Taking ---

static uint64_t load_integer(const unsigned char *at, uint32_t width, bool is_signed)
{
    uint64_t value = 0;
    memcpy(&value, at, width);
    const unsigned unused = 64 - 8 * width;
    return is_signed ? (uint64_t)((int64_t)(value << unused) >> unused) : value;
}

static void take_sequence(const unsigned char *at, uint64_t length, const struct uvs_field *field,
                          struct uvs_event *event, uint64_t *sequence)
{
    const uint8_t count = length > UINT8_MAX ? UINT8_MAX : (uint8_t)length;
    memcpy(sequence, at, count * sizeof(*sequence));
    *((uint8_t *)event + field->count_offset) = count;
    uvs__event_point(event, field->offset, sequence);
}

static void take_variable(const struct uvs__ctf_event *class, const unsigned char *at,
                          struct uvs_event *event, uint64_t *sequence)
{
    uint64_t length = 0;
    for (uint32_t i = 0; i < class->step_count; i++) {
        const struct uvs__ctf_step *step = &class->steps[i];
        char *to = step->field ? (char *)event + step->field->offset : NULL;
        uint64_t size = step->width;
        if (step->op == UVS__CTF_STRING)
            size = strlen((const char *)at) + 1;
        else if (step->op == UVS__CTF_SEQUENCE)
            size = length * step->width;
        else if (step->op == UVS__CTF_LENGTH)
            length = load_integer(at, step->width, false);
        if (to && step->op == UVS__CTF_STRING)
            uvs__event_point(event, step->field->offset, at);
        else if (to && step->op == UVS__CTF_SEQUENCE)
            take_sequence(at, length, step->field, event, sequence);
        else if (to) {
            const uint64_t value = load_integer(at, step->width, step->field->is_signed);
            memcpy(to, &value, step->field->size);
        }
        at += size;
    }
}

static void take_fixed(const struct uvs__ctf_event *class, const unsigned char *at, struct uvs_event *event)
{
    for (const struct uvs__ctf_step *step = class->steps, *end = step + class->step_count; step < end;
         step++) {
        if (!step->field)
            continue;
        char *to = (char *)event + step->field->offset;
        const unsigned char *from = at + step->from;
        switch (step->op == UVS__CTF_COPY ? step->width : 0) {
        case 1:
            memcpy(to, from, 1);
            break;
        case 2:
            memcpy(to, from, 2);
            break;
        case 4:
            memcpy(to, from, 4);
            break;
        case 8:
            memcpy(to, from, 8);
            break;
        default: {
            const uint64_t value = load_integer(from, step->width, step->field->is_signed);
            memcpy(to, &value, step->field->size);
        }
        }
    }
}

void uvs__fast_stream_take(struct uvs__fast_stream *stream, struct uvs_event *ret_event, uint64_t *sequence)
{
    stream->is_taken = true;
    if (stream->head == UVS__FAST_LOSS) {
        *ret_event = (struct uvs_event){
            .time_ns = stream->head_ns, .type = UVS_EV_LOST, .lost = stream->losses[stream->loss_next++]};
        return;
    }
    const struct uvs__ctf_event *class = stream->event;
    if (class->is_partial)
        *ret_event = class->initial;
    ret_event->type = class->type;
    ret_event->time_ns = stream->head_ns;
    if (class->is_fixed)
        take_fixed(class, stream->cursor, ret_event);
    else
        take_variable(class, stream->cursor, ret_event, sequence);
}

// As a compact header can tell them apart from an extended one.
static uint32_t compact_ids(const struct uvs__ctf_stream_class *class)
{
    return class->event_count < EXTENDED ? (uint32_t) class->event_count : EXTENDED;
}

struct uvs_event *uvs__fast_stream_take_run(struct uvs__fast_stream *stream, uint64_t before_ns,
                                            struct uvs_event *event, struct uvs_event *end)
{
    const struct uvs__ctf_stream_class *class = stream->class;
    const struct uvs__ctf_plain *const plains = class->plains;
    uint32_t id = stream->id;
    struct uvs__ctf_plain plain = plains[id];
    if (!plain.size || stream->end - stream->cursor < UVS__CTF_PLAIN_BYTES) {
        uvs__fast_stream_take(stream, event, NULL);
        return event + 1;
    }
    // Up to `last`, which lies behind the packet's begin, there is room for a header and all that is copied.
    const unsigned char *at = stream->cursor,
                        *header, *const last = stream->end - (COMPACT_HEADER + UVS__CTF_PLAIN_BYTES);
    const uint32_t ids = compact_ids(class);
    uint64_t clock_ns = stream->clock_ns;
    stream->is_taken = true;
    for (;;) {
        event->time_ns = clock_ns;
        event->type = plain.type;
        memcpy((char *)event++ + UVS__EVENT_PAYLOAD, at, UVS__CTF_PLAIN_BYTES);
        header = at + plain.size;
        if (header > last)
            break;
        const uint32_t next = load16(header);
        if (next >= ids || !plains[next].size)
            break;
        const uint64_t time_ns = time_of(clock_ns, load32(header + 2));
        if (time_ns < clock_ns)
            break;
        id = next;
        plain = plains[next];
        clock_ns = time_ns;
        at = header + COMPACT_HEADER;
        if (time_ns >= before_ns || event == end) {
            stream->is_taken = false;
            break;
        }
    }
    stream->id = id;
    stream->event = &class->events[id];
    stream->cursor = at;
    stream->clock_ns = stream->head_ns = clock_ns;
    return event;
}
