// SPDX-License-Identifier: MIT
// A pipe of the inter-process kind: write2 passes a listening socket from one end to the other; try_write is
// no callback.
#include "truth.h"

#include <sys/socket.h>

static uv_pipe_t sender, receiver;
static uv_tcp_t passed, taken;
static uv_write_t passing;
static uint64_t pass_ns;
static struct truth_times passes;
static int reads;
static char room[64];

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    (void)handle;
    (void)size;
    *buffer = uv_buf_init(room, sizeof(room));
}

static void on_read(uv_stream_t *stream, ssize_t read, const uv_buf_t *buffer)
{
    (void)buffer;
    reads++;
    if (read < 0) {
        uv_close((uv_handle_t *)stream, NULL);
        return;
    }
    if (uv_pipe_pending_count(&receiver) == 0)
        return;
    MUST(uv_tcp_init(stream->loop, &taken));
    MUST(uv_accept(stream, (uv_stream_t *)&taken));
    uv_close((uv_handle_t *)&taken, NULL);
    uv_close((uv_handle_t *)&sender, NULL);
}

static void on_passed(uv_write_t *request, int status)
{
    (void)request;
    truth_add(&passes, uv_hrtime() - pass_ns);
    MUST(status);
    uv_close((uv_handle_t *)&passed, NULL);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    struct sockaddr_in address;
    int ends[2];
    MUST(-socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    MUST(uv_pipe_init(loop, &sender, 1));
    MUST(uv_pipe_init(loop, &receiver, 1));
    MUST(uv_pipe_open(&sender, ends[0]));
    MUST(uv_pipe_open(&receiver, ends[1]));
    MUST(uv_ip4_addr("127.0.0.1", 0, &address));
    MUST(uv_tcp_init(loop, &passed));
    MUST(uv_tcp_bind(&passed, (struct sockaddr *)&address, 0));
    MUST(uv_read_start((uv_stream_t *)&receiver, on_alloc, on_read));
    uv_buf_t buffer = uv_buf_init((char *)"x", 1);
    MUST(uv_try_write((uv_stream_t *)&sender, &buffer, 1));
    pass_ns = uv_hrtime();
    MUST(uv_write2(&passing, (uv_stream_t *)&sender, &buffer, 1, (uv_stream_t *)&passed, on_passed));
    uv_run(loop, UV_RUN_DEFAULT);
    truth_fact_times("callbacks kind=write site=on_passed latency", &passes);
    truth_fact("callbacks kind=read site=on_read count %d", reads);
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
