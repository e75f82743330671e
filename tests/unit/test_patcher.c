// SPDX-License-Identifier: MIT
// The entry patcher on functions with every form of beginning: patched ones run through their wrapper and
// compute what they did before; refused ones are as they were.
#include "patch_samples.h"
#include "probes/patch.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PAGE = 4096, LINE = 64, ARGUMENTS = 6 };
static const int arguments[ARGUMENTS] = {0, 1, 2, 3, 4, 40};

__attribute__((used)) int sample_data = 3;
__asm__(".pushsection .text.samples, \"ax\"\nsample_helper: lea 100(%rdi), %eax\nret\n.popsection\n");

// One section, for cut_off, which has no return and runs on into the next one.
#define CODE(name, why, code)                                                                         \
    __asm__(".pushsection .text.samples, \"ax\"\n.globl sample_" #name "\n.hidden sample_" #name "\n" \
            ".type sample_" #name ", @function\nsample_" #name ": " code "\n"                         \
            ".size sample_" #name ", . - sample_" #name "\n"                                          \
            ".globl end_" #name "\n.hidden end_" #name "\nend_" #name ":\n.popsection");              \
    int sample_##name(int);                                                                           \
    extern const char end_##name[];
PATCH_SAMPLES(CODE)

enum {
#define INDEX(name, why, code) INDEX_##name,
    PATCH_SAMPLES(INDEX) COUNT
};

static unsigned calls[COUNT];
static int (*real[COUNT])(int);

#define WRAPPER(name, why, code)             \
    static int wrap_##name(int argument)     \
    {                                        \
        calls[INDEX_##name]++;               \
        return real[INDEX_##name](argument); \
    }
PATCH_SAMPLES(WRAPPER)

struct sample {
    const char *name, *refused;
    int (*function)(int), (*wrapper)(int);
    const char *end;
};
#define ROW(name, why, code) {#name, why, sample_##name, wrap_##name, end_##name},
static const struct sample samples[COUNT] = {PATCH_SAMPLES(ROW)};

static void fill(struct uvs_patch patches[COUNT])
{
    for (size_t i = 0; i < COUNT; i++) {
        const struct sample *sample = &samples[i];
        patches[i] = (struct uvs_patch){.name = sample->name,
                                        .target = (void *)sample->function,
                                        .size = (size_t)(sample->end - (const char *)sample->function),
                                        .wrapper = (void *)sample->wrapper,
                                        .real = (void **)&real[i]};
    }
}

static void run_samples(int results[COUNT][ARGUMENTS])
{
    for (size_t i = 0; i < COUNT; i++)
        for (size_t a = 0; a < ARGUMENTS; a++)
            results[i][a] = samples[i].function(arguments[a]);
}

// --- Where the system does not allow it ---

// mprotect with exactly this protection fails, and nothing else does.
static bool forbid_protection(uint32_t protection)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, protection, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static bool is_left_alone(uint32_t protection, const char *why)
{
    static struct uvs_patch patches[COUNT];
    static int before[COUNT][ARGUMENTS], after[COUNT][ARGUMENTS];
    run_samples(before);
    fill(patches);
    if (!forbid_protection(protection) || uvs_patch_functions(patches, COUNT) != 0)
        return false;
    for (size_t i = 0; i < COUNT; i++)
        if (!patches[i].refused || (!samples[i].refused && !strstr(patches[i].refused, why)) ||
            real[i] != samples[i].function)
            return false;
    run_samples(after);
    return memcmp(before, after, sizeof(before)) == 0 && calls[0] == 0;
}

static void check_left_alone(uint32_t protection, const char *why)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(is_left_alone(protection, why) ? 0 : 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_no_new_executable_memory(void **state)
{
    (void)state;
    check_left_alone(PROT_READ | PROT_EXEC, "new executable memory");
}

static void test_code_cannot_be_changed(void **state)
{
    (void)state;
    check_left_alone(PROT_READ | PROT_WRITE | PROT_EXEC, "to be changed");
}

// --- Where it does ---

// "r-xp" and the like of the mapping that has this address.
static void read_protection(const void *address, char ret_text[5])
{
    char line[512];
    ret_text[0] = '\0';
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps)) {
        uintptr_t begin, end;
        char text[5];
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &begin, &end, text) == 3 &&
            (uintptr_t)address >= begin && (uintptr_t)address < end)
            memcpy(ret_text, text, sizeof(text));
    }
    fclose(maps);
}

