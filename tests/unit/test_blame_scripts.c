// SPDX-License-Identifier: MIT
// Samples go to whatever the blame takes to have run at their time, and are named by their innermost function
// of the program's own scripts.
#include "analysis/recording.h"
#include "log_recording.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char map[] = "1000 100 JS:~first /one/app.js:1:1\n"
                          "1100 100 JS:*first /one/app.js:1:1\n" // compiled again
                          "2000 100 JS:~second /one/app.js:2:1\n"
                          "3000 100 JS:~first /two/app.js:1:1\n"
                          "4000 100 JS:~third /one/app.js:3:1\n"
                          "9000 100 JS:~listOnTimeout node:internal/timers:5:1\n";

// One callback, [0, 1000) ms, in which garbage is collected in [240, 250) and [400, 500), and a file is read in
// [600, 700). Of its nine samples two are in these, one after it, and one of what is no script's. Each stands for
// what ran of that since the one before.
static const char log_of_samples[] =
    "0 process_info loop=7:- pid=7 schema=1 libuv=76802 pool_size=4 recording=r exe=node\n"
    "0 loop_info loop=7:0 tid=7 is_default=1 name=node\n"
    "100ms stall loop=7:0 op=1 kind=timer callback=0x100 tid=7 busy_ns=100ms frames=0x1010,0x9010,0x50000\n"
    "200ms stall loop=7:0 op=1 kind=timer callback=0x100 tid=7 busy_ns=200ms "
    "frames=0x60000,0x1110,0x9010,0x50000\n"
    "250ms gc loop=7:0 kind=scavenge duration_ns=10ms\n"
    "300ms stall loop=7:0 op=1 kind=timer callback=0x100 tid=7 busy_ns=300ms "
    "frames=0x2010,0x1010,0x9010,0x50000\n"
    "350ms stall loop=7:0 op=1 kind=timer callback=0x100 tid=7 busy_ns=350ms frames=0x3010,0x9010,0x50000\n"
    "450ms stall loop=7:0 op=1 kind=timer callback=0x100 tid=7 busy_ns=450ms frames=0x2010,0x9010,0x50000\n"
    "500ms gc loop=7:0 kind=scavenge duration_ns=100ms\n"
    "550ms stall loop=7:0 op=1 kind=timer callback=0x100 tid=7 busy_ns=550ms frames=0x1010,0x9010,0x50000\n"
    "650ms stall loop=7:0 op=1 kind=timer callback=0x100 tid=7 busy_ns=650ms frames=0x4010,0x9010,0x50000\n"
    "700ms sync_call loop=7:0 kind=fs.read caller=0x300 duration_ns=100ms\n"
    "800ms stall loop=7:0 op=1 kind=timer callback=0x100 tid=7 busy_ns=800ms frames=0x9010,0x50000\n"
    "1000ms callback loop=7:0 op=1 kind=timer callback=0x100 duration_ns=1000ms delay_ns=0\n"
    "1040ms stall loop=7:0 op=0 kind=none callback=0 tid=7 busy_ns=1040ms frames=0x4010,0x50000\n"
    "1100ms callback loop=7:0 op=2 kind=async callback=0x200 duration_ns=50ms delay_ns=1049ms\n"
    "1200ms poll loop=7:0 wait_ns=100ms busy_ns=1100ms callbacks=2 timeout_ms=100 calls=1\n";

enum { NS_PER_MS = 1000000 };

static char directory[] = "/tmp/uvscope-scripts-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    log_recording_create(directory, log_of_samples);
    log_recording_write(directory, UVS_RECORDING_FILE,
                        "{\"schema\": 1, \"id\": \"r\", \"argv\": [], \"pid\": 7}");
    log_recording_write(directory, "perf-7.map", map);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return log_recording_remove(directory);
}

static const struct uvs_blame_who *culprit(const struct uvs_report *report, enum uvs_blame_what what)
{
    for (size_t i = 0; i < report->culprit_count; i++)
        if (report->culprits[i].who.what == what)
            return &report->culprits[i].who;
    fail_msg("no culprit of kind %d", what);
    return NULL;
}

static void check_script(const struct uvs_scripts *scripts, size_t index, const char *label, const char *file,
                         uint64_t samples, uint64_t ms)
{
    assert_true(index < scripts->count);
    assert_string_equal(scripts->named[index].site->label, label);
    assert_string_equal(scripts->named[index].site->file, file);
    assert_int_equal(scripts->named[index].samples, samples);
    assert_int_equal(scripts->named[index].ns, ms * NS_PER_MS);
}

static void test_samples_are_of_whom_the_blame_says(void **state)
{
    (void)state;
    struct uvs_report *report = log_recording_report(directory);
    const struct uvs_scripts *scripts = culprit(report, UVS_BLAME_CALLBACK)->scripts;
    assert_non_null(scripts);
    assert_int_equal(scripts->samples, 6);
    assert_int_equal(scripts->ns, 490 * NS_PER_MS);
    assert_int_equal(scripts->count, 3);
    check_script(scripts, 0, "first (app.js:1)", "/one/app.js", 3, 250);
    check_script(scripts, 1, "second (app.js:2)", "/one/app.js", 1, 90);
    check_script(scripts, 2, "first (app.js:1)", "/two/app.js", 1, 50);
    scripts = culprit(report, UVS_BLAME_GC)->scripts;
    assert_int_equal(scripts->samples, 1);
    check_script(scripts, 0, "second (app.js:2)", "/one/app.js", 1, 50);
    scripts = culprit(report, UVS_BLAME_SYNC_CALL)->scripts;
    assert_int_equal(scripts->samples, 1);
    check_script(scripts, 0, "third (app.js:3)", "/one/app.js", 1, 50);
    assert_null(culprit(report, UVS_BLAME_LIBUV)->scripts); // what is libuv's is no script's
    uvs_report_destroy(report);
}

static void test_victims_parts_have_the_same(void **state)
{
    (void)state;
    struct uvs_report *report = log_recording_report(directory);
    uint64_t sum_ns = 0;
    assert_int_equal(report->victim_count, 1);
    for (size_t i = 0; i < report->victims[0].by_count; i++) {
        const struct uvs_blame_part *part = &report->victims[0].by[i];
        sum_ns += part->ns;
        if (part->who.what == UVS_BLAME_CALLBACK || part->who.what == UVS_BLAME_GC)
            assert_ptr_equal(part->who.scripts, culprit(report, part->who.what)->scripts);
    }
    assert_int_equal(sum_ns, report->victims[0].suffered.sum);
    uvs_report_destroy(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples_are_of_whom_the_blame_says),
        cmocka_unit_test(test_victims_parts_have_the_same),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
