// SPDX-License-Identifier: MIT
// Reads the file of UVS_NAMED_FORMAT, in uvs_abi.h. It may be about other programs and libraries: the
// environment goes on to children. What is not exactly as it must be is not believed.
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

struct loaded {
    const char *build_id; // wanted
    size_t first, at;     // wanted from that object on
    bool found, is_executable;
    uintptr_t bias, begin, end; // of its code
    char path[4096];
};

static int look_for(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    struct loaded *loaded = data;
    char build_id[UVS_BUILD_ID_TEXT];
    uvs__read_build_id(info, build_id);
    if (loaded->at++ < loaded->first || strcmp(build_id, loaded->build_id) != 0)
        return 0;
    loaded->found = true;
    loaded->is_executable = !info->dlpi_name || !info->dlpi_name[0];
    loaded->bias = info->dlpi_addr;
    strncpy(loaded->path, loaded->is_executable ? "" : info->dlpi_name, sizeof(loaded->path) - 1);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
            continue;
        loaded->begin = info->dlpi_addr + segment->p_vaddr;
        loaded->end = loaded->begin + segment->p_filesz;
    }
    return 1;
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

// --- One object of the file ---

static bool is_hooked(const struct loaded *loaded)
{
    for (size_t i = 0; i < UVS_COPY_COUNT; i++) {
        const struct uvs__copy *copy = &uvs__copies[i];
        if (copy->is_hooked && copy->entry >= loaded->begin && copy->entry < loaded->end)
            return true;
    }
    return false;
}

// NULL: none is left.
static struct uvs__copy *free_copy(const struct loaded *loaded)
{
    for (size_t i = loaded->is_executable ? 0 : 1; i < UVS_COPY_COUNT; i++)
        if (!uvs__copies[i].is_hooked)
            return &uvs__copies[i];
    uvs__debug("the libuv in %s is not hooked: there are too many others", loaded->path);
    return NULL;
}

static void take(struct uvs__copy *copy, const char *name, uintptr_t at, size_t size, size_t *ret_sizes)
{
    for (size_t i = 0; i < UVS_LIBUV_HOOK_COUNT; i++) {
        if (strcmp(uvs__libuv_hooks[i].name, name) != 0)
            continue;
        *uvs__real_of(&uvs__libuv_hooks[i], copy) = (void *)at;
        ret_sizes[i] = size;
    }
}

// Until the next object, or the end.
static bool read_names(struct text *text, const struct loaded *loaded, struct uvs__copy *copy,
                       size_t *ret_sizes)
{
    char name[WORD_MAX];
    struct text before = *text;
    while (next_word(text, name)) {
        uint64_t address, size;
        if (strcmp(name, UVS_NAMED_FORMAT) == 0) {
            *text = before;
            return true;
        }
        if (!next_number(text, &address) || !next_number(text, &size))
            return false;
        before = *text;
        if (!copy)
            continue;
        uintptr_t at = loaded->bias + address;
        if (at < loaded->begin || at >= loaded->end || size > loaded->end - at)
            return false;
        take(copy, name, at, size, ret_sizes);
    }
    return text->at == text->end;
}

// False: nothing that follows can be believed.
static bool read_object(struct text *text, size_t first, uvs__hook_copy_t *hook, size_t *hooked)
{
    char word[WORD_MAX], build_id[WORD_MAX];
    if (!next_word(text, word) || strcmp(word, UVS_NAMED_FORMAT) != 0 || !next_word(text, build_id))
        return false;
    static struct loaded loaded; // too large for an unknown stack
    loaded = (struct loaded){.build_id = build_id, .first = first};
    dl_iterate_phdr(look_for, &loaded);
    struct uvs__copy *copy = loaded.found && !is_hooked(&loaded) ? free_copy(&loaded) : NULL;
    size_t sizes[UVS_LIBUV_HOOK_COUNT] = {0};
    if (!read_names(text, &loaded, copy, sizes) || (copy && !copy->real.uv_run)) {
        uvs__debug("%s is damaged: the libuv in %s is not hooked", uvs__environment.UVSCOPE_LIBUV,
                   loaded.path[0] ? loaded.path : "the executable");
        for (size_t i = 0; copy && i < UVS_LIBUV_HOOK_COUNT; i++)
            *uvs__real_of(&uvs__libuv_hooks[i], copy) = NULL;
        return false;
    }
    if (copy) {
        memcpy(copy->object, loaded.path, sizeof(copy->object));
        *hooked += hook(copy, sizes);
    }
    return true;
}

// --- The file ---

size_t uvs__each_named(size_t first, uvs__hook_copy_t *hook)
{
    const char *path = uvs__environment.UVSCOPE_LIBUV;
    int file = path ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
    if (file < 0)
        return 0;
    struct stat status;
    const char *mapped = MAP_FAILED;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
        status.st_size < FILE_MAX_BYTES)
        mapped = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    UVS_REAL_LIBC(close)(file);
    if (mapped == MAP_FAILED)
        return 0;
    size_t hooked = 0;
    struct text text = {mapped, mapped + status.st_size};
    while (text.at < text.end && read_object(&text, first, hook, &hooked))
        ;
    munmap((void *)mapped, (size_t)status.st_size);
    return hooked;
}
