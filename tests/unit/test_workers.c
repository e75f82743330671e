// SPDX-License-Identifier: MIT
// Counting over a pool's changes against a simulation that looks at every instant.
#include "analysis/workers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

// As the blame goes through a pool's changes.
struct pool {
    struct uvs__agenda agenda;
    struct uvs__workers workers;
};

static struct pool new_pool(void)
{
    struct pool pool = {0};
    uvs__agenda_create(&pool.agenda);
    return pool;
}

static void add(struct pool *pool, enum uvs__change_type type, uint64_t time_ns)
{
    assert_int_equal(uvs__agenda_add(&pool->agenda, type, (struct uvs__change){.time_ns = time_ns}), 0);
}

static void add_job(struct pool *pool, uint64_t submit_ns, uint64_t begin_ns, uint64_t end_ns)
{
    add(pool, UVS__SUBMIT, submit_ns);
    add(pool, UVS__BEGIN, begin_ns);
    add(pool, UVS__END, end_ns);
}

static void pass_until(struct pool *pool, uint32_t size, uint64_t until_ns)
{
    for (uint64_t time_ns; (time_ns = uvs__agenda_first(&pool->agenda)) < until_ns;) {
        uvs__workers_pass(&pool->workers, size, time_ns);
        for (enum uvs__change_type type = 0; type < UVS__CHANGES; type++)
            while (uvs__agenda_next(&pool->agenda, type) == time_ns) {
                uvs__agenda_take(&pool->agenda, type);
                uvs__workers_change(&pool->workers, type);
            }
        uvs__workers_settle(&pool->workers, size, time_ns);
    }
}

static void finish(struct pool *pool, uint32_t size, uint64_t end_ns)
{
    pass_until(pool, size, UINT64_MAX);
    uvs__workers_pass(&pool->workers, size, end_ns);
    uvs__agenda_clear(&pool->agenda);
}

enum { JOBS = 200, SPAN = 1000, MAX_LENGTH = 40 };

struct job {
    uint64_t submit, begin, end;
};

static int by_end(const void *left, const void *right)
{
    const struct job *a = left, *b = right;
    return (a->end > b->end) - (a->end < b->end);
}

// First in, first out on `size` workers; submissions in order of time.
static void simulate(struct job *jobs, unsigned size, uint64_t seed)
{
    uint64_t free_at[8] = {0}, submit = 0;
    for (size_t i = 0; i < JOBS; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        submit += (seed >> 40) % (SPAN / JOBS * 2);
        size_t worker = 0;
        for (size_t w = 1; w < size; w++)
            if (free_at[w] < free_at[worker])
                worker = w;
        jobs[i].submit = submit;
        jobs[i].begin = free_at[worker] > submit ? free_at[worker] : submit;
        jobs[i].end = jobs[i].begin + (seed >> 50) % MAX_LENGTH;
        free_at[worker] = jobs[i].end;
    }
}

static void expect(const struct job *jobs, unsigned size, uint64_t *ret_saturated, uint64_t *ret_depth)
{
    *ret_saturated = *ret_depth = 0;
    for (uint64_t t = 0; t < SPAN * MAX_LENGTH; t++) {
        uint64_t running = 0, waiting = 0;
        for (size_t i = 0; i < JOBS; i++) {
            running += jobs[i].begin <= t && t < jobs[i].end;
            waiting += jobs[i].submit <= t && t < jobs[i].begin;
        }
        *ret_saturated += running >= size && waiting > 0;
        *ret_depth = waiting > *ret_depth ? waiting : *ret_depth;
    }
}

// The oldest submission of a job that ends after the one at `index` in the order of ends.
static uint64_t horizon(const struct job *jobs, size_t index)
{
    uint64_t oldest = jobs[index].end;
    for (size_t i = index + 1; i < JOBS; i++)
        if (jobs[i].submit < oldest)
            oldest = jobs[i].submit;
    return oldest;
}

