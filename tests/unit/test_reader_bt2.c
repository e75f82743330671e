// SPDX-License-Identifier: MIT
// CTF traces, whole and damaged, through the worker, so that an abort of the decoder is a result and not the
// end.
#include "analysis/reader.h"
#include "src/command.h"
#include "src/worker.h"
#include "ctf_writer.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { PACKETS = 10, PER_PACKET = 50, PACKET_BYTES = 4096, KEPT = 4096 };

#define SECOND        1000000000ull
#define PACKET_NS     1000000ull
#define WITHOUT_HANGS (20 * SECOND)

// What a reading child saw; shared with it.
struct outcome {
    uint64_t events, losses;
    struct uvs_ev_lost lost[64];
    uint64_t times[KEPT];
    struct uvs_error error;
};

static struct outcome *outcome;
static char complaint[4096];
static char directory[512];

int uvs_complain(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(complaint, sizeof(complaint), format, args);
    va_end(args);
    return code;
}

static void count(const struct uvs_event *event)
{
    if (event->type != UVS_EV_LOST) {
        outcome->times[outcome->events++ % KEPT] = event->time_ns;
        return;
    }
    outcome->lost[outcome->losses++ % 64] = event->lost;
}

static int read_trace(void *path, struct uvs_worker_progress *progress)
{
    struct uvs_reader *reader;
    const struct uvs_event *event;
    int result = uvs_reader_create(path, &reader, &outcome->error);
    if (result < 0)
        return -result;
    while ((result = uvs_reader_next(reader, &event, &outcome->error)) > 0) {
        count(event);
        atomic_fetch_add(&progress->events, 1);
    }
    // What has ended stays ended.
    if (uvs_reader_next(reader, &event, NULL) != result)
        result = -99;
    uvs_reader_destroy(reader);
    return -result;
}

static int read_path(const char *path)
{
    memset(outcome, 0, sizeof(*outcome));
    complaint[0] = '\0';
    const int status = uvs_worker_run(read_trace, (void *)path, path, WITHOUT_HANGS, false);
    if (strstr(complaint, "no progress"))
        fail_msg("%s: %s", path, complaint);
    return status;
}

static const char *in(const char *format, ...) __attribute__((format(__printf__, 1, 2)));
static const char *in(const char *format, ...)
{
    static char paths[16][1024]; // each is good for 15 more calls
    static unsigned next;
    char *path = paths[next++ % 16];
    const int length = snprintf(path, 1024, "%s/", directory);
    va_list args;
    va_start(args, format);
    vsnprintf(path + length, 1024 - (size_t)length, format, args);
    va_end(args);
    return path;
}

static const struct uvs_event *a_callback(uint64_t time_ns)
{
    static struct uvs_event event = {.type = UVS_EV_callback};
    event.time_ns = time_ns;
    event.callback = (struct uvs_ev_callback){.loop = 1 << UVS_SLOT_BITS,
                                              .op = time_ns,
                                              .kind = UVS_KIND_TIMER,
                                              .callback = 0x1000,
                                              .duration_ns = 5,
                                              .delay_ns = UVS_ABSENT,
                                              .result = -1};
    return &event;
}

// Packet i covers [i, i + 1) PACKET_NS after first_ns, with PER_PACKET events from its begin on.
static void write_stream(const char *trace, const char *name, uint64_t first_ns)
{
    struct ctf_stream *stream = ctf_stream_open(trace, name);
    for (uint64_t packet = 0; packet < PACKETS; packet++) {
        const uint64_t begin_ns = first_ns + packet * PACKET_NS;
        for (uint64_t i = 0; i < PER_PACKET; i++)
            ctf_stream_event(stream, a_callback(begin_ns + i * 10));
        ctf_stream_packet(stream, begin_ns, begin_ns + PACKET_NS - 1, 0, 0);
    }
    ctf_stream_close(stream);
}

static const char *write_trace(const char *name, uint64_t first_ns)
{
    const char *trace = in("%s", name);
    ctf_write_metadata(trace, &(struct ctf_variant){.clock_offset = 1795384077388641692});
    write_stream(trace, "ch_0", first_ns);
    write_stream(trace, "ch_1", first_ns + 5);
    return trace;
}

static void expect_order(void)
{
    for (uint64_t i = 1; i < outcome->events && i < KEPT; i++)
        assert_true(outcome->times[i - 1] <= outcome->times[i]);
}

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
        assert_string_equal(*(const char *const *)a, *(const char *const *)b);
        return;
    }
    const uint8_t got_count = *((const uint8_t *)got + field->count_offset);
    assert_int_equal(got_count, *((const uint8_t *)want + field->count_offset));
    assert_memory_equal(*(const void *const *)a, *(const void *const *)b, (size_t)got_count * field->size);
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

