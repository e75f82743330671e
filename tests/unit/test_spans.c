// SPDX-License-Identifier: MIT
// What the builder keeps apart without a report: other recordings, the end of the recorded program, and what
// is in flight.
#include "analysis/span.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

struct seen {
    size_t counts[UVS__SPAN_COUNT];
    struct uvs__span last[UVS__SPAN_COUNT];
};

static int see(void *data, const struct uvs__span *span)
{
    struct seen *seen = data;
    seen->counts[span->type]++;
    seen->last[span->type] = *span;
    return 0;
}

static struct uvs__spans builder(struct seen *seen)
{
    memset(seen, 0, sizeof(*seen));
    return (struct uvs__spans){.sink = see, .sink_data = seen, .main_end_ns = UVS_ABSENT};
}

static void feed(struct uvs__spans *spans, struct uvs_event event)
{
    struct uvs_error error = {0};
    assert_int_equal(uvs__spans_event(spans, &event, &error), 0);
}

static struct uvs_event info(uint64_t time_ns, uint32_t pid, const char *recording)
{
    return (struct uvs_event){.time_ns = time_ns,
                              .type = UVS_EV_process_info,
                              .process_info = {.loop = uvs_loop_key(pid, UVS_SLOT_NONE),
                                               .pid = pid,
                                               .pid_ns = 1,
                                               .start_ns = 1,
                                               .schema = UVS_SCHEMA,
                                               .pool_size = 4,
                                               .recording = recording,
                                               .exe = "/bin/x",
                                               .argv = "x",
                                               .unhooked = ""}};
}

static struct uvs_event timer(uint64_t time_ns, uint32_t pid, uint64_t duration_ns)
{
    return (struct uvs_event){.time_ns = time_ns,
                              .type = UVS_EV_callback,
                              .callback = {.loop = uvs_loop_key(pid, 0),
                                           .op = 1,
                                           .kind = UVS_KIND_TIMER,
                                           .callback = 0x100,
                                           .duration_ns = duration_ns,
                                           .delay_ns = UVS_ABSENT}};
}

static struct uvs_event stall(uint64_t time_ns, uint32_t pid, uint64_t busy_ns)
{
    return (struct uvs_event){
        .time_ns = time_ns,
        .type = UVS_EV_stall,
        .stall = {.loop = uvs_loop_key(pid, 0), .op = 2, .callback = 0x200, .busy_ns = busy_ns}};
}

static void lose(struct uvs__spans *spans, uint64_t time_ns, uint64_t events)
{
    feed(spans, (struct uvs_event){.time_ns = time_ns,
                                   .type = UVS_EV_LOST,
                                   .lost = {.begin_ns = time_ns, .end_ns = time_ns, .events = events}});
}

static void a_counter_that_falls_and_returns_loses_nothing(void **state)
{
    (void)state;
    struct seen seen;
    struct uvs__spans spans = builder(&seen);
    lose(&spans, 1, 10);
    lose(&spans, 2, 0 - (uint64_t)10);
    assert_int_equal(spans.lost_events, 10);
    lose(&spans, 3, 10);
    assert_int_equal(spans.lost_events, 10);
    lose(&spans, 4, 5);
    assert_int_equal(spans.lost_events, 15);
    lose(&spans, 5, UVS_ABSENT);
    lose(&spans, 6, 5);
    assert_int_equal(spans.lost_events, UVS_ABSENT);
    uvs__spans_clear(&spans);
}

static void other_recordings_are_left_out(void **state)
{
    (void)state;
    struct seen seen;
    struct uvs__spans spans = builder(&seen);
    spans.recording = "mine";
    feed(&spans, info(1, 7, "mine"));
    feed(&spans, info(1, 8, "theirs"));
    feed(&spans, info(1, 9, ""));
    feed(&spans, timer(100, 7, 10));
    feed(&spans, timer(200, 8, 10));
    feed(&spans, timer(300, 9, 10));
    assert_int_equal(uvs__spans_finish(&spans), 0);
    assert_int_equal(seen.counts[UVS__SPAN_CALLBACK], 1);
    assert_int_equal(seen.last[UVS__SPAN_CALLBACK].process->pid, 7);
    assert_int_equal(spans.events, 2);
    assert_int_equal(spans.end_ns, 100);
    uvs__spans_clear(&spans);
}

