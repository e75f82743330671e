// SPDX-License-Identifier: MIT
// The CTF traces below a directory, checked and made safe for libbabeltrace2, which aborts or never ends on
// some damage: metadata must be whole, and streams are cut behind their last whole packet.
#ifndef UVS_CTF_INPUTS_H
#define UVS_CTF_INPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "error.h"

// A stream's file: LTTng writes a stream into several when it rotates a session, or bounds its size.
struct uvs__ctf_start {
    unsigned char uuid[16];
    uint64_t stream_id, instance;
    uint64_t begin_ns, sequence; // of its first packet
};

struct uvs__ctf_input {
    char *directory; // holds `metadata`
    char *stand_in;  // a private directory to read instead, with the damaged streams cut; NULL: none needed
    char *damage;    // the first thing wrong, one sentence; NULL: undamaged
    const char *cause; // of what follows to be lost, for the user to look at; NULL: nothing was cut
    uint64_t cut_begin_ns; // the earliest cut: 0 from the start; UVS_ABSENT: nothing was cut
    uint64_t clock_offset; // of the trace's clock to the epoch, in its cycles; 0 unknown
    int *cut_fds;          // the cut streams' copies: unlinked files, so that a crash leaves no data behind
    size_t cut_count;
    struct uvs__ctf_start *starts; // of the files with whole packets
    size_t start_count;
    bool readable; // false: nothing can be read from it
    bool has_data; // a stream has content: something is lost if it cannot be read
};

struct uvs__ctf_inputs {
    struct uvs__ctf_input *items;
    size_t count;
    uint64_t late_ns; // until then a stream was written of which the first packets are not there; 0: none was
};

// Finds every directory with a `metadata` file at or below `directory`, and checks it. None at all is no
// error. The session was stopped after ended_ns; 0: not known.
int uvs__ctf_inputs_find(const char *directory, uint64_t ended_ns, struct uvs__ctf_inputs *ret_inputs, struct uvs_error *error);
// Also removes the stand-ins.
void uvs__ctf_inputs_clear(struct uvs__ctf_inputs *inputs);

// What is wrong with it. The first call counts.
void uvs__ctf_damage(struct uvs__ctf_input *input, const char *format, ...)
    __attribute__((format(__printf__, 2, 3)));

// The directory to give to the decoder.
static inline const char *uvs__ctf_input_path(const struct uvs__ctf_input *input)
{
    return input->stand_in ? input->stand_in : input->directory;
}

// Shared by the files that implement this.

// Facts of a metadata file that the streams are checked against.
struct uvs__ctf_metadata {
    char *text;
    unsigned char uuid[16];
    bool is_lttng; // only then is the layout of packet headers known
};

// Reads and checks DIR/metadata. false: not readable, input->damage says why.
bool uvs__ctf_metadata_load(struct uvs__ctf_input *input, struct uvs__ctf_metadata *ret_metadata);

// Checks the streams, and makes the stand-in if one is damaged.
void uvs__ctf_streams_check(struct uvs__ctf_input *input, const struct uvs__ctf_metadata *metadata,
                            uint64_t ended_ns);
void uvs__ctf_stand_in_remove(struct uvs__ctf_input *input);

#endif
