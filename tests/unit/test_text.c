// SPDX-License-Identifier: MIT
// The report and the verdicts for people, on the hand-made report.
#include "sample_report.h"

#include "src/check_forms.h"
#include "src/judge.h"
#include "src/text_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct uvs__look plain = {.top = 20}, coloured = {.colour = true, .top = 20};

static struct sample sample;
static char *printed;
static size_t printed_size;

static int set_up(void **state)
{
    (void)state;
    sample_fill(&sample);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sample_clear(&sample);
    free(printed);
    printed = NULL;
    return 0;
}

static FILE *begin(void)
{
    free(printed);
    printed = NULL;
    return open_memstream(&printed, &printed_size);
}

static const char *end(FILE *out)
{
    fclose(out);
    return printed;
}

static const char *verdict(void)
{
    FILE *out = begin();
    uvs__print_verdict(out, &plain, &sample.report);
    return end(out);
}

static const char *report(const struct uvs__look *look)
{
    FILE *out = begin();
    assert_int_equal(uvs__print_report(out, look, &sample.report), 0);
    return end(out);
}

static void test_verdict_names_the_culprit(void **state)
{
    (void)state;
    assert_string_equal(
        verdict(),
        "1 of 3 loops was blocked 2 times, 10.0 s at worst by on_tick (app.c:3), on loop 0 of process 12.\n");
    static char name[] = "app";
    sample.loops[0].name = name;
    assert_non_null(strstr(verdict(), ", on loop 0 (app) of process 12.\n"));
    sample.loops[0].is_default = true;
    assert_non_null(strstr(verdict(), ", on loop 0 (main, app) of process 12.\n"));
    sample.loops[0].name = NULL;
    assert_non_null(strstr(verdict(), ", on loop 0 (main) of process 12.\n"));
    sample.report.loop_count = 1;
    assert_string_equal(verdict(), "The loop was blocked 2 times, 10.0 s at worst by on_tick (app.c:3).\n");
    sample.loops[0].blocked_count = 1;
    assert_string_equal(verdict(), "The loop was blocked once, for 10.0 s, by on_tick (app.c:3).\n");
    sample.blocks[0].open = true;
    assert_string_equal(verdict(), "The loop was blocked once, for at least 10.0 s, by on_tick (app.c:3).\n");
    sample.blocks[0].callback_count = 0;
    assert_string_equal(verdict(), "The loop was blocked once, for at least 10.0 s.\n");
}

static void test_verdict_says_what_kind_of_block(void **state)
{
    (void)state;
    sample.report.loop_count = 1;
    sample.loops[0].worst = &sample.blocks[1];
    assert_string_equal(verdict(),
                        "The loop was blocked 2 times, 60.0 ms at worst by a synchronous fs.read called "
                        "from start (app.c:40).\n");
    sample.blocks[1].class = UVS_BLOCK_OUTSIDE_CALLBACKS;
    assert_string_equal(verdict(),
                        "The loop was blocked 2 times, 60.0 ms at worst by code outside of callbacks.\n");
    sample.blocks[1].class = UVS_BLOCK_UNKNOWN;
    assert_string_equal(verdict(), "The loop was blocked 2 times, 60.0 ms at worst.\n");
    sample.loops[0].worst = &sample.blocks[0];
    sample.blocks[0].class = UVS_BLOCK_SATURATED;
    sample.parts[0].count = 200;
    assert_string_equal(
        verdict(),
        "The loop was blocked 2 times, 10.0 s at worst by 200 callbacks, mostly on_tick (app.c:3).\n");
}

