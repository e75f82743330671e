// SPDX-License-Identifier: MIT
// Requests in flight against a plain array, through growth; lists against what was put into them.
#include "analysis/pending.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { OPERATIONS = 500, STEPS = 200000 };

// Neighbours, and such as are far apart, as those of several threads are.
static uint64_t operation(size_t number)
{
    return number + (number % 3 << 32);
}

static void behaves_like_an_array(void **state)
{
    (void)state;
    struct uvs__request *expected[OPERATIONS] = {0};
    struct uvs__pending pending;
    uint64_t random = 1;
    size_t count = 0;
    assert_int_equal(uvs__pending_create(&pending), 0);
    const size_t first_mask = pending.bucket_mask;
    for (int step = 0; step < STEPS; step++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        const size_t number = (random >> 33) % OPERATIONS, other = (random >> 20) % OPERATIONS;
        const uint64_t op = operation(number);
        if (random >> 63) {
            struct uvs__request *taken = uvs__pending_take(&pending, op);
            assert_ptr_equal(taken, expected[number]);
            if (taken)
                uvs__pending_give(&pending, taken);
            count -= taken != NULL;
            expected[number] = NULL;
        } else if (!expected[number]) {
            expected[number] = uvs__pending_add(&pending, uvs__pending_place(&pending, op), op);
            assert_non_null(expected[number]);
            count++;
        }
        assert_int_equal(pending.count, count);
        assert_ptr_equal(uvs__pending_get(&pending, operation(other)), expected[other]);
    }
    assert_true(pending.bucket_mask > first_mask && pending.bucket_mask < 2 * OPERATIONS);
    uvs__pending_clear(&pending);
}

static void a_list_is_in_the_order_of_appending(void **state)
{
    (void)state;
    struct uvs__link list;
    struct uvs__request requests[4];
    uvs__list_create(&list);
    assert_null(uvs__oldest(&list));
    for (size_t i = 0; i < 4; i++)
        uvs__list_append(&list, &requests[i].link);
    uvs__list_leave(&requests[0].link);
    uvs__list_leave(&requests[2].link);
    uvs__list_append(&list, &requests[0].link);
    assert_ptr_equal(uvs__oldest(&list), &requests[1]);
    const size_t order[] = {1, 3, 0};
    struct uvs__link *link = list.newer;
    for (size_t i = 0; i < 3; i++, link = link->newer)
        assert_ptr_equal(uvs__request_at(&list, link), &requests[order[i]]);
    assert_null(uvs__request_at(&list, link));
    for (size_t i = 3; i-- > 0;)
        assert_ptr_equal((link = link->older), &requests[order[i]].link);
    for (size_t i = 0; i < 3; i++)
        uvs__list_leave(&requests[order[i]].link);
    assert_null(uvs__oldest(&list));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(behaves_like_an_array),
        cmocka_unit_test(a_list_is_in_the_order_of_appending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
