// SPDX-License-Identifier: MIT
// A whole trace directory: true metadata, and two streams, the second as long as the first two bytes say. It
// is checked, repaired, read by the fast reader and analysed.
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int has_metadata;
    if (!has_metadata)
        fuzz_write_metadata();
    has_metadata = 1;
    size_t second = fuzz_take_byte(&data, &size);
    second = second << 8 | fuzz_take_byte(&data, &size);
    if (second > size)
        second = size;
    fuzz_write("ch_0", data, size - second);
    fuzz_write("ch_1", data + size - second, second);
    fuzz_analyse(fuzz_directory());
    return 0;
}