static void test_verdict_without_blocks(void **state)
{
    (void)state;
    sample.report.finding_count = 0;
    sample.report.loop_count = 1;
    sample.report.loops = &sample.loops[1];
    assert_string_equal(
        verdict(), "Nothing blocked the loop for 50 ms or more; the longest busy interval was 1.00 ms.\n");
    sample.report.block_threshold_ns = 1500000;
    sample.report.finding_count = 1;
    sample.findings[0] = (struct uvs_finding){
        .id = "late-timers", .severity = UVS_WARNING, .text = "timers were late"};
    assert_string_equal(verdict(),
                        "Nothing blocked the loop for 1.5 ms or more; the longest busy interval was "
                        "1.00 ms. Timers were late.\n");
    sample.report.loop_count = 0;
    sample.report.finding_count = 0;
    sample.report.trace.incomplete = "it was cut";
    assert_string_equal(verdict(),
                        "No event loop ran in this trace. The trace is incomplete: this holds for the part "
                        "that could be read.\n");
}

static const char *facts(void)
{
    FILE *out = begin();
    uvs__print_trace_facts(out, &plain, &sample.report);
    return end(out);
}

static void test_loss_is_said(void **state)
{
    (void)state;
    struct uvs_interval interval = {5500000000, UVS_ABSENT};
    assert_string_equal(facts(),
                        "\nTrace\n  trace: 1 event in 20.0 s, read by text\n  no events were lost\n");
    sample.report.trace.loss.events = 1;
    assert_non_null(strstr(facts(), "\n  1 event was lost\n"));
    sample.report.trace.loss.events = 1234;
    sample.report.trace.loss.packets = UVS_ABSENT;
    sample.report.trace.loss.spans_unknown = 2;
    sample.report.trace.loss.intervals = &interval;
    sample.report.trace.loss.interval_count = 1;
    assert_non_null(strstr(facts(),
                           "\n  1,234 events and an unknown number of packets were lost; the self time and "
                           "the block are unknown of 2 callbacks\n"
                           "  lost from 0.500 s on\n"));
    static const struct {
        struct uvs_interval interval;
        const char *said;
    } table[] = {
        {{5500000000, 6600000000}, "\n  lost between 0.500 s and 1.600 s\n"},
        {{5500000000, 5500000000}, "\n  lost at 0.500 s\n"},
        {{5500000000, 5500900000}, "\n  lost at 0.500 s\n"},
        {{UVS_ABSENT, 5500000000}, "\n  lost between 0.000 s and 0.500 s\n"},
        {{25000000000, 25000000000}, "\n  lost from 20.000 s on\n"}, // where the trace ends
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        interval = table[i].interval;
        assert_non_null(strstr(facts(), table[i].said));
    }
    sample.report.trace.loss.events = sample.report.trace.loss.packets = 0;
    sample.report.trace.loss.uncounted = true;
    assert_non_null(strstr(facts(), "\n  a processor's first events are missing; how many is not known; "));
    sample.report.trace.loss.events = 1;
    struct uvs_interval many[5];
    for (size_t i = 0; i < 5; i++)
        many[i] = (struct uvs_interval){5500000000 + i * 1000000000, 5600000000 + i * 1000000000};
    sample.report.trace.loss.intervals = many;
    sample.report.trace.loss.interval_count = 4;
    assert_non_null(strstr(facts(), " s and once more\n"));
    sample.report.trace.loss.interval_count = 5;
    assert_non_null(strstr(facts(), " s and 2 more times\n"));
}

static bool has_line(const char *text, const char *line)
{
    return strstr(text, line) != NULL;
}

static void test_report_is_whole(void **state)
{
    (void)state;
    static const char *const titles[] = {
        "\nFindings\n",          "\nLoops\n",       "\nWorst blocks\n",  "\nCallbacks\n", "\nTimers\n",
        "\nSynchronous calls\n", "\nThread pool\n", "\nPool requests\n", "\nProcesses\n", "\nTrace\n"};
    const char *at = report(&plain);
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        at = strstr(at, titles[i]);
        assert_non_null(at);
    }
    assert_true(has_line(printed, "  error    The loop was blocked twice.\n           Do it elsewhere.\n"));
    assert_true(
        has_line(printed, "\n  1.203 s   10.0 s   12     0  long_callback  on_tick (app.c:3) 9.99 s\n"));
    assert_true(has_line(printed, "fs.read from start (app.c:40) ×2 60.0 ms\n"));
    // The hand-off of work was missed: its one queue time is not shown.
    assert_null(strstr(printed, "8.00 ms"));
    // Names from the trace cannot act on the terminal.
    assert_true(has_line(printed, "odd\\x1b[31m\\n\\xff"));
    assert_null(strchr(printed, '\x1b'));
}

