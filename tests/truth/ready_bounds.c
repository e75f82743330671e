// SPDX-License-Identifier: MIT
// A pipe that becomes readable at the begin of a callback of 100 ms: its reader is late by that. From inside
// only bounds can be known, and the truth lies between them. It is filled by uv_try_write, which is counted.
#include "truth.h"

#include <fcntl.h>
#include <unistd.h>

enum { WRITES = 7 };
static uv_timer_t slow;
static uv_prepare_t before_poll;
static uv_pipe_t writer;
static uv_poll_t reader;
static uint64_t polled_ns, written_ns, over_ns;

// However long a thread is kept from running between a moment here and one of the runtime's, these hold: the
// order of both is known.
static void on_ready(uv_poll_t *poll, int status, int events)
{
    const uint64_t now_ns = uv_hrtime();
    (void)events;
    MUST(status);
    // It cannot have been seen before it was written.
    truth_fact("callbacks kind=poll site=on_ready delay.max_ns <=%llu",
               (unsigned long long)(now_ns - written_ns));
    // It waited all the time that its writer was busy.
    truth_fact("callbacks kind=poll site=on_ready delay_most.max_ns >=%llu",
               (unsigned long long)(over_ns - written_ns));
    // The poll before, which did not see it, had not begun then.
    truth_fact("callbacks kind=poll site=on_ready delay_most.max_ns <=%llu",
               (unsigned long long)(now_ns - polled_ns));
    uv_close((uv_handle_t *)poll, NULL);
    uv_close((uv_handle_t *)&writer, NULL);
    uv_close((uv_handle_t *)&before_poll, NULL);
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
    // A handle that is closing keeps the next poll from waiting.
    uv_close((uv_handle_t *)timer, NULL);
    over_ns = uv_hrtime();
}

static void on_prepare(uv_prepare_t *prepare)
{
    (void)prepare;
    if (!written_ns)
        polled_ns = uv_hrtime();
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
    MUST(uv_prepare_init(loop, &before_poll));
    MUST(uv_prepare_start(&before_poll, on_prepare));
    MUST(uv_timer_init(loop, &slow));
    MUST(uv_timer_start(&slow, on_slow, 5, 0));
    uv_run(loop, UV_RUN_DEFAULT);
    truth_fact("loops try_writes %d", WRITES);
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
