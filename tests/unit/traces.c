// SPDX-License-Identifier: MIT
// Writing them, and reading them through the worker.
#include "traces.h"
#include "src/command.h"
#include "src/worker.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define WITHOUT_HANGS (20 * SECOND)

struct outcome *outcome;
char complaint[4096];

static char directory[512];

int uvs_complain(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(complaint, sizeof(complaint), format, args);
    va_end(args);
    return code;
}

static void count(const struct uvs_event *event)
{
    if (event->type != UVS_EV_LOST) {
        outcome->times[outcome->events++ % KEPT] = event->time_ns;
        return;
    }
    outcome->lost[outcome->losses++ % 64] = event->lost;
}

static int read_trace(void *path, struct uvs_worker_progress *progress)
{
    struct uvs_reader *reader;
    const struct uvs_event *event;
    int result = uvs_reader_create(path, &reader, &outcome->error);
    if (result < 0)
        return -result;
    while ((result = uvs_reader_next(reader, &event, &outcome->error)) > 0) {
        count(event);
        atomic_fetch_add(&progress->events, 1);
    }
    // What has ended stays ended.
    if (uvs_reader_next(reader, &event, NULL) != result)
        result = -99;
    uvs_reader_destroy(reader);
    return -result;
}

int read_path(const char *path)
{
    memset(outcome, 0, sizeof(*outcome));
    complaint[0] = '\0';
    const int status = uvs_worker_run(read_trace, (void *)path, path, WITHOUT_HANGS, false);
    if (strstr(complaint, "no progress"))
        fail_msg("%s: %s", path, complaint);
    return status;
}

const char *in(const char *format, ...)
{
    static char paths[16][1024]; // each is good for 15 more calls
    static unsigned next;
    char *path = paths[next++ % 16];
    const int length = snprintf(path, 1024, "%s/", directory);
    va_list args;
    va_start(args, format);
    vsnprintf(path + length, 1024 - (size_t)length, format, args);
    va_end(args);
    return path;
}

const struct uvs_event *a_callback(uint64_t time_ns)
{
    static struct uvs_event event = {.type = UVS_EV_callback};
    event.time_ns = time_ns;
    event.callback = (struct uvs_ev_callback){.loop = 1 << UVS_SLOT_BITS,
                                              .op = time_ns,
                                              .kind = UVS_KIND_TIMER,
                                              .callback = 0x1000,
                                              .duration_ns = 5,
                                              .delay_ns = UVS_ABSENT,
                                              .result = -1};
    return &event;
}

void write_stream(const char *trace, const char *name, uint64_t first_ns)
{
    struct ctf_stream *stream = ctf_stream_open(trace, name);
    for (uint64_t packet = 0; packet < PACKETS; packet++) {
        const uint64_t begin_ns = first_ns + packet * PACKET_NS;
        for (uint64_t i = 0; i < PER_PACKET; i++)
            ctf_stream_event(stream, a_callback(begin_ns + i * 10));
        ctf_stream_packet(stream, begin_ns, begin_ns + PACKET_NS - 1, 0, 0);
    }
    ctf_stream_close(stream);
}

const char *write_trace(const char *name, uint64_t first_ns)
{
    const char *trace = in("%s", name);
    ctf_write_metadata(trace, &(struct ctf_variant){.clock_offset = 1795384077388641692});
    write_stream(trace, "ch_0", first_ns);
    write_stream(trace, "ch_1", first_ns + 5);
    return trace;
}

void expect_order(void)
{
    for (uint64_t i = 1; i < outcome->events && i < KEPT; i++)
        assert_true(outcome->times[i - 1] <= outcome->times[i]);
}

void expect_refusal(const char *path, const char *words)
{
    assert_int_equal(read_path(path), UVS_E_TRACE);
    assert_int_equal(outcome->events, 0);
    if (!strstr(outcome->error.text, words))
        fail_msg("%s: %s", path, outcome->error.text);
}

int set_up_traces(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/uvs-reader-XXXXXX");
    outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return outcome == MAP_FAILED || !mkdtemp(directory) ? -1 : 0;
}

int tear_down_traces(void **state)
{
    (void)state;
    char command[600];
    snprintf(command, sizeof(command), "rm -r %s", directory);
    munmap(outcome, sizeof(*outcome));
    return system(command);
}
