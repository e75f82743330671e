// SPDX-License-Identifier: MIT
// CTF traces that are whole: every event, order, losses, other schemas, and what is no trace at all.
#include "traces.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void fill_integers(struct uvs_event *event, uint64_t seed)
{
    for (int i = 0; i < uvs_event_classes[event->type].field_count; i++) {
        const struct uvs_field *field = &uvs_event_classes[event->type].fields[i];
        const uint64_t value = 0x8877665544332211u * (seed + (unsigned)i);
        if (field->form == UVS_FIELD_INTEGER)
            memcpy((char *)event + field->offset, &value, field->size);
    }
}

static struct uvs_event sample_event(int type)
{
    static const uint64_t frames[] = {1, UINT64_MAX, 3};
    struct uvs_event event = {.type = type, .time_ns = 1000 + (uint64_t)type};
    fill_integers(&event, (uint64_t)type + 1);
    if (type == UVS_EV_process_info) {
        event.process_info.schema = UVS_SCHEMA;
        event.process_info.recording = "id";
        event.process_info.exe = "";
        event.process_info.unhooked = "uv_run uv_close";
        event.process_info.argv = "a\x1f\xc3\xa4";
    }
    if (type == UVS_EV_module)
        event.module.build_id = "", event.module.path = "/lib/x.so";
    if (type == UVS_EV_loop_info)
        event.loop_info.name = "main";
    if (type == UVS_EV_stall)
        event.stall.frames = frames, event.stall.frames_count = 3;
    return event;
}

static void expect_same_field(const struct uvs_event *got, const struct uvs_event *want,
                              const struct uvs_field *field)
{
    const char *a = (const char *)got + field->offset, *b = (const char *)want + field->offset;
    if (field->form == UVS_FIELD_INTEGER) {
        assert_memory_equal(a, b, field->size);
        return;
    }
    if (field->form == UVS_FIELD_STRING) {
        assert_string_equal(uvs__event_pointer(got, field->offset), uvs__event_pointer(want, field->offset));
        return;
    }
    const uint8_t got_count = *((const uint8_t *)got + field->count_offset);
    assert_int_equal(got_count, *((const uint8_t *)want + field->count_offset));
    assert_memory_equal(uvs__event_pointer(got, field->offset), uvs__event_pointer(want, field->offset),
                        (size_t)got_count * field->size);
}

static void every_event_reads_as_written(void **state)
{
    (void)state;
    const char *trace = in("samples");
    ctf_write_metadata(trace, &(struct ctf_variant){0});
    struct ctf_stream *stream = ctf_stream_open(trace, "ch_0");
    for (int type = 0; type < UVS_EV_COUNT; type++) {
        const struct uvs_event event = sample_event(type);
        ctf_stream_event(stream, &event);
    }
    ctf_stream_event(stream, &(struct uvs_event){.type = UVS_EV_COUNT, .time_ns = 1900});
    ctf_stream_packet(stream, 1000, 2000, 0, 0);
    ctf_stream_close(stream);

    struct uvs_reader *reader;
    const struct uvs_event *event;
    struct uvs_error error = {0};
    assert_int_equal(uvs_reader_create(trace, &reader, &error), 0);
    for (int i = 0; i < UVS_EV_COUNT; i++) {
        const struct uvs_event want = sample_event(i);
        assert_int_equal(uvs_reader_next(reader, &event, &error), 1);
        assert_int_equal(event->type, want.type);
        assert_true(event->time_ns == want.time_ns);
        for (int k = 0; k < uvs_event_classes[want.type].field_count; k++)
            expect_same_field(event, &want, &uvs_event_classes[want.type].fields[k]);
    }
    assert_int_equal(uvs_reader_next(reader, &event, &error), 0);
    assert_string_equal(error.text, "");
    uvs_reader_destroy(reader);
}

static void an_empty_string_is_not_the_one_before(void **state)
{
    (void)state;
    const char *trace = in("strings");
    ctf_write_metadata(trace, &(struct ctf_variant){0});
    struct ctf_stream *stream = ctf_stream_open(trace, "ch_0");
    for (uint64_t i = 0; i < 100; i++) {
        struct uvs_event event = sample_event(UVS_EV_module);
        event.time_ns = 1000 + i;
        event.module.build_id = i % 2 ? "" : "abcd";
        ctf_stream_event(stream, &event);
    }
    ctf_stream_packet(stream, 1000, 2000, 0, 0);
    ctf_stream_close(stream);
    struct uvs_reader *reader;
    const struct uvs_event *event;
    assert_int_equal(uvs_reader_create(trace, &reader, NULL), 0);
    for (uint64_t i = 0; i < 100; i++) {
        assert_int_equal(uvs_reader_next(reader, &event, NULL), 1);
        assert_string_equal(event->module.build_id, i % 2 ? "" : "abcd");
    }
    uvs_reader_destroy(reader);
}

static void streams_are_merged_in_time_order(void **state)
{
    (void)state;
    assert_int_equal(read_path(write_trace("merged", SECOND)), 0);
    assert_int_equal(outcome->events, 2 * PACKETS * PER_PACKET);
    assert_int_equal(outcome->losses, 0);
    assert_true(outcome->times[0] == SECOND && outcome->times[1] == SECOND + 5);
    expect_order();
}

