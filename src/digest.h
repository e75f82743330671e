// SPDX-License-Identifier: MIT
// A finished recording is read once: how many events it has, and the names of its functions while the files
// they come from are still there.
#ifndef UVS_DIGEST_H
#define UVS_DIGEST_H

#include <stdint.h>
#include "../analysis/error.h"

struct uvs_digest {
    enum uvs_digest_state {
        UVS_DIGEST_UNREADABLE, // error says why
        UVS_DIGEST_EMPTY,      // no event at all
        UVS_DIGEST_READ,
    } state;
    uint64_t events;
    struct uvs_error error; // READ: why it is incomplete, if it is
};

// In a supervised worker. Never fails: what went wrong is in *ret_digest.
void uvs__digest(const char *directory, struct uvs_digest *ret_digest);

#endif
