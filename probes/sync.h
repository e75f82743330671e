// SPDX-License-Identifier: MIT
// Synchronous calls: what a thread waited for by calling libuv. Only the outermost is recorded.
#ifndef UVS_SYNC_H
#define UVS_SYNC_H

#include <stdint.h>

struct uvs__sync_call {
    uint64_t begin_ns; // 0 = not recorded
    uint32_t loop;
    uint8_t kind;
    const void *caller;
};

void uvs__sync_begin(struct uvs__sync_call *call, uint8_t kind, const void *caller);
// Keeps errno.
void uvs__sync_end(const struct uvs__sync_call *call, int64_t result);

#endif
