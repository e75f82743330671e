// SPDX-License-Identifier: MIT
// Reads a trace to its end, as a report does but on one thread, and does nothing with it: `EVENTS CPU_NS` of
// the decoding alone.
//
//   bench_reader auto|fast|babeltrace2 TRACE
#include "analysis/reader_ahead.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int fail(const struct uvs_error *error)
{
    fprintf(stderr, "bench_reader: %s\n", error->text);
    return 1;
}

static int read_all(enum uvs_reader_choice choice, const char *path)
{
    struct uvs_error error = {0};
    struct uvs_reader *decoder;
    const struct uvs_event *some;
    size_t count;
    uint64_t events = 0;
    if (uvs_reader_create_of(choice, path, &decoder, &error) < 0)
        return fail(&error);
    struct uvs_reader *ahead = uvs__reader_ahead_create(decoder, false), *reader = ahead ? ahead : decoder;
    const uint64_t begin_ns = cpu_ns();
    int result;
    while ((result = uvs_reader_next_some(reader, &some, &count, &error)) > 0)
        events += count;
    printf("%" PRIu64 " %" PRIu64 "\n", events, cpu_ns() - begin_ns);
    uvs_reader_destroy(reader);
    return result < 0 ? fail(&error) : 0;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"auto", "fast", "babeltrace2"};
    for (int i = 0; argc == 3 && i < 3; i++)
        if (strcmp(argv[1], names[i]) == 0)
            return read_all((enum uvs_reader_choice)i, argv[2]);
    fprintf(stderr, "usage: bench_reader auto|fast|babeltrace2 TRACE\n");
    return 2;
}
