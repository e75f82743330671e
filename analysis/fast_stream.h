// SPDX-License-Identifier: MIT
// One stream of an LTTng-UST trace, its packets mapped one after the other and decoded where they lie.
#ifndef UVS_FAST_STREAM_H
#define UVS_FAST_STREAM_H

#include "ctf_layout.h"

// What comes next: at the time `head_ns`.
enum uvs__fast_head {
    UVS__FAST_UNOPENED, // its first packet, at the earliest
    UVS__FAST_EVENT,
    UVS__FAST_LOSS,
    UVS__FAST_END,
};

// One of the files that a tracer spread a stream over.
struct uvs__fast_file {
    char *path;
    uint64_t size; // bytes
};

struct uvs__fast_stream {
    enum uvs__fast_head head;
    bool is_taken; // the head: what comes next is not known yet
    uint64_t head_ns;
    struct uvs__fast_file *files; // in the order of time
    size_t file_count, file;      // file: the one that is read
    int fd;                       // -1: not open
    uint64_t at;                  // bytes: of the next packet in its file
    const struct uvs__ctf_layout *layout;
    const struct uvs__ctf_stream_class *class;
    unsigned char uuid[16];
    uint64_t stream_id, instance_id;
    size_t rank; // of streams that are at the same time
    // The packet.
    unsigned char *map;
    size_t map_size;
    const unsigned char *cursor, *end; // of what is not decoded yet; behind its content
    uint64_t from_ns;                  // packets that end before are passed over
    uint64_t clock_ns;
    struct uvs__ctf_packet_header header; // of this packet, or of the last one
    bool has_header;
    // The head.
    const struct uvs__ctf_event *event; // NULL: none
    uint32_t id;                        // the event's
    struct uvs_ev_lost losses[2];       // in front of the packet's events
    unsigned loss_count, loss_next;
    char *damage; // the first packet that could not be decoded to its end; NULL: none
};

// Reads the first packet's header: what merging needs. 1; 0: it has no packet; negative: error. `path` is
// copied.
int uvs__fast_stream_create(struct uvs__fast_stream *stream, const char *path,
                            const struct uvs__ctf_layout *layout, struct uvs_error *error);
void uvs__fast_stream_clear(struct uvs__fast_stream *stream);
// The stream goes on in the one file of `next`, which is cleared. -UVS_E_ENVIRONMENT without memory.
int uvs__fast_stream_append(struct uvs__fast_stream *stream, struct uvs__fast_stream *next);
// Bytes of its files, and how many of them are in packets that were opened.
uint64_t uvs__fast_stream_size(const struct uvs__fast_stream *stream);
uint64_t uvs__fast_stream_read(const struct uvs__fast_stream *stream);

static inline const char *uvs__fast_stream_path(const struct uvs__fast_stream *stream)
{
    return stream->files[stream->file].path;
}

// Fills *ret_event from the head, an event or a loss. Strings are in the packet, a sequence is in `sequence`,
// which has room for UINT8_MAX elements; both until the stream's next advance.
void uvs__fast_stream_take(struct uvs__fast_stream *stream, struct uvs_event *ret_event, uint64_t *sequence);

// The head is an event that borrows nothing.
static inline bool uvs__fast_stream_is_plain(const struct uvs__fast_stream *stream)
{
    return stream->head == UVS__FAST_EVENT && stream->event->is_fixed;
}

// The head, which is plain, and as many events behind it as can be had the quick way: those before before_ns
// that lie behind one another in the packet, at most up to `end` in all, which is behind `event`. Returns
// where the next one goes. The head is then the last of them, and taken, or the one behind it.
struct uvs_event *uvs__fast_stream_take_run(struct uvs__fast_stream *stream, uint64_t before_ns,
                                            struct uvs_event *event, struct uvs_event *end);

// To the next head. Events of others are passed over.
int uvs__fast_stream_advance(struct uvs__fast_stream *stream, struct uvs_error *error);

#endif
