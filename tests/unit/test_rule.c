// SPDX-License-Identifier: MIT
// The rule language and its verdicts on the hand-made report.
#include "sample_report.h"

#include "analysis/rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct sample sample;

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
    return 0;
}

// What the verdicts say, one line each: "ok TEXT" or "VIOLATED TEXT"; for a wrong rule its error.
static const char *judge(const char *text)
{
    static char said[4096];
    struct uvs_error error = {0};
    struct uvs_rule *rule;
    struct uvs_verdict *verdicts;
    size_t count, used = 0;
    if (uvs_rule_parse(text, &rule, &error) < 0)
        return strcpy(said, error.text);
    assert_int_equal(uvs_rule_check(rule, &sample.report, &verdicts, &count, &error), 0);
    said[0] = '\0';
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(said + used, sizeof(said) - used, "%s%s %s", i ? "\n" : "",
                                 verdicts[i].passed ? "ok" : "VIOLATED", verdicts[i].text);
    uvs_verdicts_destroy(verdicts, count);
    uvs_rule_destroy(rule);
    return said;
}

struct expectation {
    const char *rule, *said;
};

static void expect_all(const struct expectation *expectations, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_string_equal(judge(expectations[i].rule), expectations[i].said);
}

#define EXPECT_ALL(table) expect_all(table, sizeof(table) / sizeof((table)[0]))

static void test_worst_loop_decides(void **state)
{
    (void)state;
    static const struct expectation table[] = {
        {"loop.block.max < 50ms",
         "VIOLATED loop.block.max < 50ms: 10.0 s (pid 12 loop 0, by timer on_tick (app.c:3))"},
        {"loop.block.max pid=13 < 50ms", "VIOLATED loop.block.max pid=13 < 50ms: no data; end the rule in "
                                         "`or none` to allow that (pid 13 loop 0)"},
        {"loop.block.max < 10.1s",
         "ok loop.block.max < 10.1s: 10.0 s (pid 12 loop 0, by timer on_tick (app.c:3))"},
        {"loop.iterations > 4", "VIOLATED loop.iterations > 4: 1 (pid 13 loop 0)"},
        {"loop.iterations >= 1", "ok loop.iterations >= 1: 1 (pid 13 loop 0)"},
        {"loop.utilization <= 80%", "ok loop.utilization <= 80%: 80.0 % (pid 12 loop 0)"},
        {"loop.utilization < 0.8", "VIOLATED loop.utilization < 0.8: 80.0 % (pid 12 loop 0)"},
        {"loop.blocked.count == 0",
         "VIOLATED loop.blocked.count == 0: 2 (pid 12 loop 0, by timer on_tick (app.c:3))"},
        {"loop.block.count != 2", "VIOLATED loop.block.count != 2: 2 (pid 12 loop 0)"},
    };
    EXPECT_ALL(table);
}

static void test_loops_seen_briefly_have_no_utilization(void **state)
{
    (void)state;
    static const struct expectation judged[] = {
        {"loop.utilization < 90%", "VIOLATED loop.utilization < 90%: 100.0 % (pid 12 loop 1)"}};
    static const struct expectation left_out[] = {
        {"loop.utilization < 90%", "ok loop.utilization < 90%: 80.0 % (pid 12 loop 0)"},
        // Whatever else is known of it.
        {"loop.block.count != 5", "VIOLATED loop.block.count != 5: 5 (pid 12 loop 1)"}};
    static const struct expectation alone[] = {
        {"loop.utilization < 90%", "VIOLATED loop.utilization < 90%: 100.0 % (pid 13 loop 0)"}};
    sample.loops[1].poll_ns = 0;
    sample.loops[1].busy_ns = 10000000;
    EXPECT_ALL(judged);
    sample.loops[1].busy_ns--;
    EXPECT_ALL(left_out);
    // The only loop of its process.
    sample.loops[2].busy_ns = 20000;
    EXPECT_ALL(alone);
    sample.loops[2].busy_ns = 0;
    // Most of its time it spent in a loop of the program's own.
    sample.loops[1].outside_ns = 1;
    EXPECT_ALL(judged);
}

