// SPDX-License-Identifier: MIT
// Processes, loops and modules are told about once a second, a span when it ends. So what is going on at the
// window's begin is known from what is told soon after, unless it began long before: that shows, and then the
// trace is read again from further back.
#include "extent.h"

#include "saturate.h"
#include "window.h"

#include <string.h>

// Of the look back, for everybody to say who they are.
static const uint64_t settling_ns = 1500000000;

// --- The begin ---

static void begin(struct uvs__extent *extent, const struct uvs__extent_wish *wish, uint64_t begin_ns)
{
    const uint64_t since_ns = uvs__minus(wish->from_ns, wish->look_back_ns);
    *extent = (struct uvs__extent){.has_begun = true,
                                   .from_ns = wish->from_ns ? uvs__add(begin_ns, wish->from_ns) : 0,
                                   .until_ns = uvs__add(begin_ns, wish->until_ns),
                                   .touching = wish->touching,
                                   .read_ns = since_ns ? uvs__add(begin_ns, since_ns) : 0,
                                   .sure_ns = UVS_ABSENT};
    // Analyses remember no more than the far look; single spans have what they had long before.
    if (extent->read_ns && (wish->look_back_ns == UVS__LOOK_NEAR_NS || extent->touching))
        extent->sure_ns = uvs__add(extent->read_ns, settling_ns);
}

// The trace begins with the first event of the recording's own processes.
static bool is_of_recording(const struct uvs__spans *spans, const struct uvs_event *event)
{
    if (event->type == UVS_EV_LOST)
        return false;
    if (event->type == UVS_EV_process_info)
        return uvs__says_ours(spans, event);
    return uvs__is_ours(spans, uvs_key_pid(event->loop));
}

bool uvs__extent_passes_over(struct uvs__extent *extent, const struct uvs__extent_wish *wish,
                             struct uvs__spans *spans, struct uvs_reader *reader,
                             const struct uvs_event *event)
{
    if (extent->has_begun || !is_of_recording(spans, event))
        return false;
    begin(extent, wish, event->time_ns);
    if (extent->read_ns <= event->time_ns)
        return false;
    spans->begin_ns = event->time_ns;
    spans->has_begin = true;
    uvs_reader_narrow(reader, extent->read_ns, 0);
    return true;
}

static bool is_known(const struct uvs__spans *spans, const struct uvs__process *process,
                     const struct uvs_event *event)
{
    if (!process || !process->exe)
        return event->type == UVS_EV_process_info;
    bool is_of_loop = event->type == UVS_EV_callback || event->type == UVS_EV_poll;
    if (process->foreign || !is_of_loop || uvs_key_slot(event->loop) == UVS_SLOT_NONE)
        return true;
    const struct uvs__loop *loop = uvs__map_get(&spans->loop_by_key, event->loop, 0);
    return loop && loop->tid;
}

static uint64_t before(uint64_t time_ns, uint64_t first_ns, uint64_t second_ns)
{
    uint64_t ns = first_ns == UVS_ABSENT ? 0 : first_ns;
    return uvs__minus(time_ns, uvs__add(ns, second_ns == UVS_ABSENT ? 0 : second_ns));
}

// From when on it must have been seen to be understood.
static uint64_t reach_of(const struct uvs__spans *spans, const struct uvs__process *process,
                         const struct uvs_event *event)
{
    const struct uvs__loop *loop;
    switch (event->type) {
    case UVS_EV_work:
        return before(event->time_ns, event->work.queue_ns, event->work.service_ns);
    case UVS_EV_poll:
        loop = uvs__map_get(&spans->loop_by_key, event->loop, 0);
        return loop && loop->poll.end_ns ? event->time_ns
                                         : before(event->time_ns, event->poll.wait_ns, event->poll.busy_ns);
    case UVS_EV_callback:
        return uvs_kind_class(event->callback.kind) == UVS_CLASS_POOL &&
                       !uvs__request_is_known(process, event->callback.op)
                   ? 0
                   : event->time_ns;
    default:
        return event->time_ns;
    }
}

void uvs__extent_look(struct uvs__extent *extent, const struct uvs__spans *spans,
                      const struct uvs_event *event)
{
    if (event->time_ns < extent->sure_ns || event->type == UVS_EV_LOST || extent->sure_ns == UVS_ABSENT)
        return;
    const struct uvs__process *process = uvs__map_get(&spans->process_by_pid, uvs_key_pid(event->loop),
                                                      uvs_slot_copy(uvs_key_slot(event->loop)));
    if (!is_known(spans, process, event))
        extent->is_too_short = true;
    else if (process && !process->foreign && reach_of(spans, process, event) < extent->read_ns)
        extent->is_too_short = true;
}

