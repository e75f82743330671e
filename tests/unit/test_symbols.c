// SPDX-License-Identifier: MIT
// Addresses of this very program to names, with the debug information inside, beside, elsewhere, or gone.
#include "analysis/symbols.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { PID = 7 };

// What a `module` event says about this program.
struct self {
    uint64_t base, end, bias;
    char build_id[64];
    char path[512];
};

static struct self self;
static char directory[] = "/tmp/uvscope-test-XXXXXX";

__attribute__((noinline)) static void plain_function(void)
{
    __asm__ volatile("");
}
enum { PLAIN_LINE = __LINE__ - 4 };

void mangled_function(void) __asm__("_ZN5space8functionEi");
__attribute__((noinline)) void mangled_function(void)
{
    __asm__ volatile("");
}

void cloned_function(void) __asm__("cloned_function.constprop.0");
__attribute__((noinline)) void cloned_function(void)
{
    __asm__ volatile("");
}

__attribute__((noinline)) static uint64_t return_address(void)
{
    return (uint64_t)(uintptr_t)__builtin_return_address(0);
}

__attribute__((noinline)) static uint64_t call_from_known_line(void)
{
    const uint64_t address = return_address();
    __asm__ volatile("");
    return address;
}
enum { CALL_LINE = __LINE__ - 4 };

__attribute__((always_inline)) static inline uint64_t call_from_inlined(void)
{
    return return_address() + 0 * (uint64_t)getpid();
}
enum { INNER_LINE = __LINE__ - 2 };

__attribute__((noinline)) static uint64_t call_from_inliner(void)
{
    const uint64_t address = call_from_inlined();
    __asm__ volatile("");
    return address;
}
enum { OUTER_LINE = __LINE__ - 4 };

static uint64_t address_of(void (*function)(void))
{
    return (uint64_t)(uintptr_t)function;
}

static void read_build_id(const char *notes, size_t size)
{
    for (size_t at = 0; at + sizeof(ElfW(Nhdr)) <= size;) {
        const ElfW(Nhdr) *note = (const void *)(notes + at);
        const unsigned char *bytes = (const unsigned char *)(note + 1) + ((note->n_namesz + 3u) & ~3u);
        if (note->n_type == NT_GNU_BUILD_ID)
            for (unsigned i = 0; i < note->n_descsz; i++)
                snprintf(self.build_id + 2 * i, 3, "%02x", bytes[i]);
        at += sizeof(*note) + ((note->n_namesz + 3u) & ~3u) + ((note->n_descsz + 3u) & ~3u);
    }
}

static int read_self(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    (void)data;
    self.bias = info->dlpi_addr;
    self.base = UINT64_MAX;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        const uint64_t begin = self.bias + header->p_vaddr, end = begin + header->p_memsz;
        if (header->p_type == PT_NOTE)
            read_build_id((const char *)(uintptr_t)begin, header->p_memsz);
        if (header->p_type != PT_LOAD)
            continue;
        self.base = begin < self.base ? begin : self.base;
        self.end = end > self.end ? end : self.end;
    }
    return 1; // the program itself comes first
}

static struct uvs_symbols *create(const char *recording, const char *build_id, const char *path)
{
    struct uvs_symbols *symbols;
    assert_int_equal(uvs_symbols_create(recording, &symbols, NULL), 0);
    assert_int_equal(
        uvs_symbols_add_module(symbols, PID, self.base, self.end - self.base, self.bias, build_id, path), 0);
    return symbols;
}

static void expect_label(struct uvs_symbols *symbols, uint64_t address, bool is_return, const char *label)
{
    struct uvs_site site;
    uvs_symbols_resolve(symbols, PID, address, is_return, &site);
    assert_string_equal(site.label, label);
    assert_true(site.address == address);
}

static void expect_plain(struct uvs_symbols *symbols)
{
    char label[128];
    snprintf(label, sizeof(label), "plain_function (test_symbols.c:%d)", PLAIN_LINE);
    expect_label(symbols, address_of(plain_function), false, label);
}

static void expect_offset(struct uvs_symbols *symbols, const char *module)
{
    char label[600];
    snprintf(label, sizeof(label), "%s+0x%" PRIx64, module, address_of(plain_function) - self.bias);
    expect_label(symbols, address_of(plain_function), false, label);
}

