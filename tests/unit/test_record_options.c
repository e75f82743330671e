// SPDX-License-Identifier: MIT
// Sizes as people type them, and the buffers and files that a machine and a size give.
#include "src/command.h"
#include "src/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define MIB (1ull << 20)
#define GIB (1ull << 30)

static void sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes; // 0: refused
    } cases[] = {
        {"65536", 65536},
        {"1k", 1024},
        {"512M", 512 * MIB},
        {"1.5G", 3 * GIB / 2},
        {"2T", 2048 * GIB},
        {"", 0},
        {"-1M", 0},
        {"1m", 0},
        {"1MB", 0},
        {"1e3", 0},
        {"0x10", 0},
        {"inf", 0},
        {"1 M", 0},
        {"99999999T", 0},
        {"M", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t bytes = 0;
        struct uvs_error error = {0};
        int result = uvs_parse_size(cases[i].text, &bytes, &error);
        assert_int_equal(result, cases[i].bytes ? 0 : -UVS_E_USAGE);
        assert_true(bytes == cases[i].bytes);
        assert_true((error.text[0] != '\0') == (result != 0));
    }
}

// More buffers only where they take a small part of what is free; never less than what fits.
static void buffers(void **state)
{
    (void)state;
    assert_int_equal(uvs__fit_count(64 * MIB, 2), 4);
    assert_int_equal(uvs__fit_count(24 * GIB, 2), 16);
    assert_int_equal(uvs__fit_count(24 * GIB, 64), 16);
    assert_int_equal(uvs__fit_count(4 * GIB, 16), 8);
    assert_int_equal(uvs__fit_count(4 * GIB, 64), 4);
    assert_true(uvs__fit_subbuffer(64 * MIB, 2) == MIB);
    assert_true(uvs__fit_subbuffer(64 * MIB, 64) == 128 << 10);
    assert_true(uvs__fit_subbuffer(MIB, 2) == 0);
}

// All files of all processors' streams together keep to the size, and use most of it.
static void rings(void **state)
{
    (void)state;
    const struct uvs_buffers buffers = {.subbuffer = MIB, .count = 4, .cpus = 4};
    for (uint64_t max = 8 * MIB; max < 4 * GIB; max = max * 5 / 4) {
        struct uvs_ring ring;
        assert_int_equal(uvs__fit_ring(max, &buffers, &ring, NULL), 0);
        assert_true(ring.files >= 2 && ring.file_bytes % MIB == 0);
        assert_true(ring.files * ring.file_bytes * buffers.cpus <= max);
        assert_true(ring.files * ring.file_bytes * buffers.cpus * 2 > max);
    }
    struct uvs_ring ring = {1, 1};
    assert_int_equal(uvs__fit_ring(0, &buffers, &ring, NULL), 0);
    assert_int_equal(ring.files, 0);
    struct uvs_error error = {0};
    assert_int_equal(uvs__fit_ring(8 * MIB - 1, &buffers, &ring, &error), -UVS_E_USAGE);
    assert_string_equal(error.text, "too small for a trace, which needs at least 8M with 4 CPUs");
    const struct uvs_buffers small = {.subbuffer = MIB / 16, .count = 4, .cpus = 3};
    assert_int_equal(uvs__fit_ring(1, &small, &ring, &error), -UVS_E_USAGE);
    assert_string_equal(error.text, "too small for a trace, which needs at least 384k with 3 CPUs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sizes), cmocka_unit_test(buffers),
                                       cmocka_unit_test(rings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
