// SPDX-License-Identifier: MIT
// Writes traces with LTTng-UST 2.13's layout from struct uvs_event, without a tracer: for tests that damage
// them.
#ifndef CTF_WRITER_H
#define CTF_WRITER_H

#include <stdint.h>
#include "analysis/event.h"

struct ctf_stream;

// Changes to a true trace's metadata; zeros: none.
struct ctf_variant {
    uint64_t clock_offset;
    uint64_t frequency;        // 0: 1000000000
    const char *renamed_field; // is called `other_field` in the trace
    const char *signed_field;  // is a signed integer of 64 bits in the trace's metadata
    unsigned stream_class;     // id of the only stream class
    unsigned char trace;       // traces of different numbers have different UUIDs
    bool without_tracer;       // as if another tracer had written it
    const char *replaced,
        *replacement; // words of the metadata, the first time, and what stands there instead
};

// DIRECTORY is made.
void ctf_write_metadata(const char *directory, const struct ctf_variant *variant);

struct ctf_stream *ctf_stream_open(const char *directory, const char *name);
// To the trace with this metadata; without it, to the one of number 0.
void ctf_stream_belongs(struct ctf_stream *stream, const struct ctf_variant *variant);
// An event of an own type, or of none of ours when event->type is UVS_EV_COUNT.
void ctf_stream_event(struct ctf_stream *stream, const struct uvs_event *event);
// Writes the events since the last packet. discarded: in this packet; skipped: packets lost before this one.
void ctf_stream_packet(struct ctf_stream *stream, uint64_t begin_ns, uint64_t end_ns, uint64_t discarded,
                       uint64_t skipped);
// The next packets go into another file.
void ctf_stream_continue(struct ctf_stream *stream, const char *directory, const char *name);
void ctf_stream_close(struct ctf_stream *stream);

#endif
