// SPDX-License-Identifier: MIT
// Which spans count in a report of a part of the trace.
#ifndef UVS_WINDOW_H
#define UVS_WINDOW_H

#include "analysis.h"

// By moments that all spans of one thing share, so that none of them counts without the others: the end of
// the poll phase before a busy interval and all that ran in it; the submission of a pool request; the end of a
// call, where no loop runs. So each thing is in exactly one of two windows that adjoin.
// begin_ns: of a span, which matters as long as the loop has not polled; UVS_ABSENT: none.
uint64_t uvs__loop_moment(const struct uvs__loop *loop, uint64_t begin_ns);
// For who is shown single spans: whether one has a part in [from_ns, until_ns), in the events' own times. Of a
// call where no loop runs its end is the part, since nothing tells of it before; of a request that never
// finished the submission, since nothing tells of it afterwards.
bool uvs__window_touches(const struct uvs__span *span, uint64_t from_ns, uint64_t until_ns);
bool uvs__window_has(const struct uvs__output *output, const struct uvs__span *span);

#endif
