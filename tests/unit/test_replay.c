// SPDX-License-Identifier: MIT
// The replay of a pool keeps libuv's rules: first in, first out, and its cap on slow I/O.
#include "analysis/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define SLOW true
#define FAST false

static uint64_t sum_of(const struct uvs__job *jobs, size_t count, uint32_t threads)
{
    struct uvs_hist waits = {0};
    assert_int_equal(uvs__replay(jobs, count, threads, &waits), 0);
    size_t measured = 0;
    for (size_t i = 0; i < count; i++)
        measured += !jobs[i].is_stuck;
    assert_int_equal(waits.count, measured);
    uint64_t sum = waits.sum;
    uvs_hist_clear(&waits);
    return sum;
}
#define SUM(jobs, threads) sum_of(jobs, sizeof(jobs) / sizeof((jobs)[0]), threads)

static void test_first_in_first_out(void **state)
{
    (void)state;
    const struct uvs__job jobs[] = {
        {0, 50, FAST, false, 0}, {0, 10, FAST, false, 0}, {5, 10, FAST, false, 0}, {100, 10, FAST, false, 0}};
    assert_int_equal(SUM(jobs, 1), 50 + 55);
    assert_int_equal(SUM(jobs, 2), 5);
    assert_int_equal(SUM(jobs, 3), 0);
}

// Of four threads two take look-ups; the third look-up waits although two threads are free, and others pass
// it.
static void test_slow_requests_are_capped(void **state)
{
    (void)state;
    const struct uvs__job jobs[] = {{0, 100, SLOW, false, 0},
                                    {0, 100, SLOW, false, 0},
                                    {0, 100, SLOW, false, 0},
                                    {1, 10, FAST, false, 0},
                                    {2, 10, FAST, false, 0}};
    assert_int_equal(SUM(jobs, 4), 100);
    assert_int_equal(SUM(jobs, 5), 0);
    // With two threads one looks up, one serves the others.
    assert_int_equal(SUM(jobs, 2), 100 + 200 + 0 + 9);
}

// The token of slow I/O goes back to the end of the queue when a thread meets it in vain.
static void test_the_token_loses_its_place(void **state)
{
    (void)state;
    const struct uvs__job jobs[] = {{0, 100, SLOW, false, 0},
                                    {0, 20, FAST, false, 0},
                                    {1, 100, SLOW, false, 0},
                                    {2, 200, FAST, false, 0},
                                    {3, 30, FAST, false, 0}};
    // Threads: look-up [0, 100), job [0, 20). At 20 the token is passed over, [20, 220) the long job. At 100
    // the short one, [100, 130), stands before the token; then the second look-up, from 130.
    assert_int_equal(SUM(jobs, 2), (20 - 2) + (100 - 3) + (130 - 1));
}

static void test_stuck_requests_hold_a_thread(void **state)
{
    (void)state;
    const struct uvs__job jobs[] = {
        {0, 1000, FAST, true, 0}, {1, 10, FAST, false, 0}, {1, 10, FAST, false, 0}};
    assert_int_equal(SUM(jobs, 2), 10);
    assert_int_equal(SUM(jobs, 1), 999 + 1009);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_in_first_out),
        cmocka_unit_test(test_slow_requests_are_capped),
        cmocka_unit_test(test_the_token_loses_its_place),
        cmocka_unit_test(test_stuck_requests_hold_a_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
