// SPDX-License-Identifier: MIT
// Truth programs measure themselves and print what a correct report must say of them, one fact a line:
//
//   fact SECTION [kind=K] [site=FUNCTION] PATH VALUE
//
// SECTION is an array of the JSON report (loops, callbacks, pool.requests, …); the rows that match are looked
// up and PATH (delay.max_ns, blocked.worst.0.class) is compared with VALUE: times within max(1 ms, 2 %), all
// else exactly. A VALUE may begin with >= or <=, which only relations with nominal values use.
#ifndef TRUTH_H
#define TRUTH_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define TRUTH_MS 1000000ull

// What one kind of moment took, seen from inside.
struct truth_times {
    uint64_t count, sum_ns, max_ns, min_ns;
};

static inline void truth_add(struct truth_times *times, uint64_t ns)
{
    times->min_ns = times->count == 0 || ns < times->min_ns ? ns : times->min_ns;
    times->max_ns = ns > times->max_ns ? ns : times->max_ns;
    times->sum_ns += ns;
    times->count++;
}

__attribute__((format(printf, 1, 2))) static inline void truth_fact(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("fact ");
    vprintf(format, args);
    printf("\n");
    va_end(args);
}

// where: "callbacks kind=timer site=on_due delay"
static inline void truth_fact_times(const char *where, const struct truth_times *times)
{
    truth_fact("%s.count %llu", where, (unsigned long long)times->count);
    truth_fact("%s.max_ns %llu", where, (unsigned long long)times->max_ns);
    truth_fact("%s.min_ns %llu", where, (unsigned long long)times->min_ns);
    truth_fact("%s.sum_ns %llu", where, (unsigned long long)times->sum_ns);
}

// Computes; returns how long it really took.
static inline uint64_t truth_busy(uint64_t ms)
{
    uint64_t begin_ns = uv_hrtime();
    while (uv_hrtime() - begin_ns < ms * TRUTH_MS)
        ;
    return uv_hrtime() - begin_ns;
}

static inline void truth_must(int result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "%s: %s\n", what, uv_strerror(result));
        exit(99);
    }
}
#define MUST(call) truth_must(call, #call)

#endif