void uvs__extent_counts(struct uvs__extent *extent, const struct uvs__span *span, uint64_t blame_threshold_ns)
{
    if (span->type != UVS__SPAN_CALLBACK || extent->sure_ns == UVS_ABSENT || span->begin_ns == UVS_ABSENT)
        return;
    const uint64_t delay_ns = span->callback.delay_ns;
    if (delay_ns != UVS_ABSENT && delay_ns >= blame_threshold_ns &&
        span->begin_ns - delay_ns < extent->sure_ns)
        extent->is_too_short = true;
}

// --- The end ---

static bool counts(const struct uvs__extent *extent, uint64_t moment_ns)
{
    return moment_ns >= extent->from_ns && moment_ns < extent->until_ns;
}

// What it is at does not count, or does no more.
static bool has_passed(const struct uvs__extent *extent, const struct uvs__loop *loop)
{
    if (loop->ended || loop->process->foreign)
        return true;
    if (loop->process->lean_ns)
        return loop->told_all || loop->told_ns >= extent->until_ns;
    // What it was at then is told, with the poll phase or the time outside that came after.
    if (extent->touching)
        return loop->boundary_ns >= extent->until_ns;
    return !counts(extent, uvs__loop_moment(loop, UVS_ABSENT));
}

static bool have_loops_passed(struct uvs__extent *extent)
{
    while (extent->loop && has_passed(extent, extent->loop))
        extent->loop = extent->loop->next;
    return !extent->loop;
}

static bool have_finished(struct uvs__extent *extent)
{
    for (; extent->process; extent->process = extent->process->next) {
        const struct uvs__request *oldest = uvs__oldest(&extent->process->unfinished);
        if (oldest && !extent->process->foreign && oldest->submit_ns < extent->barrier_ns)
            return false;
    }
    return true;
}

// The last of those that count, since their callbacks come in about the order in which they were finished; 0:
// none.
static uint64_t find_undelivered(const struct uvs__extent *extent, const struct uvs__process *process)
{
    const struct uvs__link *list = &process->undelivered;
    for (struct uvs__link *link = list->older; link != list && !process->foreign; link = link->older) {
        const struct uvs__request *request = uvs__request_at(list, link);
        if (request->submit_ns != UVS_ABSENT && counts(extent, request->submit_ns))
            return request->op;
    }
    return 0;
}

static bool have_returned(struct uvs__extent *extent)
{
    for (; extent->process; extent->process = extent->process->next) {
        if (extent->op && uvs__request_is_known(extent->process, extent->op))
            return false;
        extent->op = find_undelivered(extent, extent->process);
        if (extent->op)
            return false;
    }
    return true;
}

static void go_on(struct uvs__extent *extent, const struct uvs__spans *spans, uint64_t barrier_ns)
{
    extent->stage++;
    extent->loop = spans->loops;
    extent->process = spans->processes;
    extent->barrier_ns = barrier_ns;
}

bool uvs__extent_is_over(struct uvs__extent *extent, const struct uvs__spans *spans, uint64_t now_ns)
{
    if (extent->stage == UVS__EXTENT_OPEN && now_ns >= extent->until_ns)
        go_on(extent, spans, 0);
    // A loop may wait for ever, and what it is at is not told meanwhile.
    const bool is_late = extent->touching && now_ns >= uvs__add(extent->until_ns, UVS__LOOK_FAR_NS);
    if (extent->stage == UVS__EXTENT_LOOPS && (is_late || have_loops_passed(extent)))
        go_on(extent, spans, extent->until_ns);
    // What holds a worker is told when it lets go: all that others may have waited for until now.
    if (extent->stage == UVS__EXTENT_REQUESTS && have_finished(extent))
        go_on(extent, spans, now_ns);
    if (extent->stage == UVS__EXTENT_HOLDERS && have_finished(extent))
        go_on(extent, spans, 0);
    if (extent->stage == UVS__EXTENT_RETURNS && have_returned(extent))
        go_on(extent, spans, 0);
    return extent->stage == UVS__EXTENT_OVER;
}
