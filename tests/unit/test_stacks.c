// SPDX-License-Identifier: MIT
// Which stacks a report names and a page shows, where there are very many of them.
#include "analysis/recording.h"
#include "log_recording.h"
#include "src/report_stacks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

enum { NS_PER_MS = 1000000, MANY = 20000, ON_A_PAGE = 300 };

static const char head[] =
    "0 process_info loop=7:- pid=7 schema=1 libuv=76802 pool_size=4 recording=r exe=many\n"
    "0 loop_info loop=7:0 tid=7 is_default=1 name=many\n";

// Each of the first samples in a place of its own, then one of as long as all of them and 1 ms more.
static void test_what_comes_late_is_not_left_out(void **state)
{
    (void)state;
    char directory[] = "/tmp/uvscope-stacks-XXXXXX", *log;
    size_t size;
    FILE *out = open_memstream(&log, &size);
    fputs(head, out);
    for (int i = 1; i <= MANY + 1; i++) {
        const int ms = i <= MANY ? i : 2 * MANY + 1;
        fprintf(out,
                "%dms stall loop=7:0 op=1 kind=timer callback=0x100 tid=7 busy_ns=%dms frames=0x%x,0x%x\n",
                ms, ms, i <= MANY ? 0x100000 + i : 0x2000, i <= MANY ? 0x1000 : 0x3000);
    }
    fprintf(out, "%dms callback loop=7:0 op=1 kind=timer callback=0x100 duration_ns=%dms delay_ns=0\n",
            2 * MANY + 1, 2 * MANY + 1);
    fprintf(out, "%dms poll loop=7:0 wait_ns=0 busy_ns=%dms callbacks=1 timeout_ms=0 calls=1\n", 2 * MANY + 1,
            2 * MANY + 1);
    fclose(out);
    log_recording_create(directory, log);
    log_recording_write(directory, UVS_RECORDING_FILE,
                        "{\"schema\": 1, \"id\": \"r\", \"argv\": [], \"pid\": 7}");
    struct uvs_report *report = log_recording_report(directory);
    const struct uvs_block *block = &report->loops[0].worst[0];
    assert_int_equal(block->samples, MANY + 1);
    assert_int_equal(block->stack_count, 2);
    assert_int_equal(block->stack[0].site->address, 0x2000);
    assert_int_equal(block->stack[1].site->address, 0x3000);
    assert_true(block->stack[0].share > 0.5);
    uvs_report_destroy(report);
    free(log);
    assert_int_equal(log_recording_remove(directory), 0);
}

// A report of `count` stacks of one frame each; the last are the longest, by a little.
static void check_page(size_t count, uint64_t ns)
{
    struct uvs_site *sites = calloc(count, sizeof(*sites)),
                    **frames = calloc(count, sizeof(struct uvs_site *));
    struct uvs_stack_row *stacks = calloc(count, sizeof(*stacks));
    char(*labels)[24] = calloc(count, sizeof(*labels));
    assert_true(sites && frames && stacks && labels);
    for (size_t i = 0; i < count; i++) {
        snprintf(labels[i], sizeof(labels[i]), "f%zu", i);
        sites[i].label = labels[i];
        frames[i] = &sites[i];
        stacks[i] = (struct uvs_stack_row){
            .ns = ns + (i + 10 >= count), .frames = &frames[i], .frame_count = 1};
    }
    const struct uvs_report report = {.stacks = stacks, .stack_count = count};
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    uvs__print_stacks_json(out, &report);
    fclose(out);
    json_t *page = json_loads(text, JSON_DECODE_INT_AS_REAL, NULL);
    assert_non_null(page);
    const json_t *shown = json_object_get(page, "stacks"), *names = json_object_get(page, "names");
    const size_t shown_count = count < ON_A_PAGE ? count : ON_A_PAGE;
    assert_int_equal(json_array_size(shown), shown_count);
    assert_int_equal(json_array_size(names), shown_count);
    assert_string_equal(json_string_value(json_array_get(json_array_get(names, shown_count - 1), 0)),
                        labels[count - 1]);
    const json_t *left_out = json_object_get(page, "left_out_ns");
    if (ns < UINT32_MAX)
        assert_int_equal((uint64_t)json_number_value(left_out), (count - shown_count) * ns);
    json_decref(page);
    free(text);
    free(labels);
    free(stacks);
    free(frames);
    free(sites);
}

static void test_the_page_has_the_longest(void **state)
{
    (void)state;
    check_page(10, 34 * NS_PER_MS);
    check_page(ON_A_PAGE, 34 * NS_PER_MS);
    check_page(ON_A_PAGE + 10, 34 * NS_PER_MS);
    check_page(4 * ON_A_PAGE, 1);
    // As the times of a damaged trace add up.
    check_page(4 * ON_A_PAGE, UINT64_MAX - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_comes_late_is_not_left_out),
        cmocka_unit_test(test_the_page_has_the_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
