// SPDX-License-Identifier: MIT
// One ELF file and its debug information: a link-time address to function, file and line.
#ifndef UVS_SYMBOLS_ELF_H
#define UVS_SYMBOLS_ELF_H

#include <stdbool.h>
#include <stdint.h>

struct uvs__elf;

// Strings are borrowed from the ELF file; NULL / 0 where unknown. function may be a mangled name.
struct uvs__elf_place {
    const char *function, *file;
    int line;
};

// NULL: path cannot be read, or is not the file whose build id (hexadecimal, "" none) was recorded.
struct uvs__elf *uvs__elf_open(const char *path, const char *build_id);
void uvs__elf_close(struct uvs__elf *elf);

// is_return: the place of the call before `address`, inlined functions included; else the function that
// begins or lies there and where it is declared.
struct uvs__elf_place uvs__elf_find(struct uvs__elf *elf, uint64_t address, bool is_return);
// Of a return address, the function that the one found there was inlined into (1), the one that that one was
// (2), …, and the line where. Nothing is known where it was not.
struct uvs__elf_place uvs__elf_find_inliner(struct uvs__elf *elf, uint64_t address, unsigned depth);

#endif
