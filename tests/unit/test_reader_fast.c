// SPDX-License-Identifier: MIT
// The fast reader gives what the reference reader gives, event by event, on random traces; and what it hands
// to it. With arguments: compares the two on the traces that they name.
#include "traces.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRACES = 40, STREAMS = 4 };

static struct uvs_reader *open_with(enum uvs_reader_choice choice, const char *path)
{
    struct uvs_reader *reader;
    struct uvs_error error = {0};
    if (uvs_reader_create_of(choice, path, &reader, &error) != 0)
        fail_msg("%s: %s", path, error.text);
    return reader;
}

static bool same_field(const struct uvs_event *a, const struct uvs_event *b, const struct uvs_field *field)
{
    const char *x = (const char *)a + field->offset, *y = (const char *)b + field->offset;
    if (field->form == UVS_FIELD_INTEGER)
        return memcmp(x, y, field->size) == 0;
    if (field->form == UVS_FIELD_STRING)
        return strcmp(uvs__event_pointer(a, field->offset), uvs__event_pointer(b, field->offset)) == 0;
    const uint8_t count = *((const uint8_t *)a + field->count_offset);
    return count == *((const uint8_t *)b + field->count_offset) &&
           memcmp(uvs__event_pointer(a, field->offset), uvs__event_pointer(b, field->offset),
                  (size_t)count * field->size) == 0;
}

static bool same_event(const struct uvs_event *a, const struct uvs_event *b)
{
    if (a->type != b->type || a->time_ns != b->time_ns)
        return false;
    if (a->type == UVS_EV_LOST)
        return memcmp(&a->lost, &b->lost, sizeof(a->lost)) == 0;
    for (int i = 0; i < uvs_event_classes[a->type].field_count; i++)
        if (!same_field(a, b, &uvs_event_classes[a->type].fields[i]))
            return false;
    return true;
}

// The number of events that both give.
static uint64_t compare_readers(const char *path)
{
    struct uvs_reader *fast = open_with(UVS_READER_FAST, path),
                      *reference = open_with(UVS_READER_BABELTRACE2, path);
    assert_string_equal(fast->ops->name, "fast");
    assert_string_equal(reference->ops->name, "babeltrace2");
    const struct uvs_event *a, *b;
    uint64_t count = 0;
    for (;; count++) {
        const int got = uvs_reader_next(fast, &a, NULL), want = uvs_reader_next(reference, &b, NULL);
        if (got != want)
            fail_msg("%s: after %" PRIu64 " events the fast reader says %d, the other %d", path, count, got,
                     want);
        if (want <= 0)
            break;
        if (!same_event(a, b))
            fail_msg("%s: event %" PRIu64 ": type %d at %" PRIu64 ", want type %d at %" PRIu64, path, count,
                     a->type, a->time_ns, b->type, b->time_ns);
    }
    uvs_reader_destroy(fast);
    uvs_reader_destroy(reference);
    return count;
}

// --- Random traces ---

static uint64_t random_bits(void)
{
    return (uint64_t)rand() << 62 ^ (uint64_t)rand() << 31 ^ (uint64_t)rand();
}

// Mostly small steps; sometimes none, sometimes more than 32 bits hold.
static uint64_t random_step(void)
{
    static const uint64_t steps[] = {0, 1, 7, 1000, 1000000, UINT32_MAX, (1ull << 33) + 5};
    const unsigned choice = (unsigned)rand() % 40;
    return choice < 7 ? steps[choice] : random_bits() % 64;
}

static void fill_random(struct uvs_event *event)
{
    static const char *const texts[] = {"", "a", "main", "/usr/lib/libuv.so.1", "x\x1fy\x1f\xc3\xa4"};
    static uint64_t frames[UINT8_MAX];
    for (int i = 0; i < uvs_event_classes[event->type].field_count; i++) {
        const struct uvs_field *field = &uvs_event_classes[event->type].fields[i];
        const uint64_t value = rand() % 8 ? random_bits() >> rand() % 64 : UINT64_MAX;
        if (field->form == UVS_FIELD_INTEGER)
            uvs__event_set(event, field->offset, field->size, value);
        else if (field->form == UVS_FIELD_STRING)
            uvs__event_point(event, field->offset, texts[value % (sizeof(texts) / sizeof(texts[0]))]);
        else {
            *((uint8_t *)event + field->count_offset) = (uint8_t)(value % 40);
            uvs__event_point(event, field->offset, frames);
        }
    }
    frames[rand() % 40] = random_bits();
    if (event->type == UVS_EV_process_info)
        event->process_info.schema = UVS_SCHEMA;
}

