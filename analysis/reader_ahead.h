// SPDX-License-Identifier: MIT
// Decodes on a thread of its own while the caller analyses: the same events in the same order.
#ifndef UVS_READER_AHEAD_H
#define UVS_READER_AHEAD_H

#include "reader.h"

// Takes the reader over, which no one may use any more. Where there is only one processor, or no thread or no
// memory is to be had, it is returned as it is.
struct uvs_reader *uvs__reader_ahead(struct uvs_reader *reader);
// Regardless of the number of processors. NULL: no thread, or no memory; `reader` is as it was.
struct uvs_reader *uvs__reader_ahead_create(struct uvs_reader *reader);

#endif