static void test_a_script_is_named_for_its_block(void **state)
{
    (void)state;
    struct uvs_site script = {
        .module = "js", .function = "hold", .file = "/src/app.js", .label = "hold (app.js:3)"};
    struct uvs_block_frame stack[] = {{.site = &sample.start, .share = 1, .is_runtime = true},
                                      {.site = &script, .share = 1}};
    sample.blocks[0].stack = stack;
    sample.blocks[0].stack_count = 2;
    assert_string_equal(judge("loop.block.max < 50ms"),
                        "VIOLATED loop.block.max < 50ms: 10.0 s (pid 12 loop 0, by hold (app.js:3))");
}

static void test_rows_of_a_loop_are_merged(void **state)
{
    (void)state;
    static const struct expectation table[] = {
        {"callback.count == 101", "VIOLATED callback.count == 101: 1 (pid 13 loop 0)"},
        {"callback.count pid=12 == 101", "ok callback.count pid=12 == 101: 101 (pid 12 loop 0)"},
        {"callback.duration.max <= 200ms",
         "ok callback.duration.max <= 200ms: 200 ms (pid 12 loop 0, by idle "
         "odd\x1b[31m\n\xff)"},
        {"callback.duration.sum pid=12 <= 5.25s",
         "ok callback.duration.sum pid=12 <= 5.25s: 5.25 s (pid 12 loop 0)"},
        {"callback.delay.max kind=timer<100ms",
         "VIOLATED callback.delay.max kind=timer<100ms: 100 ms (pid 12 loop 0, by timer on_tick (app.c:3))"},
        {"callback.delay.mean kind=timer pid=12 == 50.5 ms",
         "ok callback.delay.mean kind=timer pid=12 == 50.5 ms: 50.5 ms (pid 12 loop 0)"},
        {"callback.cancelled site~other > 1", "ok callback.cancelled site~other > 1: 2 (pid 13 loop 0)"},
        {"sync_call.duration.max kind=spawn < 9ms", "VIOLATED sync_call.duration.max kind=spawn < 9ms: 9.00 "
                                                    "ms (pid 12 outside of any loop, by spawn start "
                                                    "(app.c:40))"},
    };
    EXPECT_ALL(table);
}

static void test_sites(void **state)
{
    (void)state;
    static const struct expectation table[] = {
        // Equal addresses in two processes are two sites; only those that violate are named.
        {"callback.duration.max by site < 2ms",
         "VIOLATED callback.duration.max by site < 2ms: 100 ms (pid 12 loop 0, timer on_tick (app.c:3))\n"
         "VIOLATED callback.duration.max by site < 2ms: 200 ms (pid 12 loop 0, idle odd\x1b[31m\n\xff)\n"
         "VIOLATED callback.duration.max by site < 2ms: 3.00 ms (pid 13 loop 0, timer on_other (other.c:9))"},
        // 100 samples are enough for a percentile (within 1 %), one is not.
        {"callback.duration.p90 by site < 85ms",
         "VIOLATED callback.duration.p90 by site < 85ms: 89.9 ms (pid 12 loop 0, timer on_tick (app.c:3))"},
        {"callback.duration.p90 by site min 101 < 85ms or none",
         "ok callback.duration.p90 by site min 101 < 85ms or none: no data"},
        {"callback.duration.p90 site~other by site min 1 < 4ms",
         "ok callback.duration.p90 site~other by site min 1 < 4ms: 3.00 ms (pid 13 loop 0, timer on_other "
         "(other.c:9))"},
        {"callback.count site~'^on_(tick|other) ' pid=13 == 1",
         "ok callback.count site~'^on_(tick|other) ' pid=13 == 1: 1 (pid 13 loop 0)"},
    };
    EXPECT_ALL(table);
}