static uint64_t write_random_packet(struct ctf_stream *stream, uint64_t begin_ns)
{
    uint64_t now_ns = begin_ns + random_step();
    const unsigned count = (unsigned)rand() % 60;
    for (unsigned i = 0; i < count; i++, now_ns += random_step()) {
        struct uvs_event event = {.type = rand() % (UVS_EV_COUNT + 1), .time_ns = now_ns};
        if (event.type < UVS_EV_COUNT)
            fill_random(&event);
        ctf_stream_event(stream, &event);
    }
    const uint64_t discarded = rand() % 4 ? 0 : (uint64_t)rand() % 100,
                   skipped = rand() % 8 ? 0 : (uint64_t)rand() % 5;
    ctf_stream_packet(stream, begin_ns, now_ns, discarded, skipped);
    return now_ns + random_step();
}

// Returns when it ends.
static uint64_t write_random_trace(const char *trace, const struct ctf_variant *variant, uint64_t begin_ns)
{
    uint64_t end_ns = begin_ns;
    ctf_write_metadata(trace, variant);
    for (int i = 0; i < 1 + rand() % STREAMS; i++) {
        char name[32];
        snprintf(name, sizeof(name), "ch_%d", i);
        struct ctf_stream *stream = ctf_stream_open(trace, name);
        ctf_stream_belongs(stream, variant);
        uint64_t now_ns = begin_ns + random_step();
        for (int packet = rand() % 6; packet >= 0; packet--)
            now_ns = write_random_packet(stream, now_ns);
        ctf_stream_close(stream);
        if (now_ns > end_ns)
            end_ns = now_ns;
    }
    return end_ns;
}

static void random_traces_read_the_same(void **state)
{
    (void)state;
    uint64_t events = 0;
    for (unsigned seed = 0; seed < TRACES; seed++) {
        srand(seed);
        const char *trace = in("random-%u", seed);
        write_random_trace(trace,
                           &(struct ctf_variant){.clock_offset = random_bits() >> 2,
                                                 .renamed_field = seed % 5 ? NULL : "duration_ns"},
                           SECOND);
        events += compare_readers(trace);
    }
    assert_true(events > TRACES * 20);
}

static void several_traces_read_the_same(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 10; seed++) {
        srand(1000 + seed);
        mkdir(in("several-%u", seed), 0700);
        for (int i = 0; i < 3; i++)
            write_random_trace(
                in("several-%u/%d", seed, i),
                &(struct ctf_variant){.clock_offset = random_bits() >> 2, .trace = (unsigned char)i}, SECOND);
        assert_true(compare_readers(in("several-%u", seed)) > 0);
    }
}

static void chunks_of_a_rotated_recording_read_the_same(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 10; seed++) {
        srand(3000 + seed);
        mkdir(in("rotated-%u", seed), 0700);
        uint64_t now_ns = SECOND;
        for (int i = 0; i < 4; i++)
            now_ns = 1 + write_random_trace(in("rotated-%u/%d", seed, i), &(struct ctf_variant){0}, now_ns);
        assert_true(compare_readers(in("rotated-%u", seed)) > 0);
    }
}

// As tracefile rotation writes them, the files' names in no order.
static void streams_over_several_files_read_the_same(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 20; seed++) {
        srand(4000 + seed);
        const char *trace = in("files-%u", seed);
        const struct ctf_variant variant = {0};
        ctf_write_metadata(trace, &variant);
        for (int i = 0; i < 2; i++) {
            char name[32];
            snprintf(name, sizeof(name), "ch_%d_0", i);
            struct ctf_stream *stream = ctf_stream_open(trace, name);
            ctf_stream_belongs(stream, &variant);
            uint64_t now_ns = SECOND;
            for (int packet = 1; packet < 12; packet++) {
                now_ns = write_random_packet(stream, now_ns + 1);
                snprintf(name, sizeof(name), "ch_%d_%d", i, packet * 7 % 11 + 1);
                if (rand() % 2)
                    ctf_stream_continue(stream, trace, name);
            }
            ctf_stream_close(stream);
        }
        assert_true(compare_readers(trace) > 0);
    }
}

