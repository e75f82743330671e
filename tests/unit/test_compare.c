// SPDX-License-Identifier: MIT
// The rank test against counting, and verdicts on runs whose figures are known.
#include "analysis/compare.h"
#include "analysis/rank.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

// --- The rank test ---

static struct uvs_rank rank(const double *first, size_t n, const double *second, size_t m)
{
    struct uvs_rank result;
    assert_int_equal(uvs_rank_test(first, n, second, m, &result), 0);
    return result;
}

static void assert_near(double a, double b)
{
    if (fabs(a - b) > 1e-9)
        fail_msg("%.12g is not %.12g", a, b);
}

static void test_groups_that_do_not_overlap(void **state)
{
    (void)state;
    const double low[] = {1, 2, 3, 4, 5}, high[] = {6, 7, 8, 9, 10};
    struct uvs_rank up = rank(low, 5, high, 5), down = rank(high, 5, low, 5);
    assert_near(up.p, 2.0 / 252);
    assert_near(up.superiority, 1);
    assert_near(down.p, 2.0 / 252);
    assert_near(down.superiority, 0);
    assert_near(uvs_rank_least(5, 5), 2.0 / 252);
    assert_near(rank(low, 1, high, 1).p, 1);
}

static void test_equal_groups_do_not_differ(void **state)
{
    (void)state;
    const double same[] = {4, 4, 4, 4};
    assert_near(rank(same, 4, same, 4).p, 1);
    assert_near(rank(same, 4, same, 4).superiority, 0.5);
}

// The share of all ways to choose the second group whose U is as far from its mean as that of the last `m`.
static double counted_p(const double *values, size_t n, size_t m)
{
    double all = 0, far = 0, observed = -1;
    for (unsigned way = (1u << (n + m)) - 1; way > 0; way--) {
        double u = 0;
        if ((size_t)__builtin_popcount(way) != m)
            continue;
        for (size_t i = 0; i < n + m; i++)
            for (size_t j = 0; j < n + m; j++)
                if (way >> i & 1 && !(way >> j & 1))
                    u += values[i] > values[j] ? 1 : values[i] < values[j] ? 0 : 0.5;
        const double distance = fabs(u - (double)(n * m) / 2);
        if (observed < 0) // the first way has the highest bits: the last m values
            observed = distance;
        all++;
        far += distance >= observed - 1e-12;
    }
    return far / all;
}

static void test_every_way_is_counted_with_ties(void **state)
{
    (void)state;
    unsigned seed = 7;
    for (int round = 0; round < 200; round++) {
        double values[10];
        const size_t n = 2 + (size_t)round % 4, m = 2 + (size_t)(round / 4) % 4;
        for (size_t i = 0; i < n + m; i++) {
            seed = seed * 1103515245 + 12345;
            values[i] = seed >> 16 & (round % 2 ? 3 : 255);
        }
        assert_near(rank(values, n, values + n, m).p, counted_p(values, n, m));
    }
}

static void test_many_runs_go_over_to_the_normal_distribution(void **state)
{
    (void)state;
    double first[40], second[40];
    for (int i = 0; i < 40; i++) {
        first[i] = i;
        second[i] = i + 9;
    }
    const struct uvs_rank exact = rank(first, 25, second, 25), normal = rank(first, 26, second, 26);
    assert_true(fabs(exact.p - normal.p) < 0.01);
    const double p = rank(first, 40, second, 40).p; // z is 3.1
    assert_true(p > 0.001 && p < 0.004);
}

// --- Runs ---

static struct uvs_runs old_runs, new_runs;

static int set_up(void **state)
{
    (void)state;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    uvs_runs_clear(&old_runs);
    uvs_runs_clear(&new_runs);
    return 0;
}

