// SPDX-License-Identifier: MIT
// The table of a chain's steps against a plain array, and which steps outlive it.
#include "analysis/chain_steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { PROCESSES = 3, OPS = 200, TURNS = 100000 };

static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct uvs__steps));
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    uvs__steps_clear(*state);
    free(*state);
    return 0;
}

// All of one process lie in the buckets of its neighbours' too.
static uint64_t number_of(size_t op)
{
    return op % 2 ? op << 8 : op;
}

static void behaves_like_an_array(void **state)
{
    struct uvs__steps *steps = *state;
    struct uvs__step *expected[PROCESSES][OPS] = {0};
    uint64_t random = 1;
    for (int turn = 0; turn < TURNS; turn++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        const uint32_t process = (uint32_t)(random >> 33) % PROCESSES;
        const size_t op = (random >> 40) % OPS;
        struct uvs__step **known = &expected[process][op];
        assert_ptr_equal(uvs__steps_find(steps, process, number_of(op)), *known);
        if (*known) {
            uvs__steps_forget(steps, *known);
            *known = NULL;
        } else {
            *known = uvs__steps_add(steps, process, number_of(op));
            assert_non_null(*known);
            assert_int_equal((*known)->asked_ns, UVS_ABSENT);
            assert_int_equal((uintptr_t)*known % UVS__SLAB_LINE, 0);
        }
    }
}

static size_t length_of(const struct uvs__step *step)
{
    size_t length = 0;
    for (; step; step = step->next)
        length++;
    return length;
}

static void spreads_what_threads_ask_for_first(void **state)
{
    struct uvs__steps *steps = *state;
    for (uint64_t thread = 0; thread < 1024; thread++)
        uvs__steps_add(steps, 0, 1024 * thread + 1);
    for (size_t i = 0; i < UVS__STEPS; i++)
        assert_in_range(length_of(steps->buckets[i]), 0, 2);
}

static void spreads_processes_with_the_same_numbers(void **state)
{
    struct uvs__steps *steps = *state;
    for (uint32_t process = 0; process < 64; process++)
        for (uint64_t op = 0; op < UVS__STEPS / 64; op++)
            uvs__steps_add(steps, process, op);
    for (size_t i = 0; i < UVS__STEPS; i++)
        assert_in_range(length_of(steps->buckets[i]), 0, 4);
}

static void forgets_the_oldest(void **state)
{
    struct uvs__steps *steps = *state;
    uvs__steps_add(steps, 0, 1);
    uvs__steps_forget(steps, uvs__steps_add(steps, 0, 2));
    for (uint64_t op = 3; op <= UVS__STEPS; op++)
        uvs__steps_add(steps, 0, op);
    assert_non_null(uvs__steps_find(steps, 0, 1));
    uvs__steps_add(steps, 1, 1);
    assert_null(uvs__steps_find(steps, 0, 1));
    assert_non_null(uvs__steps_find(steps, 1, 1));
    uvs__steps_add(steps, 1, 2); // in the place of what was forgotten before
    assert_non_null(uvs__steps_find(steps, 0, 3));
    uvs__steps_add(steps, 1, 3);
    assert_null(uvs__steps_find(steps, 0, 3));
}

// What is given back last is taken first.
static void assert_given_back(struct uvs__steps *steps, const struct uvs__step *step)
{
    assert_ptr_equal(uvs__step_create(steps, 9, 9), step);
}

static void keeps_parents_until_nobody_refers_to_them(void **state)
{
    struct uvs__steps *steps = *state;
    struct uvs__step *first = uvs__steps_add(steps, 0, 1), *second = uvs__steps_add(steps, 0, 2);
    first->known = second->known = true;
    second->parent = uvs__step_hold(first);
    uvs__step_hold(second);
    uvs__steps_forget(steps, first);
    uvs__steps_forget(steps, second);
    assert_null(uvs__steps_find(steps, 0, 1));
    assert_ptr_equal(second->parent, first);
    assert_int_equal(first->references, 1);
    uvs__step_release(steps, second);
    assert_given_back(steps, first);
    assert_given_back(steps, second);
}

static void gives_back_those_that_ask_for_each_other(void **state)
{
    struct uvs__steps *steps = *state;
    struct uvs__step *first = uvs__steps_add(steps, 0, 1), *second = uvs__steps_add(steps, 0, 2);
    first->parent = uvs__step_hold(second);
    second->parent = uvs__step_hold(first);
    uvs__steps_forget(steps, first);
    uvs__steps_forget(steps, second);
    assert_given_back(steps, second);
    assert_given_back(steps, first);
}

static void has_the_step_again_when_nobody_refers_to_it(void **state)
{
    struct uvs__steps *steps = *state;
    struct uvs__step *asker = uvs__steps_add(steps, 0, 1), *step = uvs__steps_add(steps, 0, 2);
    step->parent = uvs__step_hold(asker);
    step->over = step->known = true;
    assert_ptr_equal(uvs__steps_again(steps, step), step);
    assert_ptr_equal(uvs__steps_find(steps, 0, 2), step);
    assert_true(step->ran && !step->over && !step->known);
    assert_null(step->parent);
    assert_int_equal(asker->references, 1);
}

static void has_another_step_when_somebody_refers_to_it(void **state)
{
    struct uvs__steps *steps = *state;
    struct uvs__step *asker = uvs__steps_add(steps, 0, 1), *step = uvs__steps_add(steps, 0, 2);
    step->parent = uvs__step_hold(asker);
    step->asked = step->over = step->known = true;
    step->queue_ns = 3;
    step->service_ns = 4;
    uvs__step_hold(step);
    struct uvs__step *next = uvs__steps_again(steps, step);
    assert_ptr_not_equal(next, step);
    assert_ptr_equal(uvs__steps_find(steps, 0, 2), next);
    assert_true(next->asked && next->ran && !next->over && !next->known);
    assert_int_equal(next->queue_ns, 3);
    assert_int_equal(next->service_ns, 4);
    assert_null(next->parent);
    assert_true(step->known && step->over && !step->ran);
    assert_ptr_equal(step->parent, asker);
    assert_int_equal(step->references, 1);
    // It has the age of the one whose place it took.
    for (uint64_t op = 3; op < UVS__STEPS + 2; op++)
        uvs__steps_add(steps, 0, op);
    assert_ptr_equal(uvs__steps_find(steps, 0, 2), next);
    uvs__steps_add(steps, 0, UVS__STEPS + 2);
    assert_null(uvs__steps_find(steps, 0, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(behaves_like_an_array, set_up, tear_down),
        cmocka_unit_test_setup_teardown(spreads_what_threads_ask_for_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(spreads_processes_with_the_same_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forgets_the_oldest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_parents_until_nobody_refers_to_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gives_back_those_that_ask_for_each_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(has_the_step_again_when_nobody_refers_to_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(has_another_step_when_somebody_refers_to_it, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