static void cut_traces_read_the_same(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 20; seed++) {
        srand(2000 + seed);
        const char *trace = in("cut-%u", seed);
        write_random_trace(trace, &(struct ctf_variant){0}, SECOND);
        struct stat facts;
        assert_int_equal(stat(in("cut-%u/ch_0", seed), &facts), 0);
        assert_int_equal(truncate(in("cut-%u/ch_0", seed), rand() % facts.st_size), 0);
        struct uvs_reader *reader;
        if (uvs_reader_create(trace, &reader, NULL) != 0)
            continue; // nothing is left of its only stream
        uvs_reader_destroy(reader);
        compare_readers(trace);
    }
}

// --- What it does not know ---

static void expect_handed_on(const char *trace, const char *why)
{
    struct uvs_reader *reader = open_with(UVS_READER_AUTO, trace);
    assert_string_equal(reader->ops->name, "babeltrace2");
    if (!reader->note || !strstr(reader->note, why))
        fail_msg("%s: says %s, not %s", trace, reader->note ? reader->note : "nothing", why);
    uvs_reader_destroy(reader);
    struct uvs_error error = {0};
    assert_int_equal(uvs_reader_create_of(UVS_READER_FAST, trace, &reader, &error), -UVS_E_TRACE);
    assert_non_null(strstr(error.text, why));
}