// A run in which one timer's callback took p50_ns, half of that at least, and a file was opened so often.
static void add(struct uvs_runs *runs, double p50_ns, int calls, int opens, int line, int lost)
{
    char json[2048];
    const int size = snprintf(
        json, sizeof(json),
        "{\"trace\":{\"loss\":{\"events\":%d,\"packets\":0}},\"loops\":[{\"name\":\"app\",\"busy_ns\":1e9,"
        "\"block\":{},"
        "\"blocked\":{\"count\":0}}],\"callbacks\":[{\"kind\":\"timer\",\"site\":{\"function\":\"tick\","
        "\"file\":"
        "\"/src/app.c\",\"line\":%d,\"label\":\"tick (app.c:%d)\"},\"count\":%d,\"duration\":{\"count\":%d,"
        "\"min_ns\":%.0f,\"p50_ns\":%.0f,\"p99_ns\":%.0f},\"delay\":null,\"latency\":null}],\"sync_calls\":[{"
        "\"kind\":\"fs."
        "open\","
        "\"called_from\":{\"function\":\"load\",\"file\":\"a.c\",\"label\":\"\"},\"duration\":{\"count\":%d,"
        "\"p50_ns\":1000}"
        "}],\"pool\":[]}",
        lost, line, line, calls, calls, p50_ns / 2, p50_ns, p50_ns, opens);
    assert_int_equal(uvs_runs_add(runs, json, (size_t)size, "run", NULL), 0);
}

static void add_run(struct uvs_runs *runs, double p50_ns, int opens, int line, int lost)
{
    add(runs, p50_ns, 100, opens, line, lost);
}

static void add_calls(struct uvs_runs *runs, double p50_ns, int calls)
{
    add(runs, p50_ns, calls, 40, 10, 0);
}

static struct uvs_comparison compare(void)
{
    const struct uvs_compare_options options = UVS_COMPARE_DEFAULTS;
    struct uvs_comparison comparison;
    assert_int_equal(uvs_compare(&old_runs, &new_runs, &options, &comparison), 0);
    return comparison;
}

static const struct uvs_change *find(const struct uvs_comparison *comparison, const char *gauge,
                                     const char *who)
{
    for (size_t i = 0; i < comparison->count; i++)
        if (strcmp(comparison->items[i].gauge->name, gauge) == 0 &&
            strcmp(comparison->items[i].who, who) == 0)
            return &comparison->items[i];
    fail_msg("no %s of %s", gauge, who);
    return NULL;
}

static void add_runs(struct uvs_runs *runs, int count, double p50_ns, int opens, int line)
{
    for (int i = 0; i < count; i++)
        add_run(runs, p50_ns * (1 + 0.01 * i), opens, line, 0);
}

static void test_equal_runs_are_the_same(void **state)
{
    (void)state;
    add_runs(&old_runs, 6, 5e6, 40, 10);
    add_runs(&new_runs, 6, 5e6, 40, 99); // another line: another build
    struct uvs_comparison comparison = compare();
    assert_int_equal(comparison.worse + comparison.better + comparison.gated, 0);
    assert_true(comparison.tells_noise);
    assert_int_equal(find(&comparison, "sync_call.count", "fs.open load (a.c)")->evidence,
                     UVS_EVIDENCE_EXACT);
    uvs_comparison_clear(&comparison);
}

static void test_a_slower_callback_is_worse(void **state)
{
    (void)state;
    add_runs(&old_runs, 6, 5e6, 40, 10);
    add_runs(&new_runs, 6, 6e6, 40, 10);
    struct uvs_comparison comparison = compare();
    const struct uvs_change *change = find(&comparison, "callback.duration.p50", "timer tick (app.c)");
    assert_int_equal(change->verdict, UVS_CHANGE_WORSE);
    assert_int_equal(change->evidence, UVS_EVIDENCE_RANKS);
    assert_near(change->p, 2.0 / 924);
    assert_near(change->superiority, 1);
    const struct uvs_change *floor = find(&comparison, "callback.duration.min", "timer tick (app.c)");
    assert_int_equal(floor->verdict, UVS_CHANGE_WORSE);
    assert_int_equal(floor->evidence, UVS_EVIDENCE_FLOOR);
    assert_near(floor->old_value, 2.5e6); // the shortest call of all runs
    assert_near(floor->new_value, 3e6);
    assert_int_equal(comparison.gated, 1);
    assert_ptr_equal(floor, &comparison.items[0]); // before what is not gated
    uvs_comparison_clear(&comparison);
}