static void expect_refusal(const char *path, const char *words)
{
    assert_int_equal(read_path(path), UVS_E_TRACE);
    assert_int_equal(outcome->events, 0);
    if (!strstr(outcome->error.text, words))
        fail_msg("%s: %s", path, outcome->error.text);
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

static void a_cut_stream_gives_its_whole_packets(void **state)
{
    (void)state;
    static const unsigned cuts[] = {0,
                                    1,
                                    83,
                                    84,
                                    100,
                                    PACKET_BYTES - 1,
                                    PACKET_BYTES,
                                    PACKET_BYTES + 1,
                                    3 * PACKET_BYTES + 2000,
                                    PACKETS * PACKET_BYTES - 1};
    write_trace("cut", SECOND);
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        write_stream(in("cut"), "ch_0", SECOND);
        assert_int_equal(truncate(in("cut/ch_0"), cuts[i]), 0);
        const bool whole = cuts[i] % PACKET_BYTES == 0;
        assert_int_equal(read_path(in("cut")), whole ? 0 : UVS_E_TRACE);
        assert_int_equal(outcome->events, (PACKETS + cuts[i] / PACKET_BYTES) * PER_PACKET);
        assert_int_equal(outcome->losses, whole ? 0 : 1);
        if (whole)
            continue;
        const uint64_t left = cuts[i] / PACKET_BYTES;
        assert_true(outcome->lost[0].begin_ns == (left ? SECOND + left * PACKET_NS - 1 : UVS_ABSENT));
        assert_non_null(strstr(outcome->error.text, "ch_0"));
        expect_order();
    }
}

static int is_left_over(const struct dirent *entry)
{
    return strncmp(entry->d_name, "uvscope-", 8) == 0;
}

static void stand_ins_are_removed(void **state)
{
    (void)state;
    const char *trace = write_trace("tidy", SECOND);
    assert_int_equal(truncate(in("tidy/ch_0"), 5000), 0);
    mkdir(in("tmp"), 0700);
    assert_int_equal(setenv("TMPDIR", in("tmp"), 1), 0);
    assert_int_equal(read_path(trace), UVS_E_TRACE);
    assert_int_equal(outcome->events, (PACKETS + 1) * PER_PACKET);
    unsetenv("TMPDIR");
    struct dirent **entries;
    assert_int_equal(scandir(in("tmp"), &entries, is_left_over, NULL), 0);
    free(entries);
}

static void a_bad_trace_does_not_hide_a_good_one(void **state)
{
    (void)state;
    mkdir(in("pair"), 0700);
    write_trace("pair/good", SECOND);
    write_trace("pair/bad", SECOND);
    static const unsigned cuts[] = {0, 10, 37, 1000, 4095, 4096, 5000};
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        ctf_write_metadata(in("pair/bad"), &(struct ctf_variant){0});
        assert_int_equal(truncate(in("pair/bad/metadata"), cuts[i]), 0);
        assert_int_equal(read_path(in("pair")), 0);
        assert_int_equal(outcome->events, 2 * PACKETS * PER_PACKET);
        assert_int_equal(outcome->losses, 1);
        assert_true(outcome->lost[0].events == UVS_ABSENT && outcome->lost[0].begin_ns == UVS_ABSENT);
        expect_refusal(in("pair/bad"), "metadata");
    }
    // A stream that the metadata does not describe: its program died before it had registered all.
    ctf_write_metadata(in("pair/bad"), &(struct ctf_variant){.stream_class = 3});
    assert_int_equal(read_path(in("pair")), UVS_E_TRACE);
    assert_int_equal(outcome->events, 2 * PACKETS * PER_PACKET);
    assert_int_equal(outcome->losses, 1);
}

static void empty_neighbours_lose_nothing(void **state)
{
    (void)state;
    mkdir(in("idle"), 0700);
    write_trace("idle/good", SECOND);
    mkdir(in("idle/other"), 0700);
    fclose(fopen(in("idle/other/metadata"), "w"));
    fclose(fopen(in("idle/other/ch_0"), "w"));
    assert_int_equal(read_path(in("idle")), 0);
    assert_int_equal(outcome->events, 2 * PACKETS * PER_PACKET);
    assert_int_equal(outcome->losses, 0);
}

