// SPDX-License-Identifier: MIT
// Maps of generated code: V8's names, code that took the place of other code, damaged lines.
#include "analysis/perf_map.h"
#include "analysis/symbols.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char directory[] = "/tmp/uvscope-test-XXXXXX";

static void write_map(const char *text)
{
    char path[64];
    snprintf(path, sizeof(path), "%s/perf-7.map", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void check_place(const char *name, const char *function, const char *file, int line)
{
    struct uvs__script_place place = uvs__script_place(name);
    assert_string_equal(place.function, function);
    if (file)
        assert_string_equal(place.file, file);
    else
        assert_null(place.file);
    assert_int_equal(place.line, line);
    free(place.function);
    free(place.file);
}

static void names_are_taken_apart(void **state)
{
    (void)state;
    check_place("JS:*superSlowFunction /path/app.js:1:27", "superSlowFunction", "/path/app.js", 1);
    check_place("JS:~superSlowFunction /path/app.js:12:3", "superSlowFunction", "/path/app.js", 12);
    check_place("LazyCompile:^old /a b/app.js:3:1", "old", "/a b/app.js", 3);
    check_place("JS:o*loop /path/app.js:3:1", "loop", "/path/app.js", 3);
    check_place("JS:o+'loop /path/app.js:3:1", "loop", "/path/app.js", 3);
    check_place("JS:~o /path/app.js:3:1", "o", "/path/app.js", 3);
    check_place("JS:~ /path/app.js:7:2", "(anonymous)", "/path/app.js", 7);
    check_place("JS:~get value /path/app.js:7:2", "get value", "/path/app.js", 7);
    check_place("JS:~listOnTimeout node:internal/timers:508:25", "listOnTimeout", "node:internal/timers",
                508);
    check_place("JS:~main file:///path/app.mjs:3:9", "main", "/path/app.mjs", 3);
    check_place("Builtin:ArrayMap", "ArrayMap", NULL, 0);
    check_place("RegExp:(a+)+$", "RegExp:(a+)+$", NULL, 0);
    check_place("perl::sub", "perl::sub", NULL, 0);
    check_place("JS:", "(anonymous)", NULL, 0);
    check_place("JS:~eval", "eval", NULL, 0);
}

static void check_site(struct uvs_symbols *symbols, uint32_t pid, uint64_t address, int is_return,
                       const char *label, const char *module)
{
    struct uvs_site site;
    uvs_symbols_resolve(symbols, pid, address, is_return, &site);
    assert_string_equal(site.label, label);
    if (module)
        assert_string_equal(site.module, module);
    else
        assert_null(site.module);
}

static void later_code_wins(void **state)
{
    struct uvs_symbols *symbols;
    (void)state;
    write_map("1000 100 JS:~first /app.js:1:1\n"
              "nonsense\n"
              "2000 10\n"
              "3000 0 empty\n"
              "1080 40 JS:*second /app.js:2:1\n"
              "fffffffffffffff0 100 last\n"
              "1200 100 JS:~cut /app");
    assert_int_equal(uvs_symbols_create(directory, &symbols, NULL), 0);
    check_site(symbols, 7, 0x1000, 0, "first (app.js:1)", "js");
    check_site(symbols, 7, 0x107f, 0, "first (app.js:1)", "js");
    check_site(symbols, 7, 0x1080, 0, "second (app.js:2)", "js");
    check_site(symbols, 7, 0x10c0, 0, "first (app.js:1)", "js");
    check_site(symbols, 7, 0x1080, 1, "first (app.js:1)", "js");
    check_site(symbols, 7, 0x10c0, 1, "second (app.js:2)", "js");
    check_site(symbols, 7, 0x1100, 0, "0x1100", NULL);
    check_site(symbols, 7, 0x2000, 0, "0x2000", NULL);
    check_site(symbols, 7, 0xfffffffffffffff8, 0, "last", "js");
    check_site(symbols, 8, 0x1000, 0, "0x1000", NULL);
    uvs_symbols_destroy(symbols);
}

static void names_outlive_the_map(void **state)
{
    struct uvs_symbols *symbols;
    char path[64];
    (void)state;
    write_map("1000 100 JS:~first /app.js:1:1\n");
    assert_int_equal(uvs_symbols_create(directory, &symbols, NULL), 0);
    check_site(symbols, 7, 0x1010, 1, "first (app.js:1)", "js");
    assert_int_equal(uvs_symbols_save(symbols, directory, NULL), 0);
    uvs_symbols_destroy(symbols);
    snprintf(path, sizeof(path), "%s/perf-7.map", directory);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(uvs_symbols_create(directory, &symbols, NULL), 0);
    check_site(symbols, 7, 0x1010, 1, "first (app.js:1)", "js");
    check_site(symbols, 8, 0x1010, 1, "0x1010", NULL);
    uvs_symbols_destroy(symbols);
    snprintf(path, sizeof(path), "%s/symbols.json", directory);
    unlink(path);
}

static void other_compilers_have_names_too(void **state)
{
    struct uvs_symbols *symbols;
    (void)state;
    write_map("1000 100 lua: fib [jit]\n");
    assert_int_equal(uvs_symbols_create(directory, &symbols, NULL), 0);
    check_site(symbols, 7, 0x1010, 0, "lua: fib [jit]", "jit");
    uvs_symbols_destroy(symbols);
}

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    char path[64];
    (void)state;
    snprintf(path, sizeof(path), "%s/perf-7.map", directory);
    unlink(path);
    return rmdir(directory);
}

static void only_a_file_of_the_recording_is_read(void **state)
{
    (void)state;
    struct uvs__perf_map *map;
    char path[64], other[64];
    snprintf(path, sizeof(path), "%s/perf-7.map", directory);
    snprintf(other, sizeof(other), "%s/perf-8.map", directory);
    write_map("1000 10 JS:~secret /app.js:1:1\n");
    assert_int_equal(symlink(path, other), 0);
    assert_int_equal(uvs__perf_map_load(other, &map), 0);
    assert_null(map);
    assert_int_equal(unlink(other), 0);
    // Opening it must not wait for a writer.
    assert_int_equal(mkfifo(other, 0600), 0);
    assert_int_equal(uvs__perf_map_load(other, &map), 0);
    assert_null(map);
    assert_int_equal(unlink(other), 0);
    assert_int_equal(uvs__perf_map_load(path, &map), 0);
    assert_non_null(map);
    uvs__perf_map_destroy(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_file_of_the_recording_is_read),
        cmocka_unit_test(names_are_taken_apart),
        cmocka_unit_test(later_code_wins),
        cmocka_unit_test(names_outlive_the_map),
        cmocka_unit_test(other_compilers_have_names_too),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
