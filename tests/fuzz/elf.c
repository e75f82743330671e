// SPDX-License-Identifier: MIT
// An ELF file with debug information that a trace names: what symbolizing it reads. The first bytes are the
// link-time addresses to look at, as many as the first of them says.
#include "fuzz.h"

#include "analysis/symbols_elf.h"

#include <string.h>

// What tests/fuzz/CMakeLists.txt links the seed with.
#define BUILD_ID "00112233445566778899aabbccddeeff00112233"

static void look_at(struct uvs__elf *elf, uint64_t address)
{
    for (int is_return = 0; is_return < 2; is_return++) {
        const struct uvs__elf_place place = uvs__elf_find(elf, address, is_return);
        fuzz_seen += place.function ? strlen(place.function) : 0;
        fuzz_seen += place.file ? strlen(place.file) : 0;
    }
    for (unsigned depth = 1; depth < 4; depth++) {
        const struct uvs__elf_place place = uvs__elf_find_inliner(elf, address, depth);
        fuzz_seen += place.function ? strlen(place.function) : 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t addresses = fuzz_take_byte(&data, &size) % 8;
    uint64_t at[8] = {0};
    for (uint8_t i = 0; i < addresses; i++)
        at[i] = (uint64_t)fuzz_take_byte(&data, &size) << 8 | fuzz_take_byte(&data, &size);
    struct uvs__elf *elf = uvs__elf_open(fuzz_write("object", data, size), BUILD_ID);
    for (uint8_t i = 0; elf && i < addresses; i++)
        look_at(elf, at[i]);
    uvs__elf_close(elf);
    return 0;
}