static void test_pool(void **state)
{
    (void)state;
    static const struct expectation table[] = {
        {"pool.queue.max kind=fs.read <= 2ms",
         "ok pool.queue.max kind=fs.read <= 2ms: 2.00 ms (pid 12, by fs.read start (app.c:40))"},
        // A missed hand-off makes the figure unknown, and that is never excused.
        {"pool.queue.p50 < 1s",
         "VIOLATED pool.queue.p50 < 1s: unknown: the trace does not have all that it needs (pid 12)"},
        {"pool.queue.p50 kind=work < 1s or none",
         "VIOLATED pool.queue.p50 kind=work < 1s or none: unknown: the "
         "trace does not have all that it needs (pid 12)"},
        {"pool.count == 14", "ok pool.count == 14: 14 (pid 12)"},
        {"pool.stuck == 0", "VIOLATED pool.stuck == 0: 3 (pid 12)"},
        {"pool.utilization <= 25%", "ok pool.utilization <= 25%: 25.0 % (pid 12)"},
        {"pool.saturated <= 5000us", "ok pool.saturated <= 5000us: 5.00 ms (pid 12)"},
        {"pool.max_queue_depth < 3", "VIOLATED pool.max_queue_depth < 3: 3 (pid 12)"},
    };
    EXPECT_ALL(table);
}

static void test_quotients(void **state)
{
    (void)state;
    static const struct expectation table[] = {
        {"pool.count / callback.count kind=signal == 1",
         "VIOLATED pool.count / callback.count kind=signal == 1: no data; end the rule in `or none` to allow "
         "that"},
        {"pool.count / callback.count kind=signal == 1 or none",
         "ok pool.count / callback.count kind=signal == 1 or none: no data"},
        {"pool.count / pool.count kind=fs.read <= 7", "ok pool.count / pool.count kind=fs.read <= 7: 1.4"},
        {"pool.count kind=fs.read / pool.count < 0.1",
         "VIOLATED pool.count kind=fs.read / pool.count < 0.1: 0.714286"},
        {"loop.block.max / pool.count < 1", "rule 'loop.block.max / pool.count < 1': loop.block.max cannot "
                                            "stand beside a /; counts can, such as "
                                            "callback.count, sync_call.count and pool.count"},
        {"pool.count by site / pool.count < 1", "rule 'pool.count by site / pool.count < 1': `by site` "
                                                "cannot stand beside a /: each side is one sum"},
        {"pool.count / pool.count < 1ms", "rule 'pool.count / pool.count < 1ms': 'ms' is no unit here; "
                                          "pool.count is compared with a number, without a unit"},
        {"pool.count / < 1",
         "rule 'pool.count / < 1': a rule begins with a metric, e.g. loop.block.max < 50ms"},
    };
    EXPECT_ALL(table);
}

static void test_no_data(void **state)
{
    (void)state;
    static const struct expectation table[] = {
        {"callback.delay.p99 kind=signal < 1m",
         "VIOLATED callback.delay.p99 kind=signal < 1m: no data; end the rule "
         "in `or none` to allow that"},
        {"callback.delay.p99 kind=signal < 1m or none",
         "ok callback.delay.p99 kind=signal < 1m or none: no data"},
        // A count of nothing is 0, but not in a process that is not there.
        {"sync_call.count kind=sleep == 0", "ok sync_call.count kind=sleep == 0: 0"},
        {"sync_call.count pid=99 == 0",
         "VIOLATED sync_call.count pid=99 == 0: no data; end the rule in `or none` to "
         "allow that"},
    };
    EXPECT_ALL(table);
}

static void test_loss(void **state)
{
    (void)state;
    assert_string_equal(judge("loss.events == 0"), "ok loss.events == 0: 0");
    sample.report.trace.loss.events = 7;
    assert_string_equal(judge("loss.events == 0"), "VIOLATED loss.events == 0: 7");
    sample.report.trace.loss.events = UVS_ABSENT;
    assert_string_equal(judge("loss.events == 0 or none"),
                        "VIOLATED loss.events == 0 or none: unknown: the trace "
                        "does not have all that it needs");
    // The idle callback ran, but its self time was lost.
    assert_string_equal(
        judge("callback.self.max kind=idle < 1s or none"),
        "VIOLATED callback.self.max kind=idle < 1s or none: unknown: the trace does not have all that "
        "it needs (pid 12 loop 0)");
}