static void traces_with_other_clock_offsets_are_merged_by_the_clock_itself(void **state)
{
    (void)state;
    mkdir(in("two"), 0700);
    for (uint64_t i = 0; i < 2; i++) {
        const char *trace = in("two/%" PRIu64, i);
        ctf_write_metadata(trace, &(struct ctf_variant){.clock_offset = 1795384077388641692 + i * 777});
        write_stream(trace, "ch_0", SECOND + i);
    }
    assert_int_equal(read_path(in("two")), 0);
    assert_int_equal(outcome->events, 2 * PACKETS * PER_PACKET);
    expect_order();
}

static void clocks_of_another_frequency_give_nanoseconds(void **state)
{
    (void)state;
    const char *trace = in("ticks");
    ctf_write_metadata(trace, &(struct ctf_variant){.frequency = 1000000});
    struct ctf_stream *stream = ctf_stream_open(trace, "ch_0");
    ctf_stream_event(stream, a_callback(123456789));
    ctf_stream_packet(stream, 123456789, 123456790, 0, 0);
    ctf_stream_close(stream);
    assert_int_equal(read_path(trace), 0);
    assert_true(outcome->times[0] == 123456789000);
}

static void what_the_tracer_lost_is_told(void **state)
{
    (void)state;
    const char *trace = in("lossy");
    ctf_write_metadata(trace, &(struct ctf_variant){0});
    struct ctf_stream *stream = ctf_stream_open(trace, "ch_0");
    for (uint64_t i = 0; i < 3; i++) {
        ctf_stream_event(stream, a_callback(1000 * i));
        ctf_stream_packet(stream, 1000 * i, 1000 * i + 500, i == 1 ? 42 : 0, i == 2 ? 7 : 0);
    }
    ctf_stream_close(stream);
    assert_int_equal(read_path(trace), 0);
    assert_int_equal(outcome->events, 3);
    assert_int_equal(outcome->losses, 2);
    assert_true(outcome->lost[0].events == 42 && outcome->lost[0].packets == 0);
    assert_true(outcome->lost[0].begin_ns == 500 && outcome->lost[0].end_ns == 1500);
    assert_true(outcome->lost[1].packets == 7 && outcome->lost[1].events == 0);
    assert_true(outcome->lost[1].begin_ns == 1500 && outcome->lost[1].end_ns == 2000);
}

static void fields_that_the_trace_lacks_are_absent(void **state)
{
    (void)state;
    const char *trace = in("older");
    ctf_write_metadata(trace, &(struct ctf_variant){.renamed_field = "delay_ns"});
    struct ctf_stream *stream = ctf_stream_open(trace, "ch_0");
    struct uvs_event written = *a_callback(5);
    written.callback.delay_ns = 9;
    ctf_stream_event(stream, &written);
    ctf_stream_packet(stream, 5, 6, 0, 0);
    ctf_stream_close(stream);
    struct uvs_reader *reader;
    const struct uvs_event *event;
    assert_int_equal(uvs_reader_create(trace, &reader, NULL), 0);
    assert_int_equal(uvs_reader_next(reader, &event, NULL), 1);
    assert_true(event->callback.delay_ns == UVS_ABSENT);
    assert_true(event->callback.result == -1);
    uvs_reader_destroy(reader);
}

static void another_schema_is_refused(void **state)
{
    (void)state;
    const char *trace = in("retyped");
    ctf_write_metadata(trace, &(struct ctf_variant){.signed_field = "duration_ns"});
    write_stream(trace, "ch_0", SECOND);
    assert_int_equal(read_path(trace), UVS_E_TRACE);
    assert_non_null(strstr(outcome->error.text, "duration_ns"));

    trace = in("newer");
    ctf_write_metadata(trace, &(struct ctf_variant){0});
    struct ctf_stream *stream = ctf_stream_open(trace, "ch_0");
    struct uvs_event event = sample_event(UVS_EV_process_info);
    event.process_info.schema = UVS_SCHEMA + 1;
    ctf_stream_event(stream, &event);
    ctf_stream_packet(stream, 1000, 2000, 0, 0);
    ctf_stream_close(stream);
    assert_int_equal(read_path(trace), UVS_E_TRACE);
    assert_non_null(strstr(outcome->error.text, "newer"));
}

static void what_is_no_trace_says_so(void **state)
{
    (void)state;
    expect_refusal(in("missing"), "does not exist");
    expect_refusal("/dev/null", "neither");
    mkdir(in("nothing"), 0700);
    expect_refusal(in("nothing"), "no CTF");
    mkdir(in("no-ctf"), 0700);
    fclose(fopen(in("no-ctf/uvscope.json"), "w"));
    expect_refusal(in("no-ctf"), "no CTF");
}

static void a_recording_is_read_below_ctf(void **state)
{
    (void)state;
    mkdir(in("recording"), 0700);
    fclose(fopen(in("recording/uvscope.json"), "w"));
    write_trace("recording/ctf", SECOND);
    assert_int_equal(read_path(in("recording")), 0);
    assert_int_equal(outcome->events, 2 * PACKETS * PER_PACKET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_reads_as_written),
        cmocka_unit_test(an_empty_string_is_not_the_one_before),
        cmocka_unit_test(streams_are_merged_in_time_order),
        cmocka_unit_test(traces_with_other_clock_offsets_are_merged_by_the_clock_itself),
        cmocka_unit_test(clocks_of_another_frequency_give_nanoseconds),
        cmocka_unit_test(what_the_tracer_lost_is_told),
        cmocka_unit_test(fields_that_the_trace_lacks_are_absent),
        cmocka_unit_test(another_schema_is_refused),
        cmocka_unit_test(what_is_no_trace_says_so),
        cmocka_unit_test(a_recording_is_read_below_ctf),
    };
    return cmocka_run_group_tests(tests, set_up_traces, tear_down_traces);
}
