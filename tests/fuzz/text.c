// SPDX-License-Identifier: MIT
// A text event log, and with it spans, analyses and findings on events that no program could have emitted.
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_analyse(fuzz_write("log", data, size));
    return 0;
}