// Blame of a lean recording is known in part, its counts are known; without some of its totals they are not
// either.
static void test_lean(void **state)
{
    (void)state;
    struct uvs_process_row *process = &sample.report.processes[0];
    process->lean_ns = 5000000;
    assert_string_equal(judge("callback.count pid=12 kind=idle > 0"),
                        "ok callback.count pid=12 kind=idle > 0: 1 (pid 12 loop 0)");
    process->totals_lost = 1;
    assert_string_equal(
        judge("callback.count pid=12 kind=idle > 0 or none"),
        "VIOLATED callback.count pid=12 kind=idle > 0 or none: unknown: the trace does not have all that "
        "it needs (pid 12 loop 0)");
    process->lean_ns = process->totals_lost = 0;
}

static void test_wrong_rules(void **state)
{
    (void)state;
    static const struct expectation table[] = {
        {"", "rule '': a rule begins with a metric, e.g. loop.block.max < 50ms"},
        {"loop.blok.max < 50ms", "rule 'loop.blok.max < 50ms': unknown metric 'loop.blok.max'; did you mean "
                                 "loop.block.max, loop.block.mean or "
                                 "loop.block.min?"},
        {"zzz < 1", "rule 'zzz < 1': unknown metric 'zzz'; metrics begin with loop, callback, sync_call, "
                    "pool, blame or loss"},
        {"callback.count kind=tmier < 1",
         "rule 'callback.count kind=tmier < 1': unknown kind 'tmier'; did you mean timer?"},
        {"callback.count kind=spawn < 1",
         "rule 'callback.count kind=spawn < 1': callback.count has no kind=spawn"},
        {"pool.count kind=timer < 1", "rule 'pool.count kind=timer < 1': pool.count has no kind=timer"},
        {"loop.block.max kind=timer < 1ms",
         "rule 'loop.block.max kind=timer < 1ms': loop.block.max cannot be selected with kind=K"},
        {"loss.events pid=1 == 0",
         "rule 'loss.events pid=1 == 0': loss.events cannot be selected with pid=N"},
        {"callback.count pid=1 pid=2 == 0", "rule 'callback.count pid=1 pid=2 == 0': pid=N is given twice"},
        {"callback.count pid=x == 0", "rule 'callback.count pid=x == 0': pid='x' is not a process id"},
        {"callback.count kind~timer == 0", "rule 'callback.count kind~timer == 0': 'kind' is written kind=K"},
        {"callback.count by kind == 0",
         "rule 'callback.count by kind == 0': 'by kind': figures can be taken `by "
         "site`"},
        {"callback.count by site min x == 0",
         "rule 'callback.count by site min x == 0': `by site min 'x'` needs a number of samples"},
        {"callback.count of timers < 1",
         "rule 'callback.count of timers < 1': unknown word 'of' after callback.count; "
         "there are kind=K, site~REGEX, pid=N and `by site`"},
        {"callback.count site~( < 1",
         "rule 'callback.count site~( < 1': site~( is not a regular expression: Unmatched ( or \\("},
        {"callback.count site~\"a < 1", "rule 'callback.count site~\"a < 1': site~ has no closing \""},
        {"loop.block.max = 5ms",
         "rule 'loop.block.max = 5ms': unknown operator '='; there are < <= > >= == !="},
        {"loop.block.max =< 5ms",
         "rule 'loop.block.max =< 5ms': unknown operator '=<'; there are < <= > >= == !="},
        {"loop.block.max <=> 5ms",
         "rule 'loop.block.max <=> 5ms': unknown operator '<=>'; there are < <= > >= == !="},
        {"loop.block.max",
         "rule 'loop.block.max': loop.block.max is compared with nothing; add an operator and a "
         "value, e.g. < 50ms"},
        {"loop.block.max < 50",
         "rule 'loop.block.max < 50': the value has no unit; loop.block.max is a time: ns, us, "
         "ms, s or m, e.g. 50ms"},
        {"loop.block.max < 50 or none",
         "rule 'loop.block.max < 50 or none': the value has no unit; loop.block.max is "
         "a time: ns, us, ms, s or m, e.g. 50ms"},
        {"loop.block.max < 50msec",
         "rule 'loop.block.max < 50msec': 'msec' is no unit here; loop.block.max is a time: "
         "ns, us, ms, s or m, e.g. 50ms"},
        {"loop.iterations < 50ms",
         "rule 'loop.iterations < 50ms': 'ms' is no unit here; loop.iterations is a count, without a unit"},
        {"loop.utilization < 80",
         "rule 'loop.utilization < 80': loop.utilization is a ratio, never above 1; write 80% "
         "or 0.8"},
        {"loop.block.max < -5ms", "rule 'loop.block.max < -5ms': '-5ms' is not a number"},
        {"loop.block.max < inf", "rule 'loop.block.max < inf': 'inf' is not a number"},
        {"loop.block.max < 5ms or nothing",
         "rule 'loop.block.max < 5ms or nothing': 'or nothing' after the value; only `or none` may follow"},
        {"loop.block.max < 5ms or none today",
         "rule 'loop.block.max < 5ms or none today': 'or none' after the value; only `or none` may follow"},
    };
    EXPECT_ALL(table);
}

