// SPDX-License-Identifier: MIT
// Decodes some events at a time, on a thread of its own while the caller analyses where that is worth it: the
// same events in the same order.
#ifndef UVS_READER_AHEAD_H
#define UVS_READER_AHEAD_H

#include "reader.h"

// Takes the reader over, which no one may use any more. Without memory it is returned as it is.
struct uvs_reader *uvs__reader_ahead(struct uvs_reader *reader);
// On a thread, if one can be had, regardless of the number of processors. NULL: no memory; `reader` is as it
// was.
struct uvs_reader *uvs__reader_ahead_create(struct uvs_reader *reader, bool with_thread);

#endif
