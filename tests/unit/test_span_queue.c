// SPDX-License-Identifier: MIT
// Spans that pass through the queue are those that were added, in their order, with what they borrowed.
#include "analysis/span_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

enum { MANY = 20000, REFUSED = -7 };

struct taken {
    struct {
        uint64_t count, refuse_at, last_fact;
    } by[UVS__SPAN_TAKERS];
    uint64_t fact; // as the builder's facts: changed by the one thread, read by the others
};

static bool counts_at(uint64_t number)
{
    return number % 3 == 0;
}

static void check_borrowed(const struct uvs__span *span, uint64_t number)
{
    if (span->type == UVS__SPAN_BUSY) {
        assert_int_equal(span->busy.callbacks->count, number / 5 % 8);
        for (size_t i = 0; i < number / 5 % 8; i++)
            assert_int_equal(span->busy.callbacks->items[i].ns, number + i);
        assert_int_equal(span->busy.sync_calls->count, 0);
        assert_int_equal(span->busy.times->longest_ns, number);
    } else if (span->type == UVS__SPAN_STALL) {
        assert_int_equal(span->stall.frame_count, number % 200);
        for (size_t i = 0; i < number % 200; i++)
            assert_int_equal(span->stall.frames[i], (uint32_t)(number * i));
    } else if (span->type == UVS__SPAN_TOTALS) {
        assert_int_equal(span->totals->sum_ns, number);
        assert_int_equal(span->totals->buckets_count, 2);
        assert_int_equal(span->totals->buckets[1], number + 1);
    } else if (span->type == UVS__SPAN_OPEN_HANDLES) {
        assert_int_equal(span->open_handles->count, (uint32_t)number);
    }
}

static int take_one(struct taken *taken, size_t taker, const struct uvs__span *span)
{
    const uint64_t number = taken->by[taker].count++;
    if (number == taken->by[taker].refuse_at)
        return REFUSED;
    assert_int_equal(span->begin_ns, number);
    assert_int_equal(span->counts, counts_at(number));
    check_borrowed(span, number);
    taken->by[taker].last_fact = taken->fact;
    return 0;
}

static int take(void *data, size_t taker, const struct uvs__span *spans, size_t count)
{
    int rc = 0;
    for (size_t i = 0; i < count && !rc; i++)
        rc = take_one(data, taker, &spans[i]);
    return rc;
}

static struct uvs__span_room room;

// What it borrows is gone when it returns.
static int add(struct uvs__span_queue *queue, uint64_t number)
{
    struct uvs__part items[8];
    uint32_t frames[200];
    uint64_t buckets[2] = {number, number + 1};
    struct uvs_ev_handles_open handles = {.count = (uint32_t)number};
    struct uvs__parts parts = {.items = items, .count = number / 5 % 8}, none = {0};
    struct uvs__busy_times times = {.longest_ns = number};
    const struct uvs_ev_totals totals = {.sum_ns = number, .buckets_count = 2, .buckets = buckets};
    // Built where the queue wants it, or elsewhere.
    struct uvs__span elsewhere, *span = number % 7 ? room.next : &elsewhere;
    *span = (struct uvs__span){.type = UVS__SPAN_CALLBACK, .counts = counts_at(number), .begin_ns = number};
    for (size_t i = 0; i < 8; i++)
        items[i] = (struct uvs__part){.ns = number + i};
    for (size_t i = 0; i < 200; i++)
        frames[i] = (uint32_t)(number * i);
    if (number % 5 == 1) {
        span->type = UVS__SPAN_BUSY;
        span->busy.callbacks = &parts;
        span->busy.sync_calls = &none;
        span->busy.times = &times;
    } else if (number % 5 == 2) {
        span->type = UVS__SPAN_STALL;
        span->stall.frames = frames;
        span->stall.frame_count = (uint32_t)number % 200;
    } else if (number % 5 == 3) {
        span->type = UVS__SPAN_TOTALS;
        span->totals = &totals;
    } else if (number % 5 == 4) {
        span->type = UVS__SPAN_OPEN_HANDLES;
        span->open_handles = &handles;
    }
    // What borrows nothing need not be told of as long as there is room.
    if (number % 5 == 0 && span == room.next && room.next != room.last) {
        room.next++;
        return 0;
    }
    const int rc = uvs__span_queue_add(queue, span, counts_at(number));
    memset(items, 0xff, sizeof(items));
    memset(&times, 0xff, sizeof(times));
    memset(frames, 0xff, sizeof(frames));
    handles.count = UINT32_MAX;
    return rc;
}