static void test_culprits_are_named_by_their_scripts(void **state)
{
    (void)state;
    struct uvs_site machinery = {.label = "node::Environment::RunTimers(uv_timer_s*)"};
    struct uvs_scripts scripts = {
        .samples = 4, .ns = 400, .named = {{&sample.tick, 1, 300}, {&sample.other, 3, 100}}, .count = 2};
    struct uvs_blame_who timer = {.what = UVS_BLAME_CALLBACK,
                                  .pid = 12,
                                  .kind = UVS_KIND_TIMER,
                                  .site = &machinery,
                                  .scripts = &scripts};
    const struct uvs_blame_who read = {
        .what = UVS_BLAME_SYNC_CALL, .pid = 12, .kind = UVS_KIND_FS_READ, .site = &sample.start};
    struct uvs_blame_part by[] = {{timer, 200000000, 1}, {read, 100000000, 1}};
    struct uvs_victim_row victim = {.who = timer, .by = by, .by_count = 2};
    struct uvs_culprit_row culprits[] = {{.who = timer, .wall_ns = 200000000}, {.who = read}};
    uvs_hist_add(&victim.suffered, 200000000);
    uvs_hist_add(&victim.suffered, 100000000);
    victim.who.kind = UVS_KIND_ASYNC;
    sample.report.victims = &victim;
    sample.report.victim_count = 1;
    sample.report.culprits = culprits;
    sample.report.culprit_count = 2;
    const struct uvs__look narrow = {.top = 20, .short_names = true, .width = 300};
    assert_true(
        has_line(report(&narrow),
                 "\n  async node::Environment::RunTimers was late 2 times, 200 ms at worst: once because of "
                 "timer node::Environment::RunTimers (sampled 75 % in on_tick, app.c:3), once because of "
                 "sync fs.read from start (app.c:40).\n"));
    assert_true(has_line(printed, "  timer         node::Environment::RunTimers  75 % on_tick (app.c:3)  "));
    assert_true(has_line(printed, "  sync fs.read  start (app.c:40)              -                       "));
    // All of its samples, and its own earlier runs.
    scripts.ns = 300;
    victim.who = timer;
    assert_true(
        has_line(report(&narrow), "once because of its own earlier runs (sampled in on_tick, app.c:3), "));
    uvs_hist_clear(&victim.suffered);
}

static void test_what_filled_a_block_is_cut_part_by_part(void **state)
{
    (void)state;
    struct uvs_site read = {.label = "node::fs::Read(v8::FunctionCallbackInfo<v8::Value> const&)"};
    struct uvs_site timers = {.label = "node::Environment::RunTimers(uv_timer_s*)"};
    struct uvs_block_part call = {.kind = UVS_KIND_FS_READ, .site = &read, .ns = 359000000, .count = 1};
    struct uvs_block_part callback = {.kind = UVS_KIND_TIMER, .site = &timers, .ns = 391000000, .count = 1};
    sample.blocks[0] = (struct uvs_block){.duration_ns = 400000000,
                                          .class = UVS_BLOCK_SYNC_CALL,
                                          .callbacks = &callback,
                                          .callback_count = 1,
                                          .sync_calls = &call,
                                          .sync_call_count = 1};
    const struct uvs__look narrow = {.top = 20, .short_names = true, .width = 80};
    assert_true(has_line(report(&plain), "  fs.read from node::fs::Read…:Value> const&) 359 ms, "
                                         "…nment::RunTimers(uv_timer_s*) 391 ms\n"));
    assert_true(has_line(report(&narrow), "  fs.read from node::fs::Read 359 ms, …\n"));
    const struct uvs__look markdown = {.top = 20, .short_names = true, .markdown = true};
    assert_true(has_line(report(&markdown), "| fs.read from node::fs::Read 359 ms, "
                                            "node::Environment::RunTimers 391 ms |\n"));
}

