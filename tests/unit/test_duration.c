// SPDX-License-Identifier: MIT
// Three significant digits, the right unit, and rounding that carries over.
#include "analysis/duration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct {
    uint64_t ns;
    const char *text;
} cases[] = {
    {0, "0 ns"},
    {999, "999 ns"},
    {1000, "1.00 µs"},
    {4210, "4.21 µs"},
    {9994, "9.99 µs"},
    {9995, "10.0 µs"},
    {99949, "99.9 µs"},
    {99950, "100 µs"},
    {999499, "999 µs"},
    {999500, "1.00 ms"},
    {213000000, "213 ms"},
    {999500000, "1.00 s"},
    {10000000000, "10.0 s"},
    {7200000000000, "7200 s"},
    {UINT64_MAX - 1, "18446744074 s"},
    {UINT64_MAX, "-"},
};

static void formats(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char buffer[32];
        assert_string_equal(uvs_format_ns(buffer, sizeof(buffer), cases[i].ns), cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(formats)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
