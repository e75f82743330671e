// SPDX-License-Identifier: MIT
// The sweep over a pool's state against a simulation that looks at every instant.
#include "analysis/workers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

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
        struct uvs__workers workers = {0};
        uint64_t saturated, depth;
        simulate(jobs, size, size);
        expect(jobs, size, &saturated, &depth);
        qsort(jobs, JOBS, sizeof(jobs[0]), by_end);
        for (size_t i = 0; i < JOBS; i++) {
            assert_int_equal(uvs__workers_add(&workers, jobs[i].submit, jobs[i].begin, jobs[i].end), 0);
            uvs__workers_settle(&workers, size, horizon(jobs, i));
        }
        uvs__workers_finish(&workers, size, jobs[JOBS - 1].end);
        assert_int_equal(workers.saturated_ns, saturated);
        assert_int_equal(workers.max_waiting, depth);
        assert_int_equal(workers.running, 0);
        assert_int_equal(workers.waiting, 0);
        uvs__workers_clear(&workers);
    }
}

static void settles_as_it_goes(void **state)
{
    (void)state;
    struct uvs__workers workers = {0};
    for (uint64_t i = 0; i < 100000; i++) {
        assert_int_equal(uvs__workers_add(&workers, i * 10, i * 10 + 1, i * 10 + 5), 0);
        uvs__workers_settle(&workers, 4, i * 10 + 5);
    }
    assert_true(workers.agenda.lanes[UVS__END].capacity <= 16);
    uvs__workers_clear(&workers);
}

// Two workers, one job of 100 ns, three that never end: two of them run, in the order they came.
static void stuck_requests_hold_workers(void **state)
{
    (void)state;
    struct uvs__workers workers = {0};
    uvs__workers_add(&workers, 0, 0, 100);
    uvs__workers_add_stuck(&workers, 10);
    uvs__workers_add_stuck(&workers, 20);
    uvs__workers_add_stuck(&workers, 150);
    uvs__workers_finish(&workers, 2, 200);
    assert_int_equal(workers.saturated_ns, (100 - 20) + (200 - 150));
    assert_int_equal(workers.max_waiting, 1);
    uvs__workers_clear(&workers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_simulation),
        cmocka_unit_test(settles_as_it_goes),
        cmocka_unit_test(stuck_requests_hold_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