// Of a process that has not said who it is yet.
static void what_lost_its_name_is_reported_where_it_can_only_be_ours(void **state)
{
    (void)state;
    static const struct {
        uint32_t main_pid;
        bool has_no_others;
        size_t callbacks;
    } cases[] = {{7, false, 2}, {8, false, 2}, {0, false, 1}, {0, true, 4}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct seen seen;
        struct uvs__spans spans = builder(&seen);
        spans.recording = "mine";
        spans.main_pid = cases[i].main_pid;
        spans.has_no_others = cases[i].has_no_others;
        feed(&spans, info(1, 9, "theirs"));
        feed(&spans, timer(50, 0, 10));
        feed(&spans, timer(100, 7, 10));
        feed(&spans, timer(150, 8, 10));
        feed(&spans, timer(200, 9, 10));
        feed(&spans, info(300, 7, "mine"));
        feed(&spans, info(300, 8, "theirs"));
        feed(&spans, timer(400, 7, 10));
        feed(&spans, timer(500, 8, 10));
        assert_int_equal(uvs__spans_finish(&spans), 0);
        assert_int_equal(seen.counts[UVS__SPAN_CALLBACK], cases[i].callbacks);
        uvs__spans_clear(&spans);
    }
}

// Of a lean recording a request's `schedule` is not when it was submitted.
static void a_schedule_counts_once_it_is_known_that_all_is_told(void **state)
{
    (void)state;
    static const struct {
        bool is_told, has_totals;
        uint64_t lean_ns, expected_ns;
        bool is_lean;
        size_t schedules;
    } cases[] = {
        {.expected_ns = UVS_ABSENT},
        {.is_told = true, .lean_ns = UVS_ABSENT, .schedules = 1}, // as it was told once
        {.is_told = true, .schedules = 1},
        {.is_told = true, .lean_ns = 5000, .expected_ns = 5000, .is_lean = true},
        {.has_totals = true, .expected_ns = UVS_ABSENT, .is_lean = true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct seen seen;
        struct uvs__spans spans = builder(&seen);
        struct uvs_event event = info(1, 7, "");
        event.process_info.lean_ns = cases[i].lean_ns;
        if (cases[i].is_told)
            feed(&spans, event);
        if (cases[i].has_totals)
            feed(&spans,
                 (struct uvs_event){
                     .time_ns = 2,
                     .type = UVS_EV_totals,
                     .totals = {.loop = uvs_loop_key(7, 0), .measure = UVS_MEASURE_POLL, .count = 1}});
        feed(&spans, (struct uvs_event){.time_ns = 3,
                                        .type = UVS_EV_schedule,
                                        .schedule = {.loop = uvs_loop_key(7, 0),
                                                     .op = 1,
                                                     .kind = UVS_KIND_TIMER,
                                                     .callback = 0x100}});
        assert_int_equal(seen.counts[UVS__SPAN_SCHEDULE], cases[i].schedules);
        assert_int_equal(spans.processes->lean_ns, cases[i].expected_ns);
        assert_int_equal(spans.processes->is_lean, cases[i].is_lean);
        uvs__spans_clear(&spans);
    }
}

// The recorded program's end is known from the recording; another process lived until its last event at
// least.
static void open_blocks_last_until_the_known_end(void **state)
{
    (void)state;
    struct seen seen;
    struct uvs__spans spans = builder(&seen);
    spans.main_pid = 7;
    spans.main_end_ns = 5000;
    for (uint32_t pid = 7; pid <= 8; pid++) {
        feed(&spans, timer(100, pid, 10));
        feed(&spans, stall(1000 + pid, pid, 800));
    }
    assert_int_equal(uvs__process_end(&spans, spans.processes), 5000);
    assert_int_equal(uvs__process_end(&spans, spans.processes->next), 1008);
    assert_int_equal(uvs__spans_finish(&spans), 0);
    assert_int_equal(seen.counts[UVS__SPAN_BUSY], 2);
    assert_true(seen.last[UVS__SPAN_BUSY].busy.open);
    assert_int_equal(seen.last[UVS__SPAN_BUSY].begin_ns, 208);
    assert_int_equal(seen.last[UVS__SPAN_BUSY].end_ns, 1008);
    uvs__spans_clear(&spans);
}

static struct uvs_event work(int type, uint64_t time_ns, uint64_t op)
{
    struct uvs_event event = {.time_ns = time_ns, .type = type};
    if (type == UVS_EV_schedule)
        event.schedule = (struct uvs_ev_schedule){
            .loop = uvs_loop_key(7, 0), .op = op, .kind = UVS_KIND_WORK, .callback = 0x10};
    else
        event.work = (struct uvs_ev_work){
            .loop = uvs_loop_key(7, 0), .op = op, .kind = UVS_KIND_WORK, .queue_ns = 1, .service_ns = 2};
    return event;
}

// uv_queue_work without an after-work callback: nothing ever says that such a request is over.
// After execve the recorded program's pid is another program's.
static void open_blocks_end_where_another_program_takes_the_pid(void **state)
{
    (void)state;
    struct seen seen;
    struct uvs__spans spans = builder(&seen);
    spans.main_pid = 7;
    spans.main_end_ns = 5000;
    feed(&spans, info(1, 7, ""));
    feed(&spans, timer(100, 7, 10));
    feed(&spans, stall(1000, 7, 100));
    struct uvs_event second = info(2000, 7, "");
    second.process_info.start_ns = 1500;
    feed(&spans, second);
    assert_int_equal(seen.counts[UVS__SPAN_BUSY], 1);
    assert_true(seen.last[UVS__SPAN_BUSY].busy.open);
    assert_int_equal(seen.last[UVS__SPAN_BUSY].end_ns, 1000);
    assert_int_equal(uvs__spans_finish(&spans), 0);
    uvs__spans_clear(&spans);
}

static void requests_without_a_callback_are_forgotten(void **state)
{
    (void)state;
    enum { REQUESTS = 300000, ENOUGH = 70000 };
    struct seen seen;
    struct uvs__spans spans = builder(&seen);
    for (uint64_t op = 1; op <= REQUESTS; op++) {
        feed(&spans, work(UVS_EV_schedule, op * 10, op));
        feed(&spans, work(UVS_EV_work, op * 10 + 3, op));
        assert_true(spans.processes->requests.count < ENOUGH);
    }
    assert_int_equal(uvs__spans_finish(&spans), 0);
    assert_int_equal(seen.counts[UVS__SPAN_WORK], REQUESTS);
    assert_int_equal(seen.counts[UVS__SPAN_UNFINISHED], 0);
    uvs__spans_clear(&spans);
}

// A request that holds a worker for ever does not keep what the others did from being settled.
static void a_long_request_is_set_apart(void **state)
{
    (void)state;
    enum { REQUESTS = 70000 };
    struct seen seen;
    struct uvs__spans spans = builder(&seen);
    feed(&spans, work(UVS_EV_schedule, 5, REQUESTS + 1));
    for (uint64_t op = 1; op <= REQUESTS; op++) {
        feed(&spans, work(UVS_EV_schedule, op * 10, op));
        feed(&spans, work(UVS_EV_work, op * 10 + 3, op));
    }
    assert_int_equal(seen.counts[UVS__SPAN_HELD], 1);
    assert_int_equal(seen.last[UVS__SPAN_HELD].begin_ns, 5);
    assert_false(seen.last[UVS__SPAN_WORK].work.held);
    assert_int_equal(seen.last[UVS__SPAN_WORK].work.horizon_ns, REQUESTS * 10 + 3);
    feed(&spans, work(UVS_EV_work, REQUESTS * 10 + 9, REQUESTS + 1));
    assert_true(seen.last[UVS__SPAN_WORK].work.held);
    assert_int_equal(uvs__spans_finish(&spans), 0);
    assert_int_equal(seen.counts[UVS__SPAN_UNFINISHED], 0);
    uvs__spans_clear(&spans);
}

// With the request, once that took long: when it was asked for is not known.
static void schedules_that_are_told_late_are_no_spans(void **state)
{
    (void)state;
    struct seen seen;
    struct uvs__spans spans = builder(&seen);
    feed(&spans, info(1, 7, ""));
    feed(&spans, timer(100, 7, 10));
    feed(&spans, work(UVS_EV_schedule, 200, 2));
    assert_int_equal(seen.counts[UVS__SPAN_SCHEDULE], 1);
    feed(&spans, (struct uvs_event){.time_ns = 300,
                                    .type = UVS_EV_lean,
                                    .lean = {.loop = uvs_loop_key(7, 0), .threshold_ns = 1000}});
    feed(&spans, work(UVS_EV_schedule, 400, 3));
    feed(&spans, work(UVS_EV_work, 410, 3));
    assert_int_equal(seen.counts[UVS__SPAN_SCHEDULE], 1);
    assert_int_equal(seen.counts[UVS__SPAN_WORK], 1);
    uvs__spans_clear(&spans);
}

static size_t run(struct uvs__spans *spans, const struct uvs_event *events, size_t count)
{
    struct uvs_error error = {0};
    size_t taken;
    assert_int_equal(uvs__spans_run(spans, events, count, &taken, &error), 0);
    return taken;
}

static void a_run_ends_where_whose_events_are_may_change(void **state)
{
    (void)state;
    struct seen seen;
    struct uvs__spans spans = builder(&seen);
    const struct uvs_event loop_end = {
        .time_ns = 400, .type = UVS_EV_loop_end, .loop_end = {.loop = uvs_loop_key(7, 0)}};
    const struct uvs_event events[] = {timer(100, 7, 10), timer(200, 8, 10), timer(300, 7, 10),
                                       timer(310, 8, 10), timer(320, 7, 10), loop_end,
                                       timer(500, 7, 10)};
    assert_int_equal(run(&spans, events, 7), 0); // nobody is known
    feed(&spans, events[0]);
    assert_int_equal(run(&spans, events + 1, 6), 0);
    feed(&spans, events[1]);
    feed(&spans, events[2]);
    assert_int_equal(run(&spans, events + 3, 4), 2);
    assert_int_equal(run(&spans, events, 1), 0); // earlier than what was before
    feed(&spans, events[5]);
    assert_int_equal(run(&spans, events + 6, 1), 0); // the loop is over
    feed(&spans, events[6]);
    assert_int_equal(spans.last_loop->key, uvs_loop_key(7, 0));
    assert_int_equal(spans.last_loop->index, 2);
    assert_int_equal(spans.events, 7);
    assert_int_equal(seen.counts[UVS__SPAN_CALLBACK], 6);
    assert_true(seen.last[UVS__SPAN_CALLBACK].loop == spans.last_loop);
    uvs__spans_clear(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_counter_that_falls_and_returns_loses_nothing),
        cmocka_unit_test(other_recordings_are_left_out),
        cmocka_unit_test(what_lost_its_name_is_reported_where_it_can_only_be_ours),
        cmocka_unit_test(a_schedule_counts_once_it_is_known_that_all_is_told),
        cmocka_unit_test(open_blocks_last_until_the_known_end),
        cmocka_unit_test(open_blocks_end_where_another_program_takes_the_pid),
        cmocka_unit_test(requests_without_a_callback_are_forgotten),
        cmocka_unit_test(a_long_request_is_set_apart),
        cmocka_unit_test(schedules_that_are_told_late_are_no_spans),
        cmocka_unit_test(a_run_ends_where_whose_events_are_may_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