static void test_open_blocks_are_at_least(void **state)
{
    (void)state;
    sample.blocks[0].open = true;
    assert_true(has_line(report(&plain), "  at least 10.0 s  "));
}

static void test_self_time_that_was_lost_in_part(void **state)
{
    (void)state;
    uvs_hist_add(&sample.callbacks[2].duration, 1000000);
    assert_true(has_line(report(&plain), "  ≥ 3.00 ms  "));
}

static void test_one_of_each_is_not_repeated(void **state)
{
    (void)state;
    assert_true(has_line(report(&plain), "\n  pid  loop  kind "));
    sample.report.process_count = 1;
    sample.report.loop_count = 1;
    assert_true(has_line(report(&plain), "\n  kind   callback "));
}

static void test_colour_changes_nothing_else(void **state)
{
    (void)state;
    char *bare = strdup(report(&plain)), *to = printed;
    report(&coloured);
    assert_non_null(strchr(printed, '\x1b'));
    to = printed;
    for (const char *from = printed; *from;) {
        if (*from == '\x1b')
            from = strchr(from, 'm') + 1;
        else
            *to++ = *from++;
    }
    *to = '\0';
    assert_string_equal(printed, bare);
    free(bare);
}

// What a worker says of the sample, once or as of several runs.
static void check(const char *text, size_t runs, struct uvs__check_result *result)
{
    struct uvs_rule *rule;
    assert_int_equal(uvs_rule_parse(text, &rule, NULL), 0);
    struct uvs__judge judging = {&rule, 1, true};
    *result = (struct uvs__check_result){.options = UVS_COMPARE_DEFAULTS};
    for (size_t i = 0; i < runs; i++) {
        FILE *out = begin();
        assert_int_equal(uvs__judge(out, &sample.report, &judging, NULL), 0);
        const char *json = end(out);
        assert_int_equal(uvs__check_result_add(result, json, strlen(json), "sample", NULL), 0);
    }
    uvs_rule_destroy(rule);
    assert_int_equal(uvs__check_result_finish(result), 0);
}

typedef int form_function(FILE *out, const struct uvs__check_result *result);

static int as_lines(FILE *out, const struct uvs__check_result *result)
{
    return uvs__print_check(out, &plain, result);
}

static const char *judge_runs(const char *text, size_t runs, form_function *form)
{
    struct uvs__check_result result;
    check(text, runs, &result);
    FILE *out = begin();
    assert_int_equal(form(out, &result), 0);
    uvs__check_result_clear(&result);
    return end(out);
}

static const char *judge(const char *text, bool as_json)
{
    return judge_runs(text, 1, as_json ? uvs__print_check_json : as_lines);
}

static void test_verdicts_as_lines(void **state)
{
    (void)state;
    assert_string_equal(
        judge("loop.block.max < 50ms", false),
        "VIOLATED  loop.block.max < 50ms: 10.0 s (pid 12 loop 0, by timer on_tick (app.c:3))\n");
    sample.report.trace.loss.events = 3;
    sample.report.trace.loss.spans_unknown = 2;
    assert_string_equal(judge("loop.iterations > 0", false),
                        "ok        loop.iterations > 0: 1 (pid 13 loop 0)\n"
                        "note      3 events were lost; self times and blocks are unknown of callbacks: 2\n");
    assert_true(has_line(judge("callback.duration.max < 1ms", false), "by idle odd\\x1b[31m\\n\\xff)\n"));
}

