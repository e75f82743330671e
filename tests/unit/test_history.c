// SPDX-License-Identifier: MIT
// Pieces that are added many at a time are remembered, and forgotten, as those that are added alone.
#include "analysis/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

enum { MOST = 7 };

static const struct uvs__past *piece_at(const struct uvs__history *history, uint64_t number)
{
    return &history->ring[number & (history->capacity - 1)];
}

static void assert_equal(const struct uvs__history *a, const struct uvs__history *b)
{
    assert_true(a->begin == b->begin && a->end == b->end && a->horizon_ns == b->horizon_ns);
    for (uint64_t i = a->begin; i < a->end; i++)
        assert_memory_equal(piece_at(a, i), piece_at(b, i), sizeof(struct uvs__past));
}

// Runs of 1 to MOST pieces that are `length_ns` long, one behind the other.
static void add_pieces(size_t runs, uint64_t length_ns)
{
    struct uvs__history all = {0}, alone = {0};
    uint64_t time_ns = 0;
    for (size_t run = 0; run < runs; run++) {
        struct uvs__past pieces[MOST];
        const size_t count = 1 + run % MOST;
        for (size_t i = 0; i < count; i++, time_ns += length_ns) {
            pieces[i] = (struct uvs__past){time_ns, time_ns + length_ns, run};
            assert_int_equal(uvs__history_add(&alone, time_ns, time_ns + length_ns, run), 0);
        }
        assert_int_equal(uvs__history_add_all(&all, pieces, count), 0);
        if (run % 1000 == 0)
            assert_true(all.begin == alone.begin && all.horizon_ns == alone.horizon_ns);
    }
    assert_equal(&all, &alone);
    assert_true(all.begin > 0);
    uvs__history_clear(&all);
    uvs__history_clear(&alone);
}

static void what_is_old_is_forgotten(void **state)
{
    (void)state;
    add_pieces(1000, UVS__HISTORY_NS / 100);
}

static void too_many_are_forgotten(void **state)
{
    (void)state;
    add_pieces(UVS__MAX_PIECES / 2, 10);
}

// After pieces were forgotten, so that the ring does not begin where it lies.
static void it_grows_in_the_middle(void **state)
{
    (void)state;
    enum { OLD = 333, PIECES = OLD + 5000 };
    static struct uvs__past pieces[PIECES];
    struct uvs__history history = {0};
    uint64_t time_ns = 0;
    for (size_t i = 0; i < PIECES; i++) {
        const uint64_t end_ns = time_ns + (i < OLD ? UVS__HISTORY_NS / 100 : 10);
        pieces[i] = (struct uvs__past){time_ns, end_ns, i};
        assert_int_equal(uvs__history_add(&history, time_ns, end_ns, i), 0);
        time_ns = end_ns;
        if (i % 100 && i + 1 < PIECES)
            continue;
        for (uint64_t at = history.begin; at < history.end; at++)
            assert_memory_equal(piece_at(&history, at), &pieces[at], sizeof(pieces[at]));
    }
    assert_true(history.begin > 0 && history.capacity > OLD);
    uvs__history_clear(&history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_old_is_forgotten),
        cmocka_unit_test(too_many_are_forgotten),
        cmocka_unit_test(it_grows_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
