// SPDX-License-Identifier: MIT
// A span's moment, and whether the window has it.
#include "window.h"

#include "saturate.h"

uint64_t uvs__loop_moment(const struct uvs__loop *loop, uint64_t begin_ns)
{
    if (loop->poll.end_ns)
        return loop->poll.end_ns;
    return loop->seen_ns && loop->seen_ns < begin_ns ? loop->seen_ns : begin_ns;
}

// UVS_ABSENT: unknown, most likely from before the trace.
static uint64_t moment_of(const struct uvs__span *span)
{
    switch (span->type) {
    case UVS__SPAN_TOTALS:
        return span->end_ns;
    case UVS__SPAN_WORK:
        return span->work.asked_ns;
    case UVS__SPAN_DELIVERY:
        return span->delivery.asked_ns;
    case UVS__SPAN_HELD:
    case UVS__SPAN_UNFINISHED:
    case UVS__SPAN_SCHEDULE:
        return span->begin_ns;
    case UVS__SPAN_SYNC_CALL:
    case UVS__SPAN_GC:
        if (!span->loop)
            return span->end_ns;
        break;
    default:
        break;
    }
    // Lean recordings have not every poll.
    return span->loop && !span->process->lean_ns ? uvs__loop_moment(span->loop, span->begin_ns)
                                                 : span->begin_ns;
}

bool uvs__window_touches(const struct uvs__span *span, uint64_t from_ns, uint64_t until_ns)
{
    switch (span->type) {
    case UVS__SPAN_TOTALS:
    case UVS__SPAN_DELIVERY:
    case UVS__SPAN_HELD:
    case UVS__SPAN_SCHEDULE:
    case UVS__SPAN_OPEN_HANDLES:
        return false;
    case UVS__SPAN_STALL:
        return span->end_ns >= from_ns && span->end_ns < until_ns;
    case UVS__SPAN_UNFINISHED:
        return span->begin_ns >= from_ns && span->begin_ns < until_ns;
    case UVS__SPAN_SYNC_CALL:
    case UVS__SPAN_GC:
        if (!span->loop)
            return span->end_ns >= from_ns && span->end_ns < until_ns;
        break;
    default:
        break;
    }
    const uint64_t begin_ns = span->begin_ns == UVS_ABSENT ? span->end_ns : span->begin_ns;
    return span->end_ns >= from_ns && begin_ns < until_ns;
}

bool uvs__window_has(const struct uvs__output *output, const struct uvs__span *span)
{
    const struct uvs_shown *shown = &output->report->shown;
    const uint64_t moment_ns = moment_of(span);
    const uint64_t since_ns = moment_ns == UVS_ABSENT ? 0 : uvs__minus(moment_ns, output->spans->begin_ns);
    return since_ns >= shown->from_ns && since_ns < shown->until_ns;
}