static void test_verdicts_as_json(void **state)
{
    (void)state;
    const char *json = judge("callback.duration.max < 1ms", true);
    assert_true(has_line(json, "\n  \"schema\": 1,\n"));
    assert_true(has_line(json, "\n  \"passed\": false,\n"));
    assert_true(has_line(json, "\n          \"value\": 200000000,\n          \"unit\": \"ns\",\n"));
    assert_true(
        has_line(judge("loop.block.max < 50ms", true), "\"file\": \"/src/app.c\",\n          \"line\": 3,"));
    json = judge("callback.duration.max < 1ms", true);
    // No bytes that JSON cannot hold.
    assert_true(has_line(json, "by idle odd\\\\x1b[31m\\\\n\\\\xff"));
    assert_true(has_line(judge("callback.delay.max kind=signal < 1s or none", true), "\"value\": null,"));
    assert_true(has_line(printed, "\"passed\": true,"));
    assert_true(has_line(judge("loop.utilization < 90%", true), "\"unit\": \"ratio\","));
}

static void test_each_of_several_runs_is_judged(void **state)
{
    (void)state;
    assert_string_equal(judge_runs("loop.iterations > 0", 2, as_lines),
                        "ok        run 1: loop.iterations > 0: 1 (pid 13 loop 0)\n"
                        "ok        run 2: loop.iterations > 0: 1 (pid 13 loop 0)\n");
    assert_true(has_line(judge_runs("loop.iterations > 0", 2, uvs__print_check_json), "\n  \"runs\": [\n"));
}

static void test_junit_escapes_what_xml_cannot_hold(void **state)
{
    (void)state;
    assert_string_equal(
        judge_runs("loop.block.max < 50ms", 1, uvs__print_check_junit),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites name=\"uvscope\" tests=\"1\" failures=\"1\">\n"
        "  <testsuite name=\"uvscope rules\" tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\">\n"
        "    <testcase name=\"loop.block.max &lt; 50ms\" classname=\"uvscope.rules\" file=\"/src/app.c\" "
        "line=\"3\">\n"
        "      <failure type=\"violated\" message=\"loop.block.max &lt; 50ms: 10.0 s (pid 12 loop 0, by "
        "timer on_tick "
        "(app.c:3))\"/>\n"
        "    </testcase>\n  </testsuite>\n</testsuites>\n");
    assert_true(has_line(judge_runs("callback.duration.max < 1ms", 1, uvs__print_check_junit),
                         "odd\\x1b[31m\\n\\xff"));
}

static void test_annotations_stand_at_their_lines(void **state)
{
    (void)state;
    assert_string_equal(
        judge_runs("loop.block.max < 50ms", 1, uvs__print_check_github),
        "::error title=uvscope,file=/src/app.c,line=3::loop.block.max < 50ms: 10.0 s (pid 12 loop 0, by "
        "timer on_tick (app.c:3))\n");
    assert_string_equal(judge_runs("loop.iterations > 0", 1, uvs__print_check_github), "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_verdict_names_the_culprit),
        TEST(test_verdict_says_what_kind_of_block),
        TEST(test_verdict_without_blocks),
        TEST(test_loss_is_said),
        TEST(test_report_is_whole),
        TEST(test_culprits_are_named_by_their_scripts),
        TEST(test_what_filled_a_block_is_cut_part_by_part),
        TEST(test_open_blocks_are_at_least),
        TEST(test_self_time_that_was_lost_in_part),
        TEST(test_one_of_each_is_not_repeated),
        TEST(test_colour_changes_nothing_else),
        TEST(test_verdicts_as_lines),
        TEST(test_verdicts_as_json),
        TEST(test_each_of_several_runs_is_judged),
        TEST(test_junit_escapes_what_xml_cannot_hold),
        TEST(test_annotations_stand_at_their_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