static void test_noise_lengthens_calls_and_is_no_change(void **state)
{
    (void)state;
    add_runs(&old_runs, 6, 5e6, 40, 10);
    add_runs(&new_runs, 1, 5e6, 40, 10);
    for (int i = 0; i < 5; i++)
        add_run(&new_runs, 9e6 + i, 40, 10, 0); // a busy machine
    struct uvs_comparison comparison = compare();
    assert_int_equal(find(&comparison, "callback.duration.min", "timer tick (app.c)")->verdict,
                     UVS_CHANGE_SAME);
    assert_int_equal(comparison.gated, 0);
    uvs_comparison_clear(&comparison);
}

static void test_few_calls_have_no_floor(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        add_calls(&old_runs, 5e6, 2);
        add_calls(&new_runs, 9e6, 2);
    }
    struct uvs_comparison comparison = compare();
    const struct uvs_change *change = find(&comparison, "callback.duration.min", "timer tick (app.c)");
    assert_int_equal(change->evidence, UVS_EVIDENCE_RANKS);
    assert_int_equal(comparison.gated, 0); // shown, not failed for
    uvs_comparison_clear(&comparison);
}

static void test_less_than_the_tolerance_is_no_change(void **state)
{
    (void)state;
    add_runs(&old_runs, 6, 5e6, 40, 10);
    add_runs(&new_runs, 6, 5.3e6, 40, 10);
    struct uvs_comparison comparison = compare();
    assert_int_equal(comparison.worse, 0);
    uvs_comparison_clear(&comparison);
}

static void test_what_costs_next_to_nothing_is_no_change(void **state)
{
    (void)state;
    add_runs(&old_runs, 6, 2e3, 40, 10);
    add_runs(&new_runs, 6, 4e3, 40, 10); // 100 times 2 us of a busy second
    struct uvs_comparison comparison = compare();
    assert_int_equal(comparison.worse, 0);
    uvs_comparison_clear(&comparison);
}

static void test_one_more_call_is_exact(void **state)
{
    (void)state;
    add_runs(&old_runs, 2, 5e6, 40, 10);
    add_runs(&new_runs, 2, 5e6, 41, 10);
    struct uvs_comparison comparison = compare();
    const struct uvs_change *change = find(&comparison, "sync_call.count", "fs.open load (a.c)");
    assert_int_equal(change->verdict, UVS_CHANGE_WORSE);
    assert_int_equal(change->evidence, UVS_EVIDENCE_EXACT);
    assert_int_equal(comparison.gated, 1);
    assert_false(comparison.tells_noise);
    uvs_comparison_clear(&comparison);
}

static void test_counts_that_vary_are_noise(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        add_run(&old_runs, 5e6, 40 + i % 2, 10, 0);
        add_run(&new_runs, 5e6, 40 + i % 3, 10, 0);
    }
    struct uvs_comparison comparison = compare();
    assert_int_equal(comparison.worse, 0);
    uvs_comparison_clear(&comparison);
}

static void test_loss_takes_counts_out_of_the_gate(void **state)
{
    (void)state;
    add_runs(&old_runs, 3, 5e6, 40, 10);
    for (int i = 0; i < 3; i++)
        add_run(&new_runs, 5e6, 80, 10, 1);
    struct uvs_comparison comparison = compare();
    assert_true(comparison.has_loss);
    assert_int_equal(comparison.gated, 0);
    assert_int_equal(find(&comparison, "sync_call.count", "fs.open load (a.c)")->verdict, UVS_CHANGE_WORSE);
    uvs_comparison_clear(&comparison);
}

