// SPDX-License-Identifier: MIT
// Escaping, widths, cutting and aligned tables.
#include "src/text_entries.h"
#include "src/text_name.h"
#include "src/text_prose.h"
#include "src/text_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct line {
    const char *name;
    uint64_t number, other;
};

static char *printed;
static size_t printed_size;

static FILE *begin(void)
{
    free(printed);
    printed = NULL;
    return open_memstream(&printed, &printed_size);
}

static const char *end(FILE *out)
{
    fclose(out);
    return printed;
}

static int forget(void **state)
{
    (void)state;
    free(printed);
    printed = NULL;
    return 0;
}

static void render_name(FILE *out, const struct uvs__column *column, const struct uvs_report *report,
                        const void *row)
{
    (void)column;
    (void)report;
    uvs__print_escaped(out, ((const struct line *)row)->name);
}

static void render_number(FILE *out, const struct uvs__column *column, const struct uvs_report *report,
                          const void *row)
{
    (void)report;
    uvs__print_count(out, *(const uint64_t *)(const void *)((const char *)row + column->offset));
}

static const struct uvs__column columns[] = {
    {.title = "name", .is_cut = true, .render = render_name},
    {.group = "figures",
     .title = "n",
     .align = UVS__ALIGN_RIGHT,
     .render = render_number,
     .offset = offsetof(struct line, number)},
    {.group = "figures",
     .title = "other",
     .align = UVS__ALIGN_RIGHT,
     .render = render_number,
     .offset = offsetof(struct line, other)},
};

static const char *print_table(size_t width, size_t top, const struct line *lines, size_t count)
{
    const struct uvs__look look = {.width = width, .top = top};
    const struct uvs__rows rows = {lines, count, sizeof(*lines)};
    FILE *out = begin();
    assert_int_equal(uvs__print_table(out, &look, NULL, "Title", columns, 3, &rows), 0);
    return end(out);
}

static void test_columns_align(void **state)
{
    (void)state;
    static const struct line lines[] = {{"µé", 1, UVS_ABSENT}, {"abc", 1234567, 12}};
    assert_string_equal(print_table(0, 0, lines, 2), "\nTitle\n"
                                                     "        --- figures ----\n"
                                                     "  name          n  other\n"
                                                     "  µé            1      -\n"
                                                     "  abc   1,234,567     12\n");
}

static void test_unknown_columns_are_left_out(void **state)
{
    (void)state;
    static const struct line lines[] = {{"a", 1, UVS_ABSENT}, {"b", 2, UVS_ABSENT}};
    assert_string_equal(print_table(0, 0, lines, 2), "\nTitle\n"
                                                     "        figures\n"
                                                     "  name        n\n"
                                                     "  a           1\n"
                                                     "  b           2\n");
}

static void test_rows_beyond_top_are_counted(void **state)
{
    (void)state;
    static const struct line lines[] = {{"a", 1, 1}, {"b", 2, 2}, {"c", 3, 3}};
    assert_non_null(strstr(print_table(0, 1, lines, 3), "  a     1      1\n  … and 2 more\n"));
    assert_null(strstr(print_table(0, 3, lines, 3), "more"));
    assert_null(strstr(print_table(0, 0, lines, 3), "more"));
    assert_string_equal(print_table(0, 0, lines, 0), "");
}

static void test_only_names_give_way(void **state)
{
    (void)state;
    static const struct line lines[] = {{"superSlowFunctionOfTheLesson (sync.c:12)", 1, 2}};
    assert_non_null(strstr(print_table(40, 0, lines, 1), "  superSlowFunc…on (sync.c:12)"));
    // Below that the terminal wraps rather than nobody being named.
    const char *narrow = print_table(10, 0, lines, 1);
    assert_non_null(strstr(narrow, "  superSl…nc.c:12)"));
    assert_non_null(strstr(print_table(100, 0, lines, 1), "superSlowFunctionOfTheLesson (sync.c:12)"));
}

