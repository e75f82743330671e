// SPDX-License-Identifier: MIT
// The messages that come in at a component's port, as the reader wants them.
#ifndef UVS_UPSTREAM_H
#define UVS_UPSTREAM_H

#include "../../analysis/reader_bt2.h"

struct uvs__upstream {
    bt_message_iterator *messages; // a reference
    // Whether babeltrace2 wants to stop, asked while a live source has nothing yet.
    bool (*is_interrupted)(const void *self);
    const void *self;
    // Called with each batch first; may be NULL.
    int (*see)(void *data, bt_message_array_const messages, uint64_t count, struct uvs_error *error);
    void *see_data;
    bool failed; // the thread's error says why
};

uvs__bt2_next uvs__upstream_next; // data: struct uvs__upstream

#endif
