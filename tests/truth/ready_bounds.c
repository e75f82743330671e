// SPDX-License-Identifier: MIT
// A pipe that becomes readable at the begin of a callback of 100 ms: its reader is late by that. From inside only bounds
// can be known, and the truth lies between them. It is filled by uv_try_write, which is counted.
#include "truth.h"

#include <fcntl.h>
#include <unistd.h>

enum { WRITES = 7 };
static uv_timer_t slow;
static uv_pipe_t writer;
static uv_poll_t reader;
static uint64_t written_ns;

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)events;
    MUST(status);
    uint64_t late_ns = uv_hrtime() - written_ns;
    truth_fact("callbacks kind=poll site=on_ready delay.max_ns <=%llu", (unsigned long long)late_ns);
    truth_fact("callbacks kind=poll site=on_ready delay_most.max_ns >=%llu", (unsigned long long)late_ns);
    truth_fact("callbacks kind=poll site=on_ready delay_most.max_ns <=%llu",
               (unsigned long long)(late_ns + 10 * TRUTH_MS));
    uv_close((uv_handle_t *)poll, NULL);
    uv_close((uv_handle_t *)&writer, NULL);
}

static void on_slow(uv_timer_t *timer)
{
    written_ns = uv_hrtime();
    for (int i = 0; i < WRITES; i++) {
        char byte = 'x';
        uv_buf_t buffer = uv_buf_init(&byte, 1);
        MUST(uv_try_write((uv_stream_t *)&writer, &buffer, 1));
    }
    truth_busy(100);
    uv_close((uv_handle_t *)timer, NULL);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
        return 97;
    MUST(uv_pipe_init(loop, &writer, 0));
    MUST(uv_pipe_open(&writer, ends[1]));
    MUST(uv_poll_init(loop, &reader, ends[0]));
    MUST(uv_poll_start(&reader, UV_READABLE, on_ready));
    MUST(uv_timer_init(loop, &slow));
    MUST(uv_timer_start(&slow, on_slow, 5, 0));
    uv_run(loop, UV_RUN_DEFAULT);
    truth_fact("loops try_writes %d", WRITES);
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
