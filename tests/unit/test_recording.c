// SPDX-License-Identifier: MIT
// uvscope.json: there and back, and damaged.
#include "analysis/recording.h"
#include "probes/uvs_abi.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char directory[] = "/tmp/uvs-recording-XXXXXX";

static const char *file(void)
{
    static char path[64];
    snprintf(path, sizeof(path), "%s/" UVS_RECORDING_FILE, directory);
    return path;
}

static void write_file(const char *text)
{
    FILE *stream = fopen(file(), "w");
    assert_non_null(stream);
    fputs(text, stream);
    fclose(stream);
}

static void what_is_saved_is_loaded(void **state)
{
    (void)state;
    char *argv[] = {"node", "", "a b\"\n", "\xff\xfe", NULL};
    const struct uvs_recording saved = {.id = "id-1",
                                        .argv = argv,
                                        .cwd = "/tmp",
                                        .detail = "full",
                                        .version = "0.1.0",
                                        .pid = 4194304,
                                        .exit = "signal 9",
                                        .begin_ns = 12,
                                        .end_ns = 1ull << 62,
                                        .lost_events = 3,
                                        .lost_packets = 4,
                                        .own_daemon = true};
    struct uvs_recording loaded;
    struct uvs_error error = {0};
    struct stat facts;
    assert_int_equal(uvs_recording_save(directory, &saved, &error), 0);
    assert_int_equal(stat(file(), &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    assert_int_equal(uvs_recording_load(directory, &loaded, &error), 1);
    assert_string_equal(loaded.id, "id-1");
    assert_string_equal(loaded.argv[0], "node");
    assert_string_equal(loaded.argv[1], "");
    assert_string_equal(loaded.argv[2], "a b\"\n");
    assert_string_equal(loaded.argv[3], "??"); // JSON holds no bytes that are not UTF-8
    assert_null(loaded.argv[4]);
    assert_string_equal(loaded.cwd, "/tmp");
    assert_string_equal(loaded.detail, "full");
    assert_string_equal(loaded.version, "0.1.0");
    assert_string_equal(loaded.exit, "signal 9");
    assert_int_equal(loaded.pid, 4194304);
    assert_true(loaded.begin_ns == 12 && loaded.end_ns == 1ull << 62);
    assert_true(loaded.lost_events == 3 && loaded.lost_packets == 4);
    assert_true(loaded.own_daemon);
    uvs_recording_clear(&loaded);
    assert_null(loaded.id);
}

static void a_running_program_has_no_end(void **state)
{
    (void)state;
    char *argv[] = {NULL};
    const struct uvs_recording saved = {.id = "x", .argv = argv, .begin_ns = 0, .end_ns = UVS_ABSENT};
    struct uvs_recording loaded;
    assert_int_equal(uvs_recording_save(directory, &saved, NULL), 0);
    assert_int_equal(uvs_recording_load(directory, &loaded, NULL), 1);
    assert_true(loaded.begin_ns == 0 && loaded.end_ns == UVS_ABSENT);
    assert_null(loaded.exit);
    assert_null(loaded.argv[0]);
    uvs_recording_clear(&loaded);
}

static void saving_leaves_no_other_file(void **state)
{
    (void)state;
    const struct uvs_recording saved = {.id = "x"};
    struct uvs_error error = {0};
    assert_int_equal(uvs_recording_save(directory, &saved, NULL), 0);
    assert_int_equal(unlink(file()), 0);
    assert_int_equal(mkdir(file(), 0700), 0); // the rename must fail
    assert_int_equal(uvs_recording_save(directory, &saved, &error), -UVS_E_ENVIRONMENT);
    assert_non_null(strstr(error.text, UVS_RECORDING_FILE));
    assert_int_equal(rmdir(file()), 0);
    assert_int_equal(rmdir(directory), 0); // nothing is left in it
    assert_int_equal(mkdir(directory, 0700), 0);
    assert_int_equal(uvs_recording_save("/missing/directory", &saved, &error), -UVS_E_ENVIRONMENT);
}

static void other_directories_are_no_recordings(void **state)
{
    (void)state;
    struct uvs_recording loaded;
    assert_int_equal(uvs_recording_load("/missing/directory", &loaded, NULL), 0);
    assert_int_equal(uvs_recording_load("/dev/null", &loaded, NULL), 0);
    assert_int_equal(uvs_recording_load("/usr", &loaded, NULL), 0);
}

static void a_damaged_file_says_so(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "{",
                                        "[]",
                                        "null",
                                        "{}",
                                        "{\"schema\": 1}",
                                        "{\"schema\": 1, \"id\": 5}",
                                        "{\"schema\": 2, \"id\": \"x\"}",
                                        "{\"schema\": 1, \"id\": \"\\u0000\"}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct uvs_recording loaded;
        struct uvs_error error = {0};
        write_file(texts[i]);
        assert_int_equal(uvs_recording_load(directory, &loaded, &error), -UVS_E_TRACE);
        assert_non_null(strstr(error.text, UVS_RECORDING_FILE));
    }
}

static void members_of_other_types_are_left_out(void **state)
{
    (void)state;
    struct uvs_recording loaded;
    write_file(
        "{\"schema\": 1, \"id\": \"x\", \"argv\": {\"a\": 1}, \"cwd\": 3, \"begin_ns\": -5, \"lost_events\": "
        "1.5, \"pid\": \"7\"}");
    assert_int_equal(uvs_recording_load(directory, &loaded, NULL), 1);
    assert_null(loaded.cwd);
    assert_null(loaded.argv[0]);
    assert_true(loaded.begin_ns == UVS_ABSENT && loaded.lost_events == UVS_ABSENT && loaded.pid == 0);
    uvs_recording_clear(&loaded);
}

static void only_regular_files_are_read(void **state)
{
    (void)state;
    struct uvs_recording loaded;
    assert_int_equal(unlink(file()), 0);
    assert_int_equal(mkfifo(file(), 0600), 0);
    assert_int_equal(uvs_recording_load(directory, &loaded, NULL), -UVS_E_TRACE);
    assert_int_equal(unlink(file()), 0);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(file());
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_saved_is_loaded),     cmocka_unit_test(a_running_program_has_no_end),
        cmocka_unit_test(saving_leaves_no_other_file), cmocka_unit_test(other_directories_are_no_recordings),
        cmocka_unit_test(a_damaged_file_says_so),      cmocka_unit_test(members_of_other_types_are_left_out),
        cmocka_unit_test(only_regular_files_are_read),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
