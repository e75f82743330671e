// SPDX-License-Identifier: MIT
// Lean recording: what a process counted instead of telling it one by one.
#include "span.h"

#include "saturate.h"

enum whose { OF_CALLBACK, OF_REQUEST, OF_SYNC, OF_LOOP };

static const struct {
    bool known;
    enum whose whose;
} measures[UINT8_MAX + 1] = {
#define X(NAME, number, name, whose) [number] = {true, OF_##whose},
    UVS_MEASURE_MAP(X)
#undef X
};

// What a loop says has a number: one that is missing was lost.
static void follow(struct uvs__loop *loop, uint32_t sequence, uint32_t next)
{
    if (sequence > loop->totals_next)
        loop->process->totals_lost += sequence - loop->totals_next;
    loop->totals_next = next;
}

static int who_of(struct uvs__spans *spans, struct uvs__process *process, struct uvs__loop *loop,
                  const struct uvs_ev_totals *totals, uint32_t *ret_who)
{
    switch (measures[totals->measure].whose) {
    case OF_CALLBACK:
        return uvs__who_of(spans, process, loop, UVS__CALLBACK, totals->kind, totals->callback, ret_who);
    case OF_REQUEST:
        return uvs__who_of(spans, process, NULL, UVS__REQUEST, totals->kind, totals->callback, ret_who);
    case OF_SYNC:
        return uvs__who_of(spans, process, loop, UVS__SYNC_CALL, totals->kind, totals->callback, ret_who);
    default:
        *ret_who = UVS__NOBODY;
        return 0;
    }
}

int uvs__loop_totals(struct uvs__spans *spans, struct uvs__loop *loop, const struct uvs_event *event)
{
    const struct uvs_ev_totals *totals = &event->totals;
    follow(loop, totals->sequence, totals->sequence + 1);
    if (!loop->process->is_lean) { // what said so was lost
        uvs__process_lean(spans, loop->process, UVS_ABSENT);
        loop->process->is_lean = true;
    }
    if (!measures[totals->measure].known)
        return 0;
    uint32_t who = UVS__NOBODY;
    int rc = who_of(spans, loop->process, loop, totals, &who);
    if (rc)
        return rc;
    struct uvs__span *span = uvs__begin_span(spans, UVS__SPAN_TOTALS, loop->process, loop);
    span->begin_ns = uvs__max(loop->told_ns, spans->begin_ns);
    span->end_ns = event->time_ns;
    span->who = who;
    span->totals = totals;
    return uvs__emit_borrower(spans, span);
}

// Who was lean stays it: what was not told does not come any more.
void uvs__process_lean(const struct uvs__spans *spans, struct uvs__process *process, uint64_t threshold_ns)
{
    if (process->lean_ns == threshold_ns || (!threshold_ns && process->is_lean))
        return;
    uvs__spans_quiet(spans);
    process->is_lean = threshold_ns != 0;
    process->lean_ns = threshold_ns;
}

void uvs__loop_lean(const struct uvs__spans *spans, struct uvs__loop *loop, const struct uvs_event *event)
{
    follow(loop, event->lean.sequence, event->lean.sequence);
    loop->told_ns = event->time_ns;
    loop->told_all = event->lean.ended;
    // Told between two busy intervals: what the watchdog saw before is over.
    loop->stall.time_ns = 0;
    uvs__process_lean(spans, loop->process, event->lean.threshold_ns);
}

uint64_t uvs__loop_untold_ns(const struct uvs__spans *spans, const struct uvs__loop *loop)
{
    if (!loop->process->is_lean || loop->told_all || !loop->tid)
        return 0;
    return uvs__minus(uvs__process_end(spans, loop->process), loop->told_ns ? loop->told_ns : loop->seen_ns);
}

int uvs__hist_add_totals(struct uvs_hist *hist, const struct uvs_ev_totals *totals)
{
    return uvs_hist_add_buckets(hist, totals->buckets, totals->buckets_count, totals->sum_ns, totals->min_ns,
                                totals->max_ns);
}
