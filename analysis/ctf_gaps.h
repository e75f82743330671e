// SPDX-License-Identifier: MIT
// What a reader says of inputs that were cut or cannot be read: losses among the events, an error at the end.
#ifndef UVS_CTF_GAPS_H
#define UVS_CTF_GAPS_H

#include "ctf_inputs.h"
#include "event.h"

struct uvs__ctf_gaps {
    struct uvs_ev_lost *items; // by begin
    size_t count, next;
};

// 0, or -1 without memory.
int uvs__ctf_gaps_note(struct uvs__ctf_gaps *gaps, const struct uvs__ctf_inputs *inputs);
// true: *ret_event is the next loss, which begins no later than `until_ns`.
bool uvs__ctf_gaps_deliver(struct uvs__ctf_gaps *gaps, uint64_t until_ns, struct uvs_event *ret_event);

// Behind the last event: 0, or the error that says which stream was cut.
int uvs__ctf_gaps_end(const struct uvs__ctf_inputs *inputs, struct uvs_error *error);
// The error for inputs without a single stream to read.
int uvs__ctf_gaps_nothing(const struct uvs__ctf_inputs *inputs, const char *directory,
                          struct uvs_error *error);

#endif