static void what_it_does_not_know_it_hands_on(void **state)
{
    (void)state;
    const struct {
        struct ctf_variant variant;
        const char *why;
    } cases[] = {
        {{.without_tracer = true}, "another tracer"},
        {{.frequency = 1000000}, "clock"},
        {{.replaced = "struct event_header_large;",
          .replacement = "struct { uint32_t id; uint64_clock_monotonic_t timestamp; };"},
         "headers"},
        {{.replaced = "packet.context := struct packet_context;\n};",
          .replacement = "packet.context := struct packet_context;\n"
                         "\tevent.context := struct { uint32_t _vtid; };\n};"},
         "contexts"},
        {{.replaced = "align = 8; signed = 0; } _kind", .replacement = "align = 1; signed = 0; } _kind"},
         "aligned"},
        {{.replaced = "signed = 0; } _op", .replacement = "signed = 0; byte_order = be; } _op"},
         "byte order"},
        {{.replaced = "size = 8; align = 8; signed = 0; } _depth",
          .replacement = "size = 7; align = 8; signed = 0; } _depth"},
         "depth"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *trace = in("unknown-%zu", i);
        ctf_write_metadata(trace, &cases[i].variant);
        struct ctf_stream *stream = ctf_stream_open(trace, "ch_0");
        ctf_stream_packet(stream, SECOND, SECOND, 0, 0);
        ctf_stream_close(stream);
        expect_handed_on(trace, cases[i].why);
    }
}

// The reference reader stops there; this one has the packets behind it.
static void a_damaged_packet_costs_only_itself(void **state)
{
    (void)state;
    const char *trace = write_trace("holed", SECOND);
    FILE *file = fopen(in("holed/ch_0"), "r+");
    const uint16_t no_event = UVS_EV_COUNT + 100;
    fseek(file, 3 * PACKET_BYTES + 84 + 14 + 42, SEEK_SET); // the second event of the fourth packet
    fwrite(&no_event, sizeof(no_event), 1, file);
    fclose(file);
    assert_int_equal(read_path(trace), UVS_E_TRACE);
    assert_int_equal(outcome->events, (2 * PACKETS - 1) * PER_PACKET + 1);
    assert_int_equal(outcome->losses, 1);
    assert_true(outcome->lost[0].begin_ns == SECOND + 3 * PACKET_NS);
    assert_true(outcome->lost[0].end_ns == SECOND + 4 * PACKET_NS - 1);
    assert_non_null(strstr(outcome->error.text, "ch_0 is damaged at byte"));
    expect_order();
}

// --- A part of a trace ---

static bool touches(const struct uvs_event *event, uint64_t from_ns, uint64_t to_ns)
{
    uint64_t end_ns = event->type == UVS_EV_LOST ? event->lost.end_ns : event->time_ns;
    return end_ns >= from_ns && event->time_ns <= to_ns;
}

// A narrowed reader gives what of the whole trace lies in the window.
static uint64_t compare_narrowed(enum uvs_reader_choice choice, const char *path, uint64_t from_ns,
                                 uint64_t to_ns)
{
    struct uvs_reader *whole = open_with(UVS_READER_BABELTRACE2, path), *part = open_with(choice, path);
    const struct uvs_event *a, *b;
    uint64_t count = 0;
    uvs_reader_narrow(part, from_ns, to_ns);
    while (uvs_reader_next(whole, &a, NULL) > 0) {
        if (!touches(a, from_ns, to_ns))
            continue;
        assert_int_equal(uvs_reader_next(part, &b, NULL), 1);
        assert_true(same_event(a, b));
        count++;
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(uvs_reader_next(part, &b, NULL), 0);
    uvs_reader_destroy(whole);
    uvs_reader_destroy(part);
    return count;
}

static void a_part_of_a_trace_reads_as_in_the_whole(void **state)
{
    (void)state;
    uint64_t events = 0;
    for (unsigned seed = 0; seed < TRACES; seed++) {
        srand(5000 + seed);
        const char *trace = in("part-%u", seed);
        const uint64_t length_ns = write_random_trace(trace, &(struct ctf_variant){0}, SECOND) - SECOND;
        const uint64_t from_ns = SECOND + random_bits() % (length_ns + 1);
        const uint64_t to_ns = from_ns + random_bits() % (length_ns + 1);
        events += compare_narrowed(UVS_READER_FAST, trace, from_ns, to_ns);
        compare_narrowed(UVS_READER_BABELTRACE2, trace, from_ns, to_ns);
    }
    assert_true(events > TRACES * 5);
}

// A packet that is not read is not found damaged.
static void read_damaged(bool narrowed)
{
    const char *trace = write_trace(narrowed ? "unread" : "read", SECOND);
    FILE *stream = fopen(in("%s/ch_0", narrowed ? "unread" : "read"), "r+");
    assert_non_null(stream);
    fseek(stream, PACKET_BYTES + 200, SEEK_SET);
    for (int byte = 0; byte < 64; byte++)
        fputc(0xfe, stream);
    fclose(stream);
    struct uvs_reader *reader = open_with(UVS_READER_FAST, trace);
    const struct uvs_event *event;
    uint64_t count = 0;
    if (narrowed)
        uvs_reader_narrow(reader, SECOND + 3 * PACKET_NS, 0);
    struct uvs_error error = {0};
    int result;
    while ((result = uvs_reader_next(reader, &event, &error)) > 0)
        count++;
    uvs_reader_destroy(reader);
    assert_int_equal(result, narrowed ? 0 : -UVS_E_TRACE);
    assert_true(count > PER_PACKET);
}

static void packets_outside_the_part_are_not_read(void **state)
{
    (void)state;
    read_damaged(false);
    read_damaged(true);
}

static int compare_named(char **paths)
{
    for (; *paths; paths++)
        printf("%s: %" PRIu64 " events\n", *paths, compare_readers(*paths));
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_traces_read_the_same),
        cmocka_unit_test(several_traces_read_the_same),
        cmocka_unit_test(chunks_of_a_rotated_recording_read_the_same),
        cmocka_unit_test(streams_over_several_files_read_the_same),
        cmocka_unit_test(cut_traces_read_the_same),
        cmocka_unit_test(what_it_does_not_know_it_hands_on),
        cmocka_unit_test(a_damaged_packet_costs_only_itself),
        cmocka_unit_test(a_part_of_a_trace_reads_as_in_the_whole),
        cmocka_unit_test(packets_outside_the_part_are_not_read),
    };
    return argc > 1 ? compare_named(argv + 1)
                    : cmocka_run_group_tests(tests, set_up_traces, tear_down_traces);
}