static void assert_only_executable(const void *address)
{
    char text[5];
    read_protection(address, text);
    assert_string_equal(text, "r-xp");
}

static void check_sample(const struct uvs_patch *patch, const struct sample *sample, size_t index)
{
    unsigned called = calls[index];
    if (sample->refused) {
        if (!patch->refused || !strstr(patch->refused, sample->refused))
            fail_msg("%s: refused: %s", sample->name, patch->refused ? patch->refused : "no");
        assert_ptr_equal(real[index], sample->function);
        assert_int_equal(called, 0);
        return;
    }
    if (patch->refused)
        fail_msg("%s: refused: %s", sample->name, patch->refused);
    assert_ptr_not_equal(real[index], sample->function);
    if (index == INDEX_recursive)
        assert_true(called > ARGUMENTS); // its calls of itself pass the wrapper too
    else
        assert_int_equal(called, ARGUMENTS);
    assert_only_executable((const void *)real[index]);
    // What the wrapper calls, and the entry's jump leads to behind it, begin with a line of the cache.
    assert_int_equal((uintptr_t)real[index] % LINE, 0);
}

static void test_every_form(void **state)
{
    (void)state;
    static struct uvs_patch patches[COUNT];
    static int before[COUNT][ARGUMENTS], after[COUNT][ARGUMENTS];
    size_t patched = 0;
    run_samples(before);
    fill(patches);
    size_t said = uvs_patch_functions(patches, COUNT);
    run_samples(after);
    for (size_t i = 0; i < COUNT; i++) {
        check_sample(&patches[i], &samples[i], i);
        assert_only_executable((const void *)samples[i].function);
        assert_memory_equal(before[i], after[i], sizeof(before[i]));
        patched += patches[i].refused == NULL;
    }
    assert_int_equal(said, patched);
    assert_memory_equal((const void *)samples[INDEX_marked].function, "\xf3\x0f\x1e\xfa\xe9", 5);
}

// --- Placed by hand ---

static const uint8_t ADD_ONE[] = {0x55, 0x48, 0x89, 0xe5, 0x8d, 0x47, 0x01, 0x5d, 0xc3}; // plain's code
static unsigned placed_calls;
static int (*placed_real)(int);

static int wrap_placed(int argument)
{
    placed_calls++;
    return placed_real(argument);
}

static struct uvs_patch place(uint8_t *pages, size_t size, size_t offset)
{
    memcpy(pages + offset, ADD_ONE, sizeof(ADD_ONE));
    assert_int_equal(mprotect(pages, size, PROT_READ | PROT_EXEC), 0);
    return (struct uvs_patch){.name = "placed",
                              .target = pages + offset,
                              .size = sizeof(ADD_ONE),
                              .wrapper = (void *)wrap_placed,
                              .real = (void **)&placed_real};
}