static struct uvs__span_queue *create(void **state, struct taken *taken)
{
    *taken = (struct taken){0};
    for (size_t i = 0; i < UVS__SPAN_TAKERS; i++)
        taken->by[i].refuse_at = UINT64_MAX;
    return uvs__span_queue_create(*(const size_t *)*state, &room, take, taken);
}

static void test_all_in_order(void **state)
{
    struct taken taken;
    struct uvs__span_queue *queue = create(state, &taken);
    for (uint64_t i = 0; i < MANY; i++)
        assert_int_equal(add(queue, i), 0);
    assert_int_equal(uvs__span_queue_destroy(queue), 0);
    for (size_t i = 0; i < UVS__SPAN_TAKERS; i++)
        assert_int_equal(taken.by[i].count, MANY);
}

// What was added before a settlement was taken before what comes after it.
static void test_settled(void **state)
{
    struct taken taken;
    struct uvs__span_queue *queue = create(state, &taken);
    for (uint64_t number = 0; number < 3000; number++) {
        assert_int_equal(add(queue, number), 0);
        if (number % 700 != 0)
            continue;
        uvs__span_queue_settle(queue);
        for (size_t i = 0; i < UVS__SPAN_TAKERS; i++) {
            assert_int_equal(taken.by[i].count, number + 1);
            assert_int_equal(taken.by[i].last_fact, taken.fact);
        }
        taken.fact = number;
    }
    assert_int_equal(uvs__span_queue_destroy(queue), 0);
}

// What one taker says is told; the others end with it.
static void test_refused(void **state)
{
    for (size_t taker = 0; taker < UVS__SPAN_TAKERS; taker++) {
        struct taken taken;
        struct uvs__span_queue *queue = create(state, &taken);
        int rc = 0;
        taken.by[taker].refuse_at = 10;
        for (uint64_t i = 0; i < MANY && rc == 0; i++)
            rc = add(queue, i);
        assert_int_equal(rc, REFUSED);
        uvs__span_queue_settle(queue);
        taken.fact = 1; // nobody reads it any more
        assert_int_equal(uvs__span_queue_destroy(queue), REFUSED);
        assert_int_equal(taken.by[taker].count, 11);
    }
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

// Of three takers two have a thread; the first is whoever's is idle. It is slow, and the second one refuses
// its second batch while the first is at its own.
static atomic_int first_begun, first_ended;

static void await_first(int batch)
{
    for (int ms = 0; (first_begun < batch || first_ended >= batch) && ms < 5000; ms++)
        sleep_ms(1);
}

static int take_slowly(void *data, size_t taker, const struct uvs__span *spans, size_t count)
{
    int *second_batches = data;
    (void)spans;
    (void)count;
    if (taker == 0) {
        first_begun++;
        sleep_ms(100);
        first_ended++;
    }
    if (taker != 1)
        return 0;
    await_first(++*second_batches);
    return *second_batches == 2 ? REFUSED : 0;
}

// What one taker says does not end the wait for another one that some thread is at.
static void test_refused_beside(void **state)
{
    (void)state;
    int second_batches = 0;
    uint64_t number = 0;
    struct uvs__span_queue *queue = uvs__span_queue_create(2, &room, take_slowly, &second_batches);
    assert_int_equal(add(queue, number++), 0);
    for (const struct uvs__span *last = room.last; room.last == last;)
        assert_int_equal(add(queue, number++), 0);
    await_first(1);
    uvs__span_queue_settle(queue);
    assert_int_equal(first_begun, 2);
    assert_int_equal(first_ended, 2);
    assert_int_equal(uvs__span_queue_destroy(queue), REFUSED);
}

static void test_nothing(void **state)
{
    struct taken taken;
    struct uvs__span_queue *queue = create(state, &taken);
    uvs__span_queue_settle(queue);
    assert_int_equal(uvs__span_queue_destroy(queue), 0);
    assert_int_equal(taken.by[0].count, 0);
    assert_int_equal(uvs__span_queue_destroy(NULL), 0);
}

int main(void)
{
    int failed = 0;
    for (size_t threads = 0; threads <= UVS__SPAN_TAKERS; threads++) {
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_prestate(test_all_in_order, &threads),
            cmocka_unit_test_prestate(test_settled, &threads),
            cmocka_unit_test_prestate(test_refused, &threads),
            cmocka_unit_test_prestate(test_nothing, &threads),
        };
        failed += cmocka_run_group_tests_name("span_queue", tests, NULL, NULL);
    }
    const struct CMUnitTest beside[] = {cmocka_unit_test(test_refused_beside)};
    return failed + cmocka_run_group_tests_name("span_queue", beside, NULL, NULL);
}
