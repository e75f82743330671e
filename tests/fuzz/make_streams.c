// SPDX-License-Identifier: MIT
// make_streams DIRECTORY LOG…: the events of each text log as a trace, DIRECTORY/NAME, of two streams that
// take turns, with a packet for every few events.
#include "tests/unit/ctf_writer.h"

#include "analysis/reader.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAMS = 2, PER_PACKET = 8 };

struct half {
    struct ctf_stream *stream;
    uint64_t begin_ns, end_ns, discarded;
    unsigned count;
};

static void flush(struct half *half)
{
    if (half->count > 0)
        ctf_stream_packet(half->stream, half->begin_ns, half->end_ns, half->discarded, 0);
    half->count = 0;
    half->discarded = 0;
}

static void add(struct half *half, const struct uvs_event *event)
{
    if (event->type == UVS_EV_LOST) {
        half->discarded += event->lost.events == UVS_ABSENT ? 1 : event->lost.events;
        return;
    }
    // The clock of a stream does not go back, whatever the log says.
    struct uvs_event copy = *event;
    if (copy.time_ns < half->end_ns)
        copy.time_ns = half->end_ns;
    if (half->count == 0)
        half->begin_ns = copy.time_ns;
    half->end_ns = copy.time_ns;
    ctf_stream_event(half->stream, &copy);
    if (++half->count == PER_PACKET)
        flush(half);
}

static bool convert(const char *log, const char *trace)
{
    struct uvs_error error = {0};
    struct uvs_reader *reader;
    const struct uvs_event *event;
    ctf_write_metadata(trace, &(struct ctf_variant){0});
    if (uvs_reader_create(log, &reader, &error) < 0) {
        fprintf(stderr, "%s\n", error.text);
        return false;
    }
    struct half halves[STREAMS] = {{.stream = ctf_stream_open(trace, "ch_0")},
                                   {.stream = ctf_stream_open(trace, "ch_1")}};
    for (size_t i = 0; uvs_reader_next(reader, &event, &error) > 0; i++)
        add(&halves[i % STREAMS], event);
    for (size_t i = 0; i < STREAMS; i++) {
        flush(&halves[i]);
        ctf_stream_close(halves[i].stream);
    }
    uvs_reader_destroy(reader);
    return true;
}

int main(int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        char trace[4096];
        const char *slash = strrchr(argv[i], '/'), *name = slash ? slash + 1 : argv[i];
        snprintf(trace, sizeof(trace), "%s/%.*s", argv[1], (int)strcspn(name, "."), name);
        if (!convert(argv[i], trace))
            return 1;
    }
    return 0;
}
