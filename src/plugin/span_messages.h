// SPDX-License-Identifier: MIT
// Spans as messages of a stream of our own: an event class for each type of span.
#ifndef UVS_SPAN_MESSAGES_H
#define UVS_SPAN_MESSAGES_H

#include <babeltrace2/babeltrace.h>
#include "../../analysis/span.h"

struct uvs__span_stream;

// Of component `self`, with a clock like `clock`. NULL: the thread's error says why.
struct uvs__span_stream *uvs__span_stream_create(bt_self_component *self, const bt_clock_class *clock);
void uvs__span_stream_destroy(struct uvs__span_stream *stream);

// Messages, each a reference of the caller's; NULL: the thread's error says why.
bt_message *uvs__span_stream_begin(struct uvs__span_stream *stream, bt_self_message_iterator *iterator);
bt_message *uvs__span_stream_end(struct uvs__span_stream *stream, bt_self_message_iterator *iterator);
// HELD is said by the span that follows it: it has no message.
bool uvs__span_has_message(const struct uvs__span *span);
// now_ns: of the clock, never less than the call before. label: NULL, or whom the span names.
bt_message *uvs__span_message(struct uvs__span_stream *stream, bt_self_message_iterator *iterator,
                              const struct uvs__spans *spans, const struct uvs__span *span, const char *label,
                              uint64_t now_ns);

#endif