static void agrees_with_the_simulation(void **state)
{
    (void)state;
    for (unsigned size = 1; size <= 4; size++) {
        struct job jobs[JOBS];
        struct pool pool = new_pool();
        uint64_t saturated, depth;
        simulate(jobs, size, size);
        expect(jobs, size, &saturated, &depth);
        qsort(jobs, JOBS, sizeof(jobs[0]), by_end);
        for (size_t i = 0; i < JOBS; i++) {
            add_job(&pool, jobs[i].submit, jobs[i].begin, jobs[i].end);
            pass_until(&pool, size, horizon(jobs, i));
        }
        finish(&pool, size, jobs[JOBS - 1].end);
        assert_int_equal(pool.workers.saturated_ns, saturated);
        assert_int_equal(pool.workers.max_waiting, depth);
        assert_int_equal(pool.workers.running, 0);
        assert_int_equal(pool.workers.waiting, 0);
    }
}

static void settles_as_it_goes(void **state)
{
    (void)state;
    struct pool pool = new_pool();
    for (uint64_t i = 0; i < 100000; i++) {
        add_job(&pool, i * 10, i * 10 + 1, i * 10 + 5);
        pass_until(&pool, 4, i * 10 + 5);
    }
    assert_true(pool.agenda.lanes[UVS__END].capacity <= 64);
    finish(&pool, 4, 1000000);
}

static uint64_t take_next(struct uvs__agenda *agenda, enum uvs__change_type type)
{
    assert_true(uvs__agenda_next(agenda, type) == uvs__agenda_first(agenda));
    return uvs__agenda_take(agenda, type)->time_ns;
}

// In whatever order they were told, and while others are taken in between.
static void changes_are_taken_in_the_order_of_time(void **state)
{
    (void)state;
    struct uvs__agenda agenda;
    uvs__agenda_create(&agenda);
    assert_true(uvs__agenda_first(&agenda) == UINT64_MAX);
    uint64_t seed = 1, last = 0, added = 0, taken = 0;
    for (uint64_t round = 0; round < 500; round++) {
        for (uint64_t i = 0; i < round % 97; i++, added++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            const struct uvs__change change = {.time_ns = round * 50 + (seed >> 40) % 200};
            assert_int_equal(uvs__agenda_add(&agenda, UVS__END, change), 0);
        }
        for (; uvs__agenda_first(&agenda) < round * 50; taken++) {
            const uint64_t time_ns = take_next(&agenda, UVS__END);
            assert_true(time_ns >= last);
            last = time_ns;
        }
    }
    for (; uvs__agenda_first(&agenda) < UINT64_MAX; taken++)
        take_next(&agenda, UVS__END);
    assert_int_equal(taken, added);
    uvs__agenda_clear(&agenda);
}

// The end of time is a time, and not the end of the lane.
static void changes_at_the_end_of_time_are_taken(void **state)
{
    (void)state;
    struct uvs__agenda agenda;
    uvs__agenda_create(&agenda);
    const struct uvs__change change = {.time_ns = UINT64_MAX};
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(uvs__agenda_add(&agenda, UVS__BEGIN, change), 0);
    for (size_t i = 0; i < 2; i++)
        assert_true(take_next(&agenda, UVS__BEGIN) == UINT64_MAX - 1);
    assert_true(uvs__agenda_first(&agenda) == UINT64_MAX);
    uvs__agenda_clear(&agenda);
}

// Two workers, one job of 100 ns, three that never end: two of them run, in the order they came.
static void stuck_requests_hold_workers(void **state)
{
    (void)state;
    struct pool pool = new_pool();
    add_job(&pool, 0, 0, 100);
    add(&pool, UVS__SUBMIT_STUCK, 10);
    add(&pool, UVS__SUBMIT_STUCK, 20);
    add(&pool, UVS__SUBMIT_STUCK, 150);
    finish(&pool, 2, 200);
    assert_int_equal(pool.workers.saturated_ns, (100 - 20) + (200 - 150));
    assert_int_equal(pool.workers.max_waiting, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_simulation),
        cmocka_unit_test(settles_as_it_goes),
        cmocka_unit_test(changes_are_taken_in_the_order_of_time),
        cmocka_unit_test(changes_at_the_end_of_time_are_taken),
        cmocka_unit_test(stuck_requests_hold_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
