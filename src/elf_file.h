// SPDX-License-Identifier: MIT
// An ELF file on disk: what the loader would make of it, and where its functions are.
#ifndef UVS_ELF_FILE_H
#define UVS_ELF_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uvs_elf_facts {
    int class, machine;
    char interpreter[PATH_MAX]; // "" when it has none: statically linked, or a library
    bool exports_uv_run;
};

// False when fd is no ELF file.
bool uvs__elf_facts(int fd, struct uvs_elf_facts *ret_facts);
// Of this executable.
bool uvs__elf_own_facts(struct uvs_elf_facts *ret_facts);

// The whole file in memory, private and writable: what is done to it does not reach the disk.
struct uvs_elf_image {
    uint8_t *bytes;
    size_t size;
};

bool uvs__elf_map(const char *path, struct uvs_elf_image *ret_image);
void uvs__elf_unmap(struct uvs_elf_image *image);

struct uvs_elf_function {
    const char *name; // in the image
    uint8_t *code;    // in the image
    uint64_t address; // as linked
    size_t size;      // as the symbol says; 0 = it does not
};

enum uvs_elf_table { UVS_ELF_EXPORTED, UVS_ELF_ALL }; // .dynsym, .symtab

// Calls `visit` for each function that the table defines, until it returns true; whether it did.
bool uvs__elf_functions(const struct uvs_elf_image *image, enum uvs_elf_table table,
                        bool (*visit)(const struct uvs_elf_function *function, void *data), void *data);
// The one of that name.
bool uvs__elf_function(const struct uvs_elf_image *image, enum uvs_elf_table table, const char *name,
                       struct uvs_elf_function *ret_function);

enum { UVS_ELF_BUILD_ID_TEXT = 2 * 64 + 1 };

// In hex. False when it has none.
bool uvs__elf_build_id(const struct uvs_elf_image *image, char ret_hex[UVS_ELF_BUILD_ID_TEXT]);

// Whether the dynamic linker fills a slot for a call of `name`, even of the file's own.
bool uvs__elf_has_slot(const struct uvs_elf_image *image, const char *name);

#endif
