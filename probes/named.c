// SPDX-License-Identifier: MIT
// Reads the file of UVS_NAMED_FORMAT, in uvs_abi.h. It may be about another program: the environment goes on
// to children. What is not exactly as it must be is not believed.
#include "probes/named.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probes/environment.h"
#include "probes/hooks.h"
#include "probes/object.h"
#include "probes/runtime.h"

#include "probes/poison.h"

enum { FILE_MAX_BYTES = 1 << 20, WORD_MAX = 160 };

struct text {
    const char *at, *end;
};

struct executable {
    uintptr_t bias, begin, end; // of its code
    char build_id[UVS_BUILD_ID_TEXT];
};

static int look_at_first(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    struct executable *executable = data;
    executable->bias = info->dlpi_addr;
    uvs__read_build_id(info, executable->build_id);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
            continue;
        executable->begin = info->dlpi_addr + segment->p_vaddr;
        executable->end = executable->begin + segment->p_filesz;
    }
    return 1; // the executable comes first
}

// The next word of the line or, at its end, of the next one. False at the end, and for a word that is too
// long.
static bool next_word(struct text *text, char word[WORD_MAX])
{
    while (text->at < text->end && (*text->at == ' ' || *text->at == '\n'))
        text->at++;
    size_t length = 0;
    for (; text->at < text->end && *text->at != ' ' && *text->at != '\n'; text->at++) {
        if (length == WORD_MAX - 1)
            return false;
        word[length++] = *text->at;
    }
    word[length] = '\0';
    return length > 0;
}

static bool next_number(struct text *text, uint64_t *ret_number)
{
    char word[WORD_MAX], *end;
    if (!next_word(text, word))
        return false;
    *ret_number = strtoull(word, &end, 16);
    return *end == '\0';
}

static bool is_about(struct text *text, const struct executable *executable)
{
    char word[WORD_MAX];
    if (!next_word(text, word) || strcmp(word, UVS_NAMED_FORMAT) != 0 || !next_word(text, word))
        return false;
    return executable->build_id[0] && strcmp(word, executable->build_id) == 0;
}

static void take(const char *name, uintptr_t at, size_t size, size_t *ret_sizes)
{
    for (size_t i = 0; i < UVS_LIBUV_HOOK_COUNT; i++) {
        if (strcmp(uvs__libuv_hooks[i].name, name) != 0)
            continue;
        *uvs__libuv_hooks[i].real = (void *)at;
        ret_sizes[i] = size;
    }
}

static bool read_names(struct text *text, const struct executable *executable, size_t *ret_sizes)
{
    char name[WORD_MAX];
    while (next_word(text, name)) {
        uint64_t address, size;
        if (!next_number(text, &address) || !next_number(text, &size))
            return false;
        uintptr_t at = executable->bias + address;
        if (at < executable->begin || at >= executable->end || size > executable->end - at)
            return false;
        take(name, at, size, ret_sizes);
    }
    return text->at == text->end && uvs__real.uv_run;
}

static bool read_text(struct text text, size_t *ret_sizes)
{
    struct executable executable = {0};
    dl_iterate_phdr(look_at_first, &executable);
    if (!is_about(&text, &executable))
        return false;
    if (read_names(&text, &executable, ret_sizes))
        return true;
    uvs__debug("%s is damaged: the libuv in the executable is not hooked", uvs__environment.UVSCOPE_LIBUV);
    for (size_t i = 0; i < UVS_LIBUV_HOOK_COUNT; i++)
        *uvs__libuv_hooks[i].real = NULL;
    return false;
}

bool uvs__find_named(size_t *ret_sizes)
{
    const char *path = uvs__environment.UVSCOPE_LIBUV;
    int file = path ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
    if (file < 0)
        return false;
    struct stat status;
    const char *mapped = MAP_FAILED;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
        status.st_size < FILE_MAX_BYTES)
        mapped = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    UVS_REAL_LIBC(close)(file);
    if (mapped == MAP_FAILED)
        return false;
    bool found = read_text((struct text){mapped, mapped + status.st_size}, ret_sizes);
    munmap((void *)mapped, (size_t)status.st_size);
    return found;
}
