// SPDX-License-Identifier: MIT
// On a daemon that is everybody's a trace holds what others record meanwhile: none of it is the report's.
#include "analysis/recording.h"
#include "log_recording.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

// Process 8 is another recording's, and lean: it says so before it says whose it is, and again.
static const char log_of_two[] =
    "0 process_info loop=7:- pid=7 schema=1 libuv=76802 pool_size=4 recording=ours exe=one\n"
    "0 loop_info loop=7:0 tid=7 is_default=1 name=one\n"
    "0 lean loop=8:- threshold_ns=500ms\n"
    "1ms process_info loop=8:- pid=8 schema=1 libuv=76802 pool_size=4 lean_ns=500ms recording=theirs "
    "exe=two\n"
    "1ms loop_info loop=8:0 tid=8 is_default=1 name=two\n"
    "2ms lean loop=8:- threshold_ns=500ms\n"
    "3ms lean loop=8:0 threshold_ns=500ms sequence=0\n"
    "100ms callback loop=7:0 op=1 kind=timer callback=0x100 duration_ns=100ms delay_ns=0\n"
    "200ms poll loop=7:0 wait_ns=100ms busy_ns=100ms callbacks=1 timeout_ms=100 calls=1\n"
    "900ms callback loop=8:0 op=1 kind=timer callback=0x100 duration_ns=600ms delay_ns=0\n";

static char directory[] = "/tmp/uvscope-others-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    log_recording_create(directory, log_of_two);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return log_recording_remove(directory);
}

static struct uvs_report *report_of(const char *recording)
{
    char facts[128];
    snprintf(facts, sizeof(facts), "{\"schema\": 1, \"id\": \"%s\", \"argv\": []}", recording);
    log_recording_write(directory, UVS_RECORDING_FILE, facts);
    return log_recording_report(directory);
}

static void their_threshold_is_not_ours(void **state)
{
    (void)state;
    struct uvs_report *report = report_of("ours");
    assert_int_equal(report->process_count, 1);
    assert_int_equal(report->processes[0].pid, 7);
    assert_int_equal(report->loop_count, 1);
    assert_int_equal(report->block_threshold_ns, 50000000);
    assert_int_equal(report->blame_threshold_ns, 10000000);
    uvs_report_destroy(report);
}

static void it_is_theirs(void **state)
{
    (void)state;
    struct uvs_report *report = report_of("theirs");
    assert_int_equal(report->process_count, 1);
    assert_int_equal(report->processes[0].pid, 8);
    assert_int_equal(report->block_threshold_ns, 500000000);
    assert_int_equal(report->blame_threshold_ns, 500000000);
    uvs_report_destroy(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(their_threshold_is_not_ours),
        cmocka_unit_test(it_is_theirs),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
