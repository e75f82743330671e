// SPDX-License-Identifier: MIT
// Damaged traces: a partial result with an error, or a clean error; never a hang.
#include "traces.h"
#include "analysis/recording.h"

#include <dirent.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

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

static void write_facts(const char *recording, uint64_t end_ns, uint64_t lost_events)
{
    struct uvs_error error;
    char *argv[] = {(char *)"x", NULL};
    const struct uvs_recording facts = {.id = (char *)"1",
                                        .argv = argv,
                                        .cwd = (char *)"/",
                                        .detail = (char *)"default",
                                        .version = (char *)"0",
                                        .pid = 7,
                                        .exit = (char *)"0",
                                        .begin_ns = 1,
                                        .end_ns = end_ns,
                                        .lost_events = lost_events,
                                        .lost_packets = 0};
    assert_int_equal(uvs_recording_save(recording, &facts, &error), 0);
}

// Where the session was stopped, every stream ends behind the program.
static void a_stream_that_ends_before_the_recording_is_cut(void **state)
{
    (void)state;
    const uint64_t end_ns = SECOND + PACKETS * PACKET_NS; // of ch_0, which ch_1 is 5 ns behind
    mkdir(in("stuck"), 0700);
    write_trace("stuck/ctf", SECOND);
    write_facts(in("stuck"), end_ns + 1, 0);
    assert_int_equal(read_path(in("stuck")), UVS_E_TRACE);
    assert_int_equal(outcome->events, 2 * PACKETS * PER_PACKET);
    assert_int_equal(outcome->losses, 1);
    assert_true(outcome->lost[0].begin_ns == end_ns - 1);
    assert_non_null(strstr(outcome->error.text, "ch_0 ends before"));
    write_facts(in("stuck"), end_ns - 1, 0);
    assert_int_equal(read_path(in("stuck")), 0);
    assert_int_equal(outcome->losses, 0);
    write_facts(in("stuck"), end_ns + 1, UVS_ABSENT); // its daemon died, which the recording says itself
    assert_int_equal(read_path(in("stuck")), 0);
    // A processor of which nothing came.
    write_facts(in("stuck"), end_ns - 1, 0);
    assert_int_equal(truncate(in("stuck/ctf/ch_0"), 0), 0);
    assert_int_equal(read_path(in("stuck")), UVS_E_TRACE);
    assert_int_equal(outcome->events, PACKETS * PER_PACKET);
    assert_true(outcome->lost[0].begin_ns == UVS_ABSENT);
}

static void write_part(const char *trace, uint64_t first, uint64_t count)
{
    struct ctf_stream *stream = ctf_stream_open(trace, "ch_0");
    for (uint64_t packet = first; packet < first + count; packet++) {
        const uint64_t begin_ns = SECOND + packet * PACKET_NS;
        ctf_stream_event(stream, a_callback(begin_ns));
        ctf_stream_packet(stream, begin_ns, begin_ns + PACKET_NS - 1, 0, packet == first ? first : 0);
    }
    ctf_stream_close(stream);
}

