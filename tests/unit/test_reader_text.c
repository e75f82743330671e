// SPDX-License-Identifier: MIT
// The text event log: values, units, defaults, quotes, and what it says about a line it cannot read.
#include "analysis/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char path[] = "/tmp/uvs_events_XXXXXX";

// A reader of `text`, from a file that is gone when the reader is.
static struct uvs_reader *reader_of(const char *text)
{
    strcpy(path + sizeof(path) - 7, "XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    struct uvs_reader *reader = NULL;
    struct uvs_error error = {0};
    assert_int_equal(uvs__reader_text_create(path, &reader, &error), 0);
    unlink(path);
    return reader;
}

static const struct uvs_event *only(struct uvs_reader *reader)
{
    const struct uvs_event *event = NULL;
    struct uvs_error error = {0};
    assert_int_equal(uvs_reader_next(reader, &event, &error), 1);
    return event;
}

static void reads_values_in_any_order(void **state)
{
    (void)state;
    struct uvs_reader *reader = reader_of("# a comment\n\n  1.5s callback result=-125 delay_ns=10us "
                                          "kind=fs.read op=0xff duration_ns=250 loop=7:3 depth=2 # end\n");
    const struct uvs_event *event = only(reader);
    assert_int_equal(event->type, UVS_EV_callback);
    assert_int_equal(event->time_ns, 1500000000);
    assert_int_equal(event->callback.loop, uvs_loop_key(7, 3));
    assert_int_equal(event->callback.kind, UVS_KIND_FS_READ);
    assert_int_equal(event->callback.op, 255);
    assert_int_equal(event->callback.depth, 2);
    assert_int_equal(event->callback.duration_ns, 250);
    assert_int_equal(event->callback.delay_ns, 10000);
    assert_int_equal(event->callback.result, -125);
    struct uvs_error error = {0};
    assert_int_equal(uvs_reader_next(reader, &event, &error), 0);
    uvs_reader_destroy(reader);
}

static void leaves_out_what_is_not_known(void **state)
{
    (void)state;
    struct uvs_reader *reader = reader_of("1 callback\n2 process_info\n3 lost events=5\n4 poll loop=8:-\n");
    const struct uvs_event *event = only(reader);
    assert_true(event->callback.duration_ns == UVS_ABSENT && event->callback.delay_ns == UVS_ABSENT);
    assert_int_equal(event->callback.op, 0);
    event = only(reader);
    assert_string_equal(event->process_info.exe, "");
    assert_true(event->process_info.start_ns == UVS_ABSENT);
    event = only(reader);
    assert_int_equal(event->type, UVS_EV_LOST);
    assert_true(event->lost.begin_ns == UVS_ABSENT && event->lost.end_ns == UVS_ABSENT);
    assert_int_equal(event->lost.events, 5);
    assert_int_equal(event->lost.packets, 0);
    event = only(reader);
    assert_int_equal(uvs_key_slot(event->loop), UVS_SLOT_NONE);
    uvs_reader_destroy(reader);
}

static void resolves_quotes_and_sequences(void **state)
{
    (void)state;
    struct uvs_reader *reader = reader_of(
        "1 process_info exe=\"/a b/\\\"c\\\"\" argv=x\\x1fy\n2 stall frames=0x10,0x20,3 op=9\n");
    const struct uvs_event *event = only(reader);
    assert_string_equal(event->process_info.exe, "/a b/\"c\"");
    assert_string_equal(event->process_info.argv, "x\x1fy");
    event = only(reader);
    assert_int_equal(event->stall.frames_count, 3);
    assert_int_equal(event->stall.frames[0], 0x10);
    assert_int_equal(event->stall.frames[2], 3);
    assert_int_equal(event->stall.op, 9);
    uvs_reader_destroy(reader);
}

// Line 2 is wrong; the complaint names it and the word.
static void names_the_line_and_the_word(void **state)
{
    (void)state;
    static const struct {
        const char *line, *word;
    } cases[] = {
        {"soon poll", "`soon'"},
        {"1 pole", "`pole'"},
        {"1", "no event"},
        {"1 poll waits=5", "`waits'"},
        {"1 poll wait_ns", "`wait_ns'"},
        {"1 poll wait_ns=5parsecs", "`wait_ns=5parsecs'"},
        {"1 poll wait_ns=99999999999s", "`wait_ns=99999999999s'"},
        {"1 poll calls=256", "`calls=256'"},
        {"1 poll timeout_ms=2147483648", "`timeout_ms=2147483648'"},
        {"1 poll loop=7", "`loop=7'"},
        {"1 poll loop=7:1024", "`loop=7:1024'"},
        {"1 poll loop=4194304:0", "`loop=4194304:0'"},
        {"1 callback kind=tmer", "`kind=tmer'"},
        {"1 callback op=0x", "`op=0x'"},
        {"1 callback op=", "`op='"},
        {"1 stall frames=1,,2", "`frames=1,,2'"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[256];
        snprintf(text, sizeof(text), "# first\n%s\n", cases[i].line);
        struct uvs_reader *reader = reader_of(text);
        const struct uvs_event *event;
        struct uvs_error error = {0};
        assert_int_equal(uvs_reader_next(reader, &event, &error), -UVS_E_TRACE);
        assert_non_null(strstr(error.text, ":2: "));
        assert_non_null(strstr(error.text, cases[i].word));
        uvs_reader_destroy(reader);
    }
}

// Memory is bound by a line, and a line by its most.
static void refuses_a_line_without_end(void **state)
{
    (void)state;
    enum { LENGTH = 1 << 20 };
    char *text = malloc(LENGTH + 1);
    memset(text, ' ', LENGTH);
    text[LENGTH] = '\0';
    struct uvs_reader *reader = reader_of(text);
    const struct uvs_event *event;
    struct uvs_error error = {0};
    assert_int_equal(uvs_reader_next(reader, &event, &error), -UVS_E_TRACE);
    assert_non_null(strstr(error.text, ":1: the line is too long"));
    uvs_reader_destroy(reader);
    free(text);
}

static void says_that_a_file_is_not_there(void **state)
{
    (void)state;
    struct uvs_reader *reader = NULL;
    struct uvs_error error = {0};
    assert_int_equal(uvs__reader_text_create("/nowhere/x.events", &reader, &error), -UVS_E_TRACE);
    assert_non_null(strstr(error.text, "/nowhere/x.events"));
    assert_null(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_values_in_any_order),     cmocka_unit_test(leaves_out_what_is_not_known),
        cmocka_unit_test(resolves_quotes_and_sequences), cmocka_unit_test(names_the_line_and_the_word),
        cmocka_unit_test(refuses_a_line_without_end),    cmocka_unit_test(says_that_a_file_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
