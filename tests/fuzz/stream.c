// SPDX-License-Identifier: MIT
// One stream file, decoded by the fast reader with the layout of a true trace. That is learnt once, so this
// is the fast one of the targets that read CTF.
#include "fuzz.h"

#include "analysis/bt2_graph.h"
#include "analysis/fast_stream.h"
#include "tests/unit/ctf_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct uvs__ctf_layout layout;

// The tests' own trace, with a packet: without any, libbabeltrace2 says nothing about it.
static const char *write_trace(void)
{
    fuzz_write("ch_0", NULL, 0);
    fuzz_write_metadata();
    struct ctf_stream *stream = ctf_stream_open(fuzz_directory(), "ch_0");
    ctf_stream_packet(stream, 1, 2, 0, 0);
    ctf_stream_close(stream);
    return fuzz_directory();
}

static void learn(void)
{
    struct uvs__ctf_inputs inputs;
    const bt_trace_class *class = NULL;
    struct uvs_error error = {0};
    const char *trace = getenv("UVS_FUZZ_TRACE");
    if (uvs__ctf_inputs_find(trace ? trace : write_trace(), 0, &inputs, &error) < 0 || inputs.count != 1 ||
        uvs__bt2_trace_classes(&inputs, &class, &error) < 0 || !class ||
        uvs__ctf_layout_learn(&inputs.items[0], class, &layout, &error) <= 0) {
        fprintf(stderr, "the layout of the trace cannot be learnt: %s\n", error.text);
        exit(1);
    }
    bt_trace_class_put_ref(class);
    uvs__ctf_inputs_clear(&inputs);
}

static void read_all(struct uvs__fast_stream *stream)
{
    static uint64_t sequence[UINT8_MAX];
    struct uvs_error error = {0};
    struct uvs_event event;
    while (uvs__fast_stream_advance(stream, &error) == 0 && stream->head != UVS__FAST_END) {
        const uint64_t head_ns = stream->head_ns;
        uvs__fast_stream_take(stream, &event, sequence);
        if (event.time_ns != head_ns)
            abort();
        if (event.type == UVS_EV_process_info)
            fuzz_seen += strlen(event.process_info.exe) + strlen(event.process_info.argv);
        for (unsigned i = 0; event.type == UVS_EV_stall && i < event.stall.frames_count; i++)
            fuzz_seen += (size_t)event.stall.frames[i];
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!layout.class_count)
        learn();
    struct uvs__fast_stream stream;
    struct uvs_error error = {0};
    if (uvs__fast_stream_create(&stream, fuzz_write("ch_0", data, size), &layout, &error) > 0 && stream.class)
        read_all(&stream);
    uvs__fast_stream_clear(&stream);
    return 0;
}