static void test_units(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        bool is_equal; // loop.block.max of 10 s equals it
    } table[] = {{"10s", true},
                 {"10000ms", true},
                 {"10000000us", true},
                 {"10000000\u00b5s", true},
                 {"10000000\u03bcs", true},
                 {"10000000000ns", true},
                 {"10.000 s", true},
                 {"0.1m", false}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char rule[64];
        snprintf(rule, sizeof(rule), "loop.block.max != %s", table[i].value);
        assert_int_equal(strncmp(judge(rule), "VIOLATED", 8) == 0, table[i].is_equal);
    }
}

// Every metric that is listed can be used, and knows its unit.
static void test_every_metric(void **state)
{
    (void)state;
    static const struct {
        const char *unit, *value;
    } values[] = {{"ns", "1m"}, {"count", "1"}, {"ratio", "1%"}};
    size_t i = 0;
    for (; uvs_metric_info(i); i++) {
        const struct uvs_metric_info *info = uvs_metric_info(i);
        size_t unit = 0;
        while (strcmp(values[unit].unit, info->unit) != 0)
            unit++;
        char rule[128];
        struct uvs_rule *parsed;
        snprintf(rule, sizeof(rule), "%s < %s", info->name, values[unit].value);
        assert_int_equal(uvs_rule_parse(rule, &parsed, NULL), 0);
        assert_string_equal(uvs_rule_unit(parsed), info->unit);
        assert_string_equal(uvs_rule_text(parsed), rule);
        uvs_rule_destroy(parsed);
    }
    assert_true(i > 80);
}

// No cut of a rule, and no byte changed in it, does more than give an error.
static void test_mangled_rules(void **state)
{
    (void)state;
    static const char whole[] =
        "callback.delay.p99 kind=timer site~\"^on_\" pid=12 by site min 20 <= 1.5ms or none";
    for (size_t cut = 0; cut < sizeof(whole); cut++) {
        for (int byte = 1; byte < 256; byte += 3) {
            char text[sizeof(whole)];
            memcpy(text, whole, sizeof(whole));
            text[cut] = (char)byte;
            text[sizeof(whole) - 1] = '\0';
            assert_non_null(judge(text));
            text[cut] = '\0';
            assert_non_null(judge(text));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_worst_loop_decides, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_loops_seen_briefly_have_no_utilization, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_script_is_named_for_its_block, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rows_of_a_loop_are_merged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sites, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pool, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_quotients, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_data, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_loss, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lean, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_rules, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_units, set_up, tear_down),
        cmocka_unit_test(test_every_metric),
        cmocka_unit_test_setup_teardown(test_mangled_rules, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
