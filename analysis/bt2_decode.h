// SPDX-License-Identifier: MIT
// libbabeltrace2 events to struct uvs_event, by the tables of event.h.
#ifndef UVS_BT2_DECODE_H
#define UVS_BT2_DECODE_H

#include <babeltrace2/babeltrace.h>
#include "error.h"
#include "event.h"

struct uvs__bt2_decoder;

// NULL without memory.
struct uvs__bt2_decoder *uvs__bt2_decoder_create(void);
void uvs__bt2_decoder_destroy(struct uvs__bt2_decoder *decoder);

// 1: *ret_event is filled; its strings live as long as `message`, its sequence until the next call. 0: an
// event of something else. Negative: an event of ours that this version does not understand.
int uvs__bt2_decode(struct uvs__bt2_decoder *decoder, const bt_message *message, struct uvs_event *ret_event,
                    struct uvs_error *error);

// Of a stream class's default clock.
uint64_t uvs__bt2_snapshot_ns(const bt_clock_snapshot *snapshot);

#endif
