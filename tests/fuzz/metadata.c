// SPDX-License-Identifier: MIT
// A metadata file before libbabeltrace2 sees it, and streams that are checked against it: the first byte says
// how much of the input, in 256ths, is metadata. libbabeltrace2's own reading of it is tried out of process:
// damage.py.
#include "fuzz.h"

#include "analysis/ctf_inputs.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t share = fuzz_take_byte(&data, &size) + 1u;
    const size_t length = size * share / 256;
    fuzz_write("metadata", data, length);
    fuzz_write("ch_0", data + length, size - length);
    struct uvs__ctf_inputs inputs;
    struct uvs_error error = {0};
    if (uvs__ctf_inputs_find(fuzz_directory(), 0, &inputs, &error) < 0 || inputs.count != 1)
        abort();
    if (!inputs.items[0].readable && !inputs.items[0].damage)
        abort();
    uvs__ctf_inputs_clear(&inputs);
    return 0;
}
