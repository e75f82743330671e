// SPDX-License-Identifier: MIT
// The JSON files of a recording: uvscope.json, or, after an odd first byte, symbols.json.
#include "fuzz.h"

#include "analysis/recording.h"
#include "analysis/symbols_cache.h"

#include <stdlib.h>

static void read_recording(const char *directory)
{
    struct uvs_error error = {0};
    struct uvs_recording recording;
    const int result = uvs_recording_load(directory, &recording, &error);
    if (result < 0 && !error.text[0])
        abort();
    if (result <= 0)
        return;
    // What was believed must be written and read again.
    if (uvs_recording_save(directory, &recording, &error) < 0)
        abort();
    uvs_recording_clear(&recording);
    if (uvs_recording_load(directory, &recording, &error) <= 0)
        abort();
    uvs_recording_clear(&recording);
}

static void read_symbols(const char *directory)
{
    struct uvs_error error = {0};
    struct uvs__symbol_cache cache = {0};
    if (uvs__symbol_cache_load(&cache, directory, &error) < 0)
        abort();
    const size_t count = cache.symbol_count;
    if (uvs__symbol_cache_save(&cache, directory, &error) < 0)
        abort();
    uvs__symbol_cache_clear(&cache);
    if (uvs__symbol_cache_load(&cache, directory, &error) < 0 || cache.symbol_count != count)
        abort();
    uvs__symbol_cache_clear(&cache);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const int is_symbols = fuzz_take_byte(&data, &size) & 1;
    fuzz_write(is_symbols ? UVS_RECORDING_SYMBOLS : UVS_RECORDING_FILE, data, size);
    if (is_symbols)
        read_symbols(fuzz_directory());
    else
        read_recording(fuzz_directory());
    return 0;
}
