// SPDX-License-Identifier: MIT
// How the events of an LTTng-UST trace lie in its packets, for a decoder that reads them in place: learnt
// from libbabeltrace2's trace class, so that nothing of ours parses metadata.
#ifndef UVS_CTF_LAYOUT_H
#define UVS_CTF_LAYOUT_H

#include <babeltrace2/babeltrace.h>
#include "ctf_inputs.h"
#include "error.h"
#include "event.h"

// LTTng-UST 2.x, byte-packed, little-endian. Sizes in bits.
struct uvs__ctf_packet_header {
    uint32_t magic;
    unsigned char uuid[16];
    uint32_t stream_id;
    uint64_t stream_instance_id;
    uint64_t begin_ns, end_ns;
    uint64_t content_size, packet_size;
    uint64_t sequence, events_discarded;
    uint32_t cpu_id;
} __attribute__((packed));

// One member of an event's payload.
struct uvs__ctf_step {
    enum {
        UVS__CTF_COPY,    // an integer of ours, of the same width
        UVS__CTF_WIDEN,   // an integer of ours, narrower in the trace
        UVS__CTF_SKIP,    // `width` bytes of something else
        UVS__CTF_LENGTH,  // an integer: how many elements the next step has
        UVS__CTF_STRING,  // ends with 0
        UVS__CTF_SEQUENCE // elements of `width` bytes
    } op;
    uint32_t width;                // bytes in the trace
    uint32_t from;                 // of a fixed event: bytes from the payload's begin
    const struct uvs_field *field; // NULL: not one of ours
};

struct uvs__ctf_event {
    int type;        // enum uvs_event_type; -1: not ours
    bool is_known;   // false: the trace declares no event with this id
    bool is_fixed;   // every event of it has `size` bytes
    bool is_partial; // the trace lacks fields of ours: `initial` comes first
    uint32_t size;   // least bytes of the payload
    uint32_t step_count;
    struct uvs__ctf_step *steps;
    struct uvs_event initial;
};

// An event whose payload is, byte for byte, what a struct uvs_event has behind its type: as this version
// writes events of integers.
struct uvs__ctf_plain {
    uint16_t size; // 0: it is no such event
    uint16_t type; // enum uvs_event_type
};

// As many bytes as the longest of them, so that each can be copied at once.
enum { UVS__CTF_PLAIN_BYTES = 48 };

struct uvs__ctf_stream_class {
    uint64_t id;
    struct uvs__ctf_event *events; // by id
    struct uvs__ctf_plain *plains; // likewise
    size_t event_count;
};

struct uvs__ctf_layout {
    struct uvs__ctf_stream_class *classes;
    size_t class_count;
};

// 1: *ret_layout is filled. 0: there is something in the metadata that it does not know; `ret_why` says what.
// Negative: no memory.
int uvs__ctf_layout_learn(struct uvs__ctf_input *input, const bt_trace_class *class,
                          struct uvs__ctf_layout *ret_layout, struct uvs_error *ret_why);
void uvs__ctf_layout_clear(struct uvs__ctf_layout *layout);

// NULL: the metadata does not declare it.
const struct uvs__ctf_stream_class *uvs__ctf_layout_class(const struct uvs__ctf_layout *layout, uint64_t id);

#endif