static void test_columns_give_way(void **state)
{
    (void)state;
    static const struct uvs__column giving[] = {
        {.title = "name", .is_cut = true, .render = render_name},
        {.title = "first", .gives_way = 1, .render = render_number, .offset = offsetof(struct line, number)},
        {.title = "last", .gives_way = 3, .render = render_number, .offset = offsetof(struct line, other)},
    };
    static const struct line lines[] = {{"superSlowFunctionOfTheLesson (sync.c:12)", 1, 2}};
    static const struct {
        size_t width;
        const char *printed;
    } table[] = {
        {0, "\nTitle\n  name                                      first  last\n"
            "  superSlowFunctionOfTheLesson (sync.c:12)  1      2\n"},
        {39, "\nTitle\n  name                      first  last\n"
             "  superSlowFu… (sync.c:12)  1      2\n"},
        {38, "\nTitle (more columns on a wider terminal)\n  name                            last\n"
             "  superSlowFunct…son (sync.c:12)  2\n"},
        {30, "\nTitle (more columns on a wider terminal)\n  name\n"
             "  superSlowFunc…on (sync.c:12)\n"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct uvs__look look = {.width = table[i].width};
        const struct uvs__rows rows = {lines, 1, sizeof(*lines)};
        FILE *out = begin();
        assert_int_equal(uvs__print_table(out, &look, NULL, "Title", giving, 3, &rows), 0);
        assert_string_equal(end(out), table[i].printed);
    }
}

#define ENTRY(before, name, after) before UVS__ENTRY_PART name UVS__ENTRY_PART after

static const char read_and_timers[] =
    ENTRY("fs.read from ", "node::fs::Read(v8::FunctionCallbackInfo<v8::Value> const&)", " 359 ms") //
    UVS__ENTRY_NEXT ENTRY("", "node::Environment::RunTimers(uv_timer_s*)", " 391 ms");

// A figure stays with the name that it is of, and a name with its figure.
static void test_entries_are_cut_each_by_itself(void **state)
{
    (void)state;
    static const struct {
        const char *cell;
        size_t width;
        const char *printed;
    } table[] = {
        {"-", 1, "-"},
        {"plain text, of one entry", 11, "plain…entry"},
        {read_and_timers, 130,
         "fs.read from node::fs::Read(v8::FunctionCallbackInfo<v8::Value> const&) 359 ms, "
         "node::Environment::RunTimers(uv_timer_s*) 391 ms"},
        {read_and_timers, 90,
         "fs.read from node::fs::Read…:Value> const&) 359 ms, …nment::RunTimers(uv_timer_s*) 391 ms"},
        {read_and_timers, 61, "fs.read from node::f… const&) 359 ms, …rs(uv_timer_s*) 391 ms"},
        {read_and_timers, 60, "fs.read from node::fs::Read(v8:…v8::Value> const&) 359 ms, …"},
        {read_and_timers, 24, "fs.read from … 359 ms, …"},
        {read_and_timers, 20, "fs.read …) 359 ms, …"},
        {ENTRY("", "f (a.c:1)", " 9 ms") UVS__ENTRY_NEXT ENTRY("", "g (a.c:2)", " 8 ms") //
         UVS__ENTRY_NEXT UVS__ENTRY_MORE,
         33, "f (a.c:1) 9 ms, g (a.c:2) 8 ms, …"},
        {ENTRY("", "f (a.c:1)", " 9 ms") UVS__ENTRY_NEXT ENTRY("", "g (a.c:2)", " 8 ms") //
         UVS__ENTRY_NEXT UVS__ENTRY_MORE,
         32, "f (a.c:1) 9 ms, …"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        FILE *out = begin();
        uvs__print_entries(out, table[i].cell, table[i].width);
        assert_string_equal(end(out), table[i].printed);
        assert_true(uvs__text_width(printed) <= table[i].width);
    }
    assert_int_equal(uvs__entries_width(read_and_timers), 128);
}

static void test_entries_are_no_wider_than_their_column(void **state)
{
    (void)state;
    for (size_t width = 0; width <= 130; width++) {
        FILE *out = begin();
        uvs__print_entries(out, read_and_timers, width);
        assert_true(uvs__text_width(end(out)) <= width);
        assert_null(strpbrk(printed, UVS__ENTRY_PART UVS__ENTRY_NEXT));
        assert_true(width < 20 || strstr(printed, " 359 ms"));
    }
}

static const char *shorten(const char *text)
{
    FILE *out = begin();
    uvs__print_short(out, text);
    return end(out);
}

static void test_names_are_shortened(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shortened;
    } table[] = {
        {"my_callback (sync.c:26)", "my_callback (sync.c:26)"},
        {"(anonymous) (copy(1).js:3)", "(anonymous) (copy(1).js:3)"},
        {"main (a::b.js:3)", "main (a::b.js:3)"},
        {"timer node::Environment::RunTimers(uv_timer_s*) of loop 2",
         "timer node::Environment::RunTimers of loop 2"},
        {"node::fs::(anonymous namespace)::AfterOpen(uv_fs_s*) (fs.cc:3).",
         "node::fs::(anonymous namespace)::AfterOpen (fs.cc:3)."},
        {"(anonymous namespace)::f(int)", "(anonymous namespace)::f"},
        {"node::Make<uv_fs_s, void (*)(uv_fs_s*)>::Wrap(uv_fs_s*)", "node::Make<uv_fs_s, …>::Wrap"},
        {"a::Queue<std::unique_ptr<a::Task, std::default_delete<a::Task> > >::Push(int)",
         "a::Queue<…>::Push"},
        {"a::Start()::{lambda(s*, b const*)#2}::_FUN(s*, b const*)", "a::Start::{lambda#2}"},
        {"a::Read(int) const::{lambda()#1}::operator()() const 4 ms", "a::Read::{lambda#1}::operator() 4 ms"},
        {"A::operator<(A const&) const, A::operator->() and a < b", "A::operator<, A::operator-> and a < b"},
        {"12 ms (pid 3, by read a::b(int, c<d>))", "12 ms (pid 3, by read a::b)"},
        {"a::b(int, and a::c<d", "a::b(int, and a::c<d"}, // what does not close
        {"plain(int) <b>x</b> ))>]}({[<", "plain(int) <b>x</b> ))>]}({[<"},
        {ENTRY("", "a::b(int", " 2 ms") UVS__ENTRY_NEXT ENTRY("", "c::d(int)", " 1 ms"),
         ENTRY("", "a::b(int", " 2 ms") UVS__ENTRY_NEXT ENTRY("", "c::d", " 1 ms")},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        assert_string_equal(shorten(table[i].text), table[i].shortened);
    // Of a name that is still too long its own end is kept.
    FILE *out = begin();
    uvs__print_cut(out, "node::Make<uv_fs_s, …>::Wrap", 10);
    assert_string_equal(end(out), "… …>::Wrap");
}

// Whatever the brackets: what comes out has nothing that was not there, but for ellipses and what is before
// them.
static void test_shortening_of_noise(void **state)
{
    (void)state;
    static const char signs[] = "::::ab()<>{}[], -&";
    uint32_t seed = 1;
    for (int round = 0; round < 5000; round++) {
        char text[40];
        for (size_t i = 0; i < sizeof(text) - 1; i++)
            text[i] = signs[((seed = seed * 1664525 + 1013904223) >> 24) % (sizeof(signs) - 1)];
        text[sizeof(text) - 1] = '\0';
        const char *at = text;
        for (const char *c = shorten(text); *c; c++) {
            const char *left_out = strncmp(c, ", …", strlen(", …")) == 0 ? ", …" : "…";
            if (strncmp(c, left_out, strlen(left_out)) == 0) {
                c += strlen(left_out) - 1;
                continue;
            }
            while (*at && *at != *c)
                at++;
            assert_true(*at++ == *c);
        }
    }
}

static const char *lay_out(const struct uvs__look *look, const char *text)
{
    struct uvs__prose prose;
    FILE *out = begin();
    fputs("12 ", out);
    fputs(text, uvs__prose_begin(&prose, out));
    uvs__prose_end(&prose, look, 3, 5);
    return end(out);
}

static void test_sentences_are_wrapped(void **state)
{
    (void)state;
    const struct uvs__look narrow = {.width = 20, .short_names = true}, plain = {0};
    const char *text = "a::b(int, int) ran for 12.5 ms, µ.";
    assert_string_equal(lay_out(&plain, text), "12 a::b(int, int) ran for 12.5 ms, µ.");
    // A figure and its unit stay together.
    assert_string_equal(lay_out(&narrow, text), "12 a::b ran for\n     12.5 ms, µ.");
    assert_string_equal(lay_out(&narrow, "short aWordThatIsWiderThanItsLine end"),
                        "12 short\n     aWordThatIsWiderThanItsLine\n     end");
}

static const char *escape(const char *text)
{
    FILE *out = begin();
    uvs__print_escaped(out, text);
    return end(out);
}

static void test_escaping(void **state)
{
    (void)state;
    static const struct {
        const char *text, *escaped;
    } table[] = {
        {"plain µ 漢", "plain µ 漢"},
        {"\x1b[31mred", "\\x1b[31mred"},
        {"a\nb\tc\rd\x7f", "a\\nb\\tc\\rd\\x7f"},
        {"\xff\xfe", "\\xff\\xfe"},
        {"\xc0\x80", "\\xc0\\x80"},          // overlong
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, // surrogate
        {"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
        {"\xc3", "\\xc3"}, // cut
        {"\xc2\x9b"
         "31m",
         "\\u{9b}31m"},
        {"\u202egnp", "\\u{202e}gnp"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        assert_string_equal(escape(table[i].text), table[i].escaped);
}

// Whatever the bytes: what comes out has no control character and is no wider than what was asked for.
static void test_escaping_of_noise(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (int round = 0; round < 2000; round++) {
        char text[32];
        for (size_t i = 0; i < sizeof(text) - 1; i++)
            text[i] = (char)((seed = seed * 1664525 + 1013904223) >> 24);
        text[sizeof(text) - 1] = '\0';
        char *escaped = strdup(escape(text));
        for (const char *c = escaped; *c; c++)
            assert_false((unsigned char)*c < 0x20 || *c == 0x7f);
        assert_string_equal(escape(escaped), escaped);
        FILE *out = begin();
        uvs__print_cut(out, escaped, (size_t)round % 40);
        assert_true(uvs__text_width(end(out)) <= (size_t)round % 40);
        free(escaped);
    }
}

static void test_widths(void **state)
{
    (void)state;
    assert_int_equal(uvs__text_width(""), 0);
    assert_int_equal(uvs__text_width("µs"), 2);
    assert_int_equal(uvs__text_width("e\u0301"), 1);
}

static const char *print_moment(uint64_t ns)
{
    FILE *out = begin();
    uvs__print_moment(out, ns);
    return end(out);
}

static const char *print_ratio(double ratio)
{
    FILE *out = begin();
    uvs__print_ratio(out, ratio);
    return end(out);
}

static const char *print_count(uint64_t number)
{
    FILE *out = begin();
    uvs__print_count(out, number);
    return end(out);
}

static void test_figures(void **state)
{
    (void)state;
    assert_string_equal(print_moment(1203999999), "1.203 s");
    assert_string_equal(print_moment(0), "0.000 s");
    assert_string_equal(print_ratio(0.9984), "99.8 %");
    assert_string_equal(print_ratio(-1), "-");
    assert_string_equal(print_count(0), "0");
    assert_string_equal(print_count(999), "999");
    assert_string_equal(print_count(1000), "1,000");
    assert_string_equal(print_count(UVS_ABSENT), "-");
    assert_string_equal(print_count(UVS_ABSENT - 1), "18,446,744,073,709,551,614");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_columns_align, forget),
        cmocka_unit_test_teardown(test_unknown_columns_are_left_out, forget),
        cmocka_unit_test_teardown(test_rows_beyond_top_are_counted, forget),
        cmocka_unit_test_teardown(test_only_names_give_way, forget),
        cmocka_unit_test_teardown(test_columns_give_way, forget),
        cmocka_unit_test_teardown(test_entries_are_cut_each_by_itself, forget),
        cmocka_unit_test_teardown(test_entries_are_no_wider_than_their_column, forget),
        cmocka_unit_test_teardown(test_names_are_shortened, forget),
        cmocka_unit_test_teardown(test_shortening_of_noise, forget),
        cmocka_unit_test_teardown(test_sentences_are_wrapped, forget),
        cmocka_unit_test_teardown(test_escaping, forget),
        cmocka_unit_test_teardown(test_escaping_of_noise, forget),
        cmocka_unit_test(test_widths),
        cmocka_unit_test_teardown(test_figures, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
