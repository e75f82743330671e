// SPDX-License-Identifier: MIT
// The hash map against a plain array, through growth and removal.
#include "analysis/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { KEYS = 500, STEPS = 200000 };

static void behaves_like_an_array(void **state)
{
    (void)state;
    static char values[KEYS];
    void *expected[KEYS] = {0};
    struct uvs__map map = {0};
    uint64_t random = 1;
    size_t count = 0;
    for (int step = 0; step < STEPS; step++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        size_t key = random >> 33 & 511;
        if (key >= KEYS)
            continue;
        if (random >> 63) {
            count += expected[key] == NULL;
            expected[key] = &values[random >> 40 & 255];
            assert_int_equal(uvs__map_put(&map, key % 7, key << 12, expected[key]), 0);
        } else {
            count -= expected[key] != NULL;
            assert_ptr_equal(uvs__map_remove(&map, key % 7, key << 12), expected[key]);
            expected[key] = NULL;
        }
        assert_int_equal(map.count, count);
        size_t other = random >> 20 & 255;
        assert_ptr_equal(uvs__map_get(&map, other % 7, other << 12), expected[other]);
    }
    uvs__map_clear(&map);
    assert_null(uvs__map_get(&map, 0, 0));
    assert_null(uvs__map_remove(&map, 0, 0));
}

static void rows_come_zeroed_and_stay(void **state)
{
    (void)state;
    struct uvs__rows rows = {0};
    uint64_t *far = uvs__rows_at(&rows, 1000, sizeof(*far));
    assert_non_null(far);
    assert_int_equal(*far, 0);
    *far = 5;
    uint64_t *near = uvs__rows_at(&rows, 0, sizeof(*near));
    assert_int_equal(*near, 0);
    uvs__rows_at(&rows, 100000, sizeof(*near));
    assert_ptr_equal(uvs__rows_at(&rows, 1000, sizeof(*far)), far);
    assert_int_equal(*far, 5);
    uvs__rows_clear(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(behaves_like_an_array),
        cmocka_unit_test(rows_come_zeroed_and_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
