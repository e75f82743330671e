// SPDX-License-Identifier: MIT
// Entries of .eh_frame: the one of an address, and a cursor over the bytes of any.
#ifndef UVS_CFI_ENTRY_H
#define UVS_CFI_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uvs__cfi_cursor {
    const unsigned char *at, *end;
    bool failed; // ran past the end, or met what is not known here
};

struct uvs__cfi_entry {
    struct uvs__cfi_cursor initial, program;
    uint64_t begin, end, code_alignment;
    int64_t data_alignment;
    bool is_signal_frame;
};

// What cannot be read fails the cursor, and is 0 or an empty block.
uint64_t uvs__cfi_read_bytes(struct uvs__cfi_cursor *cursor, size_t size);
int64_t uvs__cfi_read_signed(struct uvs__cfi_cursor *cursor, size_t size);
uint64_t uvs__cfi_read_uleb(struct uvs__cfi_cursor *cursor);
int64_t uvs__cfi_read_sleb(struct uvs__cfi_cursor *cursor);
struct uvs__cfi_cursor uvs__cfi_read_block(struct uvs__cfi_cursor *cursor);

// False where no table has the address, or its entry is not understood.
bool uvs__cfi_find_entry(uint64_t address, struct uvs__cfi_entry *ret_entry);

#endif