static uint8_t *map_pages(void *wanted)
{
    uint8_t *pages = mmap(wanted, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(pages, MAP_FAILED);
    return pages;
}

static int call(const struct uvs_patch *patch, int argument)
{
    int (*function)(int);
    memcpy(&function, &patch->target, sizeof(function));
    return function(argument);
}

static void test_entry_across_pages(void **state)
{
    (void)state;
    uint8_t *pages = map_pages(NULL);
    struct uvs_patch patch = place(pages, 2 * PAGE, PAGE - 2);
    placed_calls = 0;
    assert_int_equal(uvs_patch_functions(&patch, 1), 1);
    assert_int_equal(call(&patch, 41), 42);
    assert_int_equal(placed_calls, 1);
    assert_only_executable(pages);
    assert_only_executable(pages + PAGE);
}

static void check_refused(struct uvs_patch *patch, const char *why)
{
    placed_calls = 0;
    assert_non_null(patch->refused);
    assert_non_null(strstr(patch->refused, why));
    assert_ptr_equal(*patch->real, patch->target);
    assert_int_equal(call(patch, 41), 42);
    assert_int_equal(placed_calls, 0);
}

static void test_unknown_size(void **state)
{
    (void)state;
    struct uvs_patch patch = place(map_pages(NULL), 2 * PAGE, 0);
    patch.size = 0;
    assert_int_equal(uvs_patch_functions(&patch, 1), 0);
    check_refused(&patch, "size is not known");
}

static void test_two_names_of_one_function(void **state)
{
    (void)state;
    static void *other_real;
    struct uvs_patch first = place(map_pages(NULL), 2 * PAGE, 64);
    struct uvs_patch patches[] = {first, first};
    patches[1].real = &other_real;
    assert_int_equal(uvs_patch_functions(patches, 2), 0);
    check_refused(&patches[0], "another function too");
    check_refused(&patches[1], "another function too");
}

// Trampolines are near the first function: one that is more than 2 GiB away stays as it is.
static void test_out_of_reach(void **state)
{
    (void)state;
    uint8_t *near = map_pages(NULL), *far = map_pages(near - (6ull << 30));
    assert_true(near - far > INT32_MAX || far - near > INT32_MAX);
    struct uvs_patch patches[] = {place(near, 2 * PAGE, 0), place(far, 2 * PAGE, 0)};
    static void *far_real;
    patches[1].real = &far_real;
    assert_int_equal(uvs_patch_functions(patches, 2), 1);
    check_refused(&patches[1], "within reach");
    assert_int_equal(call(&patches[0], 41), 42);
    assert_int_equal(placed_calls, 1);
}

static void test_nothing_to_do(void **state)
{
    (void)state;
    assert_int_equal(uvs_patch_functions(NULL, 0), 0);
}

// --- Constants ---

static int64_t constant_of(const char *bytes, size_t size)
{
    uint8_t code[64];
    memset(code, 0xcc, sizeof(code));
    memcpy(code, bytes, size);
    return uvs_constant_of(code);
}

static void test_constants(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        int64_t constant;
    } cases[] = {
#define CASE(bytes, constant) {bytes, sizeof(bytes) - 1, constant}
        CASE("\xb8\x00\x2e\x01\x00\xc3", 0x12e00),                        // mov, ret
        CASE("\xf3\x0f\x1e\xfa\xb8\x00\x2e\x01\x00\xc3", 0x12e00),        // endbr64 before
        CASE("\x55\x48\x89\xe5\xb8\x50\x03\x00\x00\x5d\xc3", 848),        // with a frame
        CASE("\xb8\xff\xff\xff\xff\xc3", UINT32_MAX),                     // not a sign
        CASE("\xc3", -1),                                                 // nothing returned
        CASE("\xe8\x00\x00\x00\x00\xc3", -1),                             // calls something, as stand-ins do
        CASE("\x50\xb8\x01\x00\x00\x00\xe8\x00\x00\x00\x00\x58\xc3", -1), // the same in a frame
        CASE("\x0f\x0b", -1),                                             // ud2
        CASE("\x8b\x05\x00\x00\x00\x00\xc3", -1),                         // from memory
        CASE("\x06", -1),                                                 // no code
        CASE("\xb8\x01\x00\x00\x00\xb8\x01\x00\x00\x00\xb8\x01\x00\x00\x00"
             "\xb8\x01\x00\x00\x00\xb8\x01\x00\x00\x00\xb8\x01\x00\x00\x00\xc3",
             -1), // too long for one
#undef CASE
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(constant_of(cases[i].bytes, cases[i].size), cases[i].constant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_new_executable_memory), // before the samples are patched
        cmocka_unit_test(test_code_cannot_be_changed),
        cmocka_unit_test(test_every_form),
        cmocka_unit_test(test_entry_across_pages),
        cmocka_unit_test(test_unknown_size),
        cmocka_unit_test(test_two_names_of_one_function),
        cmocka_unit_test(test_out_of_reach),
        cmocka_unit_test(test_nothing_to_do),
        cmocka_unit_test(test_constants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