// As in a snapshot, or where the tracer overwrote them: nobody counts them, and what the others did meanwhile is known
// in part.
static void a_stream_without_its_first_packets_leaves_a_gap(void **state)
{
    (void)state;
    write_trace("late", SECOND + 5);
    write_part(in("late"), 3, 2);
    assert_int_equal(read_path(in("late")), 0);
    assert_int_equal(outcome->events, PACKETS * PER_PACKET + 2);
    assert_int_equal(outcome->losses, 1);
    assert_true(outcome->lost[0].begin_ns == UVS_ABSENT);
    assert_true(outcome->lost[0].end_ns == SECOND + 3 * PACKET_NS);
    assert_true(outcome->lost[0].events == 0 && outcome->lost[0].packets == 0);
    // They may be in another chunk of the session.
    mkdir(in("chunks"), 0700);
    for (int i = 1; i <= 2; i++)
        ctf_write_metadata(in("chunks/%d", i), &(struct ctf_variant){0});
    write_part(in("chunks/1"), 0, 3);
    write_part(in("chunks/2"), 3, 2);
    assert_int_equal(read_path(in("chunks")), 0);
    assert_int_equal(outcome->events, 5);
    assert_int_equal(outcome->losses, 0);
    assert_int_equal(read_path(in("chunks/2")), 0);
    assert_int_equal(outcome->losses, 1);
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

// What a process leaves that ended while it registered, and where it did emit something.
static void empty_streams_that_are_not_declared_lose_nothing(void **state)
{
    (void)state;
    mkdir(in("hollow"), 0700);
    write_trace("hollow/ours", SECOND);
    ctf_write_metadata(in("hollow/other"), &(struct ctf_variant){.stream_class = 3});
    for (unsigned events = 0; events < 2; events++) {
        struct ctf_stream *stream = ctf_stream_open(in("hollow/other"), "ch_0");
        for (unsigned packet = 0; packet < 2; packet++) {
            if (events && packet)
                ctf_stream_event(stream, a_callback(SECOND));
            ctf_stream_packet(stream, SECOND, SECOND + 1, 0, 0);
        }
        ctf_stream_close(stream);
        assert_int_equal(read_path(in("hollow")), events ? UVS_E_TRACE : 0);
        assert_int_equal(outcome->events, 2 * PACKETS * PER_PACKET);
        assert_int_equal(outcome->losses, events);
    }
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

// A trace may come from anybody: a link in it could lead to any file of who reads it.
static void links_in_a_trace_are_not_followed(void **state)
{
    (void)state;
    static const char *const names[] = {"ch_0", "metadata"};
    write_trace("elsewhere", SECOND);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        write_trace("linked", SECOND);
        assert_int_equal(unlink(in("linked/%s", names[i])), 0);
        assert_int_equal(symlink(in("elsewhere/%s", names[i]), in("linked/%s", names[i])), 0);
        expect_refusal(in("linked"), "symbolic link");
        assert_int_equal(unlink(in("linked/%s", names[i])), 0);
    }
    mkdir(in("whole"), 0700);
    fclose(fopen(in("whole/uvscope.json"), "w"));
    assert_int_equal(symlink(in("elsewhere"), in("whole/ctf")), 0);
    expect_refusal(in("whole"), "symbolic link");
}

// Opening them must not wait for who writes into them.
static void pipes_in_a_trace_are_left_alone(void **state)
{
    (void)state;
    const char *trace = write_trace("piped", SECOND);
    assert_int_equal(mkfifo(in("piped/ch_2"), 0600), 0);
    assert_int_equal(read_path(trace), 0);
    assert_int_equal(outcome->events, 2 * PACKETS * PER_PACKET);
    assert_int_equal(unlink(in("piped/metadata")), 0);
    assert_int_equal(mkfifo(in("piped/metadata"), 0600), 0);
    assert_int_equal(read_path(trace), UVS_E_TRACE);
}

#ifndef UVS_SANITIZED // whose allocator ends the process instead
// A few bytes that say: an array of a thousand million elements. libbabeltrace2 makes room for all of them.
static void metadata_cannot_take_all_memory(void **state)
{
    (void)state;
    write_trace("bomb", SECOND);
    ctf_write_metadata(in("bomb"),
                       &(struct ctf_variant){
                           .replaced = "integer { size = 64; align = 8; signed = 0; } _op;",
                           .replacement = "integer { size = 8; align = 8; signed = 0; } _op[ 1000000000 ];"});
    struct rlimit limit, small;
    assert_int_equal(getrlimit(RLIMIT_DATA, &limit), 0);
    small = limit;
    small.rlim_cur = 256 << 20; // of the worker's limit, what this test has time for
    assert_int_equal(setrlimit(RLIMIT_DATA, &small), 0);
    const int status = read_path(in("bomb"));
    assert_int_equal(setrlimit(RLIMIT_DATA, &limit), 0);
    assert_int_equal(status, UVS_E_TRACE);
    assert_true(outcome->error.text[0] || complaint[0]);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_stream_gives_its_whole_packets),
        cmocka_unit_test(a_stream_that_ends_before_the_recording_is_cut),
        cmocka_unit_test(a_stream_without_its_first_packets_leaves_a_gap),
        cmocka_unit_test(stand_ins_are_removed),
        cmocka_unit_test(a_bad_trace_does_not_hide_a_good_one),
        cmocka_unit_test(empty_neighbours_lose_nothing),
        cmocka_unit_test(empty_streams_that_are_not_declared_lose_nothing),
        cmocka_unit_test(a_trace_without_streams_says_so),
        cmocka_unit_test(flipped_bits_in_streams_end_cleanly),
        cmocka_unit_test(flipped_bits_in_metadata_end_cleanly),
        cmocka_unit_test(a_wrong_index_is_not_believed),
        cmocka_unit_test(a_missing_stream_is_the_others_alone),
        cmocka_unit_test(links_in_a_trace_are_not_followed),
        cmocka_unit_test(pipes_in_a_trace_are_left_alone),
#ifndef UVS_SANITIZED
        cmocka_unit_test(metadata_cannot_take_all_memory),
#endif
    };
    return cmocka_run_group_tests(tests, set_up_traces, tear_down_traces);
}