static void test_one_run_each_has_the_tolerance_alone(void **state)
{
    (void)state;
    add_runs(&old_runs, 1, 5e6, 40, 10);
    add_runs(&new_runs, 1, 6e6, 43, 10);
    struct uvs_comparison comparison = compare();
    assert_false(comparison.tells_noise);
    assert_int_equal(find(&comparison, "callback.duration.p50", "timer tick (app.c)")->verdict,
                     UVS_CHANGE_WORSE);
    assert_int_equal(find(&comparison, "sync_call.count", "fs.open load (a.c)")->verdict, UVS_CHANGE_SAME);
    uvs_comparison_clear(&comparison);
}

static void test_a_baseline_is_the_runs_it_was_made_of(void **state)
{
    (void)state;
    add_runs(&old_runs, 3, 5e6, 40, 10);
    char *json = uvs_runs_to_json(&old_runs);
    assert_non_null(json);
    assert_int_equal(uvs_runs_add(&new_runs, json, strlen(json), "baseline", NULL), 0);
    assert_int_equal(new_runs.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(new_runs.items[i].count, old_runs.items[i].count);
        for (size_t j = 0; j < new_runs.items[i].count; j++) {
            assert_ptr_equal(new_runs.items[i].items[j].gauge, old_runs.items[i].items[j].gauge);
            assert_string_equal(new_runs.items[i].items[j].who, old_runs.items[i].items[j].who);
            assert_near(new_runs.items[i].items[j].value, old_runs.items[i].items[j].value);
        }
    }
    free(json);
}

static void test_what_is_no_run_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "{",
                                        "[]",
                                        "{}",
                                        "{\"baseline\":1}",
                                        "{\"baseline\":2,\"runs\":[{}]}",
                                        "{\"baseline\":1,\"runs\":[{\"figures\":[{\"metric\":\"x\"}]}]}",
                                        "{\"baseline\":1,\"runs\":[{\"figures\":3}]}",
                                        "{\"loops\":{}}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct uvs_error error = {0};
        assert_int_equal(uvs_runs_add(&old_runs, texts[i], strlen(texts[i]), "file.json", &error),
                         -UVS_E_USAGE);
        assert_non_null(strstr(error.text, "file.json"));
    }
}

static void test_rows_of_one_name_are_one_figure(void **state)
{
    (void)state;
    static const char json[] = "{\"loops\":[],\"callbacks\":["
                               "{\"pid\":1,\"kind\":\"timer\",\"site\":{\"function\":\"f\",\"file\":\"a.c\"},"
                               "\"count\":3,\"duration\":{\"count\":3,"
                               "\"p50_ns\":10}},"
                               "{\"pid\":2,\"kind\":\"timer\",\"site\":{\"function\":\"f\",\"file\":\"a.c\"},"
                               "\"count\":1,\"duration\":{\"count\":1,"
                               "\"p50_ns\":30}}]}";
    assert_int_equal(uvs_runs_add(&old_runs, json, strlen(json), "two", NULL), 0);
    assert_int_equal(old_runs.items[0].count, 2);
    assert_near(old_runs.items[0].items[0].value, 15); // of the 50th percentiles, by count
    assert_near(old_runs.items[0].items[1].value, 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_groups_that_do_not_overlap),
        TEST(test_equal_groups_do_not_differ),
        TEST(test_every_way_is_counted_with_ties),
        TEST(test_many_runs_go_over_to_the_normal_distribution),
        TEST(test_equal_runs_are_the_same),
        TEST(test_a_slower_callback_is_worse),
        TEST(test_noise_lengthens_calls_and_is_no_change),
        TEST(test_few_calls_have_no_floor),
        TEST(test_less_than_the_tolerance_is_no_change),
        TEST(test_what_costs_next_to_nothing_is_no_change),
        TEST(test_one_more_call_is_exact),
        TEST(test_counts_that_vary_are_noise),
        TEST(test_loss_takes_counts_out_of_the_gate),
        TEST(test_one_run_each_has_the_tolerance_alone),
        TEST(test_a_baseline_is_the_runs_it_was_made_of),
        TEST(test_what_is_no_run_is_refused),
        TEST(test_rows_of_one_name_are_one_figure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