static char *in_directory(const char *name)
{
    static char path[600];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static void shell(const char *format, ...) __attribute__((format(__printf__, 1, 2)));
static void shell(const char *format, ...)
{
    char command[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    assert_int_equal(system(command), 0);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void a_callback_is_where_it_is_declared(void **state)
{
    (void)state;
    struct uvs_symbols *symbols = create(NULL, self.build_id, self.path);
    expect_plain(symbols);
    struct uvs_site site;
    uvs_symbols_resolve(symbols, PID, address_of(plain_function), false, &site);
    assert_string_equal(site.function, "plain_function");
    assert_string_equal(site.module, self.path);
    assert_int_equal(site.line, PLAIN_LINE);
    uvs_symbols_destroy(symbols);
}

static void a_return_address_is_where_the_call_is(void **state)
{
    (void)state;
    struct uvs_symbols *symbols = create(NULL, self.build_id, self.path);
    char label[128];
    snprintf(label, sizeof(label), "call_from_known_line (test_symbols.c:%d)", CALL_LINE);
    expect_label(symbols, call_from_known_line(), true, label);
    uvs_symbols_destroy(symbols);
}

static void expect_inliner(struct uvs_symbols *symbols, uint64_t address)
{
    struct uvs_site site;
    char label[128];
    snprintf(label, sizeof(label), "call_from_inlined (test_symbols.c:%d)", INNER_LINE);
    expect_label(symbols, address, true, label);
    assert_int_equal(uvs_symbols_resolve_inliner(symbols, PID, address, 1, &site), 1);
    snprintf(label, sizeof(label), "call_from_inliner (test_symbols.c:%d)", OUTER_LINE);
    assert_string_equal(site.label, label);
    assert_true(site.address == address);
    assert_int_equal(uvs_symbols_resolve_inliner(symbols, PID, address, 2, &site), 0);
}

static void an_inlined_function_has_its_inliner(void **state)
{
    (void)state;
    struct uvs_symbols *symbols = create(NULL, self.build_id, self.path);
    struct uvs_site site;
    const uint64_t address = call_from_inliner();
    expect_inliner(symbols, address);
    assert_int_equal(uvs_symbols_resolve_inliner(symbols, PID, call_from_known_line(), 1, &site), 0);
    assert_int_equal(uvs_symbols_resolve_inliner(symbols, PID, address, 0, &site), 0);
    assert_int_equal(uvs_symbols_save(symbols, directory, NULL), 0);
    uvs_symbols_destroy(symbols);
    // Where the program is gone, by what was saved.
    symbols = create(directory, self.build_id, self.path);
    expect_inliner(symbols, address);
    uvs_symbols_destroy(symbols);
}

static void names_are_plain(void **state)
{
    (void)state;
    struct uvs_symbols *symbols = create(NULL, self.build_id, self.path);
    struct uvs_site site;
    uvs_symbols_resolve(symbols, PID, address_of(mangled_function), false, &site);
    assert_string_equal(site.function, "space::function(int)");
    uvs_symbols_resolve(symbols, PID, address_of(cloned_function), false, &site);
    assert_string_equal(site.function, "cloned_function");
    uvs_symbols_destroy(symbols);
}

static void outside_modules_only_the_address_is_known(void **state)
{
    (void)state;
    struct uvs_symbols *symbols = create(NULL, self.build_id, self.path);
    struct uvs_site site;
    expect_label(symbols, 0x10, false, "0x10");
    expect_label(symbols, 0, true, "0x0");
    uvs_symbols_resolve(symbols, PID + 1, address_of(plain_function), false, &site);
    assert_null(site.function);
    assert_null(site.module);
    uvs_symbols_destroy(symbols);
}

static void another_build_is_not_used(void **state)
{
    (void)state;
    struct uvs_symbols *symbols = create(NULL, "00112233", self.path);
    expect_offset(symbols, strrchr(self.path, '/') + 1);
    uvs_symbols_destroy(symbols);
    symbols = create(NULL, "", self.path);
    expect_offset(symbols, strrchr(self.path, '/') + 1);
    uvs_symbols_destroy(symbols);
}

static void what_is_no_readable_elf_file_gives_offsets(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(in_directory("fifo"), 0600), 0);
    write_text(in_directory("text"), "\177ELF, but not really");
    write_text(in_directory("empty"), "");
    static const char *const names[] = {"fifo", "text", "empty", "missing"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct uvs_symbols *symbols = create(NULL, self.build_id, in_directory(names[i]));
        expect_offset(symbols, names[i]);
        uvs_symbols_destroy(symbols);
    }
    struct uvs_symbols *symbols = create(NULL, "", "linux-vdso.so.1");
    expect_offset(symbols, "linux-vdso.so.1");
    uvs_symbols_destroy(symbols);
}

static void a_newer_module_takes_the_place(void **state)
{
    (void)state;
    struct uvs_symbols *symbols = create(NULL, self.build_id, self.path);
    expect_plain(symbols);
    const uint64_t size = self.end - self.base;
    assert_int_equal(
        uvs_symbols_add_module(symbols, PID, self.base, size, self.bias, "01", "/missing/new.so"), 0);
    expect_offset(symbols, "new.so");
    assert_int_equal(
        uvs_symbols_add_module(symbols, PID, self.base, size, self.bias, self.build_id, self.path), 0);
    expect_plain(symbols);
    uvs_symbols_destroy(symbols);
}

static void modules_of_nonsense_are_survived(void **state)
{
    (void)state;
    struct uvs_symbols *symbols = create(NULL, self.build_id, self.path);
    assert_int_equal(uvs_symbols_add_module(symbols, 1, UINT64_MAX - 5, UINT64_MAX, 1, "zz", ""), 0);
    assert_int_equal(uvs_symbols_add_module(symbols, 1, 0, 0, 0, "", ""), 0);
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(uvs_symbols_add_module(symbols, 2, i * 7, 10 + i * 3, i, "", "/missing"), 0);
    struct uvs_site site;
    uvs_symbols_resolve(symbols, 1, UINT64_MAX - 1, false, &site);
    assert_string_equal(site.label, "0xfffffffffffffffe");
    expect_plain(symbols);
    uvs_symbols_destroy(symbols);
}

static void debug_information_is_found_by_debuglink(void **state)
{
    (void)state;
    const char *name = strrchr(self.path, '/') + 1;
    shell("cd %s && mkdir -p .debug && objcopy --only-keep-debug %s .debug/%s.debug && "
          "objcopy --strip-all --add-gnu-debuglink=.debug/%s.debug %s stripped",
          directory, self.path, name, name, self.path);
    struct uvs_symbols *symbols = create(NULL, self.build_id, in_directory("stripped"));
    expect_plain(symbols);
    uvs_symbols_destroy(symbols);
    // Another build's debug information under the same name.
    shell("cd %s && objcopy --update-section .note.gnu.build-id=/dev/null .debug/%s.debug 2>/dev/null || "
          "cp /bin/true .debug/%s.debug",
          directory, name, name);
    symbols = create(NULL, self.build_id, in_directory("stripped"));
    expect_offset(symbols, "stripped");
    uvs_symbols_destroy(symbols);
}

static void symbols_outlive_the_program(void **state)
{
    (void)state;
    struct uvs_error error = {0};
    shell("cp %s %s", self.path, in_directory("copy"));
    struct uvs_symbols *symbols = create(directory, self.build_id, in_directory("copy"));
    expect_plain(symbols);
    expect_label(symbols, 0x10, false, "0x10");
    assert_int_equal(uvs_symbols_save(symbols, directory, &error), 0);
    uvs_symbols_destroy(symbols);

    struct stat facts;
    assert_int_equal(stat(in_directory("symbols.json"), &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    assert_int_equal(unlink(in_directory("copy")), 0);
    symbols = create(directory, self.build_id, in_directory("copy"));
    expect_plain(symbols);
    uvs_symbols_destroy(symbols);
    // What was learnt about one build says nothing of another.
    symbols = create(directory, "00", in_directory("copy"));
    expect_offset(symbols, "copy");
    uvs_symbols_destroy(symbols);
}

static void a_damaged_file_of_symbols_is_ignored(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "null",
        "{\"schema\": 2}",
        "{\"schema\": 1, \"objects\": 3}",
        "{\"schema\": 1, \"objects\": [3, {}, {\"path\": \"/x\", \"build_id\": \"\", \"symbols\": [1, {}, "
        "{\"address\": \"zz\", \"function\": \"f\"}, {\"address\": \"0x10\", \"function\": 5}, "
        "{\"address\": \"0x11\", \"function\": \"good\", \"line\": 99999999999}]}]}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        write_text(in_directory("symbols.json"), texts[i]);
        struct uvs_symbols *symbols = create(directory, self.build_id, self.path);
        assert_int_equal(uvs_symbols_add_module(symbols, 1, 0x1000, 0x1000, 0x1000, "", "/x"), 0);
        expect_plain(symbols);
        struct uvs_site site;
        uvs_symbols_resolve(symbols, 1, 0x1011, false, &site);
        assert_string_equal(site.label, i == 6 ? "good" : "x+0x11");
        uvs_symbols_destroy(symbols);
    }
}

static int set_up(void **state)
{
    (void)state;
    const ssize_t length = readlink("/proc/self/exe", self.path, sizeof(self.path) - 1);
    if (length < 0 || !mkdtemp(directory))
        return -1;
    dl_iterate_phdr(read_self, NULL);
    return self.build_id[0] ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    shell("rm -r %s", directory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_callback_is_where_it_is_declared),
        cmocka_unit_test(a_return_address_is_where_the_call_is),
        cmocka_unit_test(an_inlined_function_has_its_inliner),
        cmocka_unit_test(names_are_plain),
        cmocka_unit_test(outside_modules_only_the_address_is_known),
        cmocka_unit_test(another_build_is_not_used),
        cmocka_unit_test(what_is_no_readable_elf_file_gives_offsets),
        cmocka_unit_test(a_newer_module_takes_the_place),
        cmocka_unit_test(modules_of_nonsense_are_survived),
        cmocka_unit_test(debug_information_is_found_by_debuglink),
        cmocka_unit_test(symbols_outlive_the_program),
        cmocka_unit_test(a_damaged_file_of_symbols_is_ignored),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
