// SPDX-License-Identifier: MIT
// Events from the messages of a babeltrace2 graph that somebody else set up.
#ifndef UVS_READER_BT2_H
#define UVS_READER_BT2_H

#include <babeltrace2/babeltrace.h>
#include "reader.h"

// 1: the next messages in time order, the array borrowed until the next call, each message a reference of the
// reader's; 0: the end; negative: error is set, and nothing follows.
typedef int uvs__bt2_next(void *data, bt_message_array_const *ret_messages, uint64_t *ret_count,
                          struct uvs_error *error);

// Messages of other programs' events are passed over. next_data outlives the reader.
int uvs__reader_messages_create(uvs__bt2_next *next_batch, void *next_data, struct uvs_reader **ret_reader,
                                struct uvs_error *error);

#endif