static void a_trace_without_streams_says_so(void **state)
{
    (void)state;
    ctf_write_metadata(in("streamless"), &(struct ctf_variant){0});
    expect_refusal(in("streamless"), "no CTF");
}

static void flip(const char *path, unsigned count, unsigned from, unsigned to)
{
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    for (unsigned i = 0; i < count; i++) {
        const long at = (long)(from + (unsigned)rand() % (to - from));
        fseek(file, at, SEEK_SET);
        const int byte = fgetc(file);
        fseek(file, at, SEEK_SET);
        fputc((byte ^ (1 << rand() % 8)) & 0xff, file);
    }
    fclose(file);
}

// Every one must end, by itself, with a status that says what it is.
static void expect_clean_end(const char *trace, unsigned seed)
{
    const int status = read_path(trace);
    if (status != 0 && status != UVS_E_TRACE)
        fail_msg("seed %u: status %d, %s, %s", seed, status, outcome->error.text, complaint);
    if (status != 0 && !outcome->error.text[0] && !complaint[0])
        fail_msg("seed %u: failed without a word", seed);
    assert_true(outcome->events <= 2 * PACKETS * PER_PACKET);
}

static void flipped_bits_in_streams_end_cleanly(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 60; seed++) {
        const char *trace = write_trace("flipped", SECOND);
        srand(seed);
        const unsigned packet = (unsigned)rand() % PACKETS * PACKET_BYTES;
        if (seed % 2)
            flip(in("flipped/ch_0"), 1, packet, packet + 84); // a packet header
        else
            flip(in("flipped/ch_0"), 20, 0, PACKETS * PACKET_BYTES);
        expect_clean_end(trace, seed);
    }
}

static void flipped_bits_in_metadata_end_cleanly(void **state)
{
    (void)state;
    struct stat facts;
    for (unsigned seed = 0; seed < 60; seed++) {
        const char *trace = write_trace("flipped", SECOND);
        srand(seed);
        assert_int_equal(stat(in("flipped/metadata"), &facts), 0);
        flip(in("flipped/metadata"), 1 + seed % 3, 0, seed % 2 ? 37 : (unsigned)facts.st_size);
        expect_clean_end(trace, seed);
    }
}

// libbabeltrace2 believes an index, up to an assertion about offsets behind the file's end.
static void a_wrong_index_is_not_believed(void **state)
{
    (void)state;
    const uint32_t header[] = {htobe32(0xc1f1dcc1), htobe32(1), htobe32(1), htobe32(72)};
    uint64_t entries[PACKETS][9] = {0};
    for (uint64_t i = 0; i < PACKETS; i++) {
        entries[i][0] = htobe64(i == 3 ? 1ull << 40 : i * PACKET_BYTES);
        entries[i][1] = htobe64(PACKET_BYTES * 8);
    }
    const char *trace = write_trace("indexed", SECOND);
    mkdir(in("indexed/index"), 0700);
    FILE *file = fopen(in("indexed/index/ch_0.idx"), "w");
    fwrite(header, sizeof(header), 1, file);
    fwrite(entries, sizeof(entries), 1, file);
    fclose(file);
    assert_int_equal(read_path(trace), 0);
    assert_int_equal(outcome->events, 2 * PACKETS * PER_PACKET);
    assert_int_equal(outcome->losses, 0);
}

static void a_missing_stream_is_the_others_alone(void **state)
{
    (void)state;
    const char *trace = write_trace("halved", SECOND);
    assert_int_equal(unlink(in("halved/ch_0")), 0);
    assert_int_equal(read_path(trace), 0);
    assert_int_equal(outcome->events, PACKETS * PER_PACKET);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/uvs-reader-XXXXXX");
    outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return outcome == MAP_FAILED || !mkdtemp(directory) ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[600];
    snprintf(command, sizeof(command), "rm -r %s", directory);
    munmap(outcome, sizeof(*outcome));
    return system(command);
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
        cmocka_unit_test(a_cut_stream_gives_its_whole_packets),
        cmocka_unit_test(stand_ins_are_removed),
        cmocka_unit_test(a_bad_trace_does_not_hide_a_good_one),
        cmocka_unit_test(empty_neighbours_lose_nothing),
        cmocka_unit_test(a_trace_without_streams_says_so),
        cmocka_unit_test(flipped_bits_in_streams_end_cleanly),
        cmocka_unit_test(flipped_bits_in_metadata_end_cleanly),
        cmocka_unit_test(a_wrong_index_is_not_believed),
        cmocka_unit_test(a_missing_stream_is_the_others_alone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
