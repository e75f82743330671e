// SPDX-License-Identifier: MIT
// What a loaded object says of itself: its symbols, relocations and build id, read where the loader put them.
#ifndef UVS_OBJECT_H
#define UVS_OBJECT_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UVS_BUILD_ID_TEXT = 2 * 64 + 1 };

struct uvs__object {
    uintptr_t begin, end; // what is mapped of it
    uintptr_t bias;       // address = its file's address + bias
    const ElfW(Sym) * symbols;
    const char *strings;
    const uint32_t *gnu_hash; // NULL: it has only the old table
    struct {
        const ElfW(Rela) * rows;
        size_t bytes;
    } relocations[2];                 // PLT slots, and the GOT of -fno-plt
    char build_id[UVS_BUILD_ID_TEXT]; // in hex; "" when it has none
};

// The object that `inside` lies in. False: none, or one without symbols.
bool uvs__object_of(const void *inside, struct uvs__object *ret_object);

// How large the exported function of this name is; 0 when it is not there. By the hash: of a large
// executable's symbols there are tens of thousands, and dladdr looks at all of them.
size_t uvs__exported_size(const struct uvs__object *object, const char *name);

// Whether it calls `name` through a slot that the dynamic linker fills.
bool uvs__calls_by_slot(const struct uvs__object *object, const char *name);

// The build id in hex, from the object's own mapped notes; "" when it has none.
void uvs__read_build_id(const struct dl_phdr_info *object, char ret_hex[UVS_BUILD_ID_TEXT]);

#endif
