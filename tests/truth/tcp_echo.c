// SPDX-License-Identifier: MIT
// A server and a client in one loop: connect, connection, read, write, shutdown and close, counted and timed.
#include "truth.h"

enum { ROUNDS = 50 };
static uv_tcp_t server, peer, client;
static uv_connect_t connecting;
static uv_write_t asking, answering;
static uv_shutdown_t shutting;
static uint64_t connect_ns, ask_ns, answer_ns, shutdown_ns;
static struct truth_times connects, asks, answers, shutdowns;
static int asked, heard, answered, closed;
static char room[64];

static void on_close(uv_handle_t *handle)
{
    (void)handle;
    closed++;
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    (void)handle;
    (void)size;
    *buffer = uv_buf_init(room, sizeof(room));
}

static void on_asked(uv_write_t *request, int status)
{
    truth_add(&asks, uv_hrtime() - ask_ns);
    MUST(status);
    (void)request;
}

static void ask(void)
{
    uv_buf_t buffer = uv_buf_init((char *)"hello", 5);
    asked++;
    ask_ns = uv_hrtime();
    MUST(uv_write(&asking, (uv_stream_t *)&client, &buffer, 1, on_asked));
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    truth_add(&shutdowns, uv_hrtime() - shutdown_ns);
    MUST(status);
    uv_close((uv_handle_t *)request->handle, on_close);
}

static void on_answer(uv_stream_t *stream, ssize_t read, const uv_buf_t *buffer)
{
    (void)buffer;
    if (read <= 0)
        return;
    heard++;
    if (asked < ROUNDS) {
        ask();
        return;
    }
    shutdown_ns = uv_hrtime();
    MUST(uv_shutdown(&shutting, stream, on_shutdown));
}

static void on_connect(uv_connect_t *request, int status)
{
    truth_add(&connects, uv_hrtime() - connect_ns);
    MUST(status);
    MUST(uv_read_start(request->handle, on_alloc, on_answer));
    ask();
}

static void on_answered(uv_write_t *request, int status)
{
    (void)request;
    truth_add(&answers, uv_hrtime() - answer_ns);
    MUST(status);
}

static void on_question(uv_stream_t *stream, ssize_t read, const uv_buf_t *buffer)
{
    if (read < 0) {
        uv_close((uv_handle_t *)stream, on_close);
        uv_close((uv_handle_t *)&server, on_close);
        return;
    }
    uv_buf_t answer = uv_buf_init(buffer->base, (unsigned)read);
    answered++;
    answer_ns = uv_hrtime();
    MUST(uv_write(&answering, stream, &answer, 1, on_answered));
}

static void on_connection(uv_stream_t *stream, int status)
{
    MUST(status);
    MUST(uv_tcp_init(stream->loop, &peer));
    MUST(uv_accept(stream, (uv_stream_t *)&peer));
    MUST(uv_read_start((uv_stream_t *)&peer, on_alloc, on_question));
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    struct sockaddr_in address;
    int length = sizeof(address);
    MUST(uv_ip4_addr("127.0.0.1", 0, &address));
    MUST(uv_tcp_init(loop, &server));
    MUST(uv_tcp_bind(&server, (struct sockaddr *)&address, 0));
    MUST(uv_listen((uv_stream_t *)&server, 8, on_connection));
    MUST(uv_tcp_getsockname(&server, (struct sockaddr *)&address, &length));
    MUST(uv_tcp_init(loop, &client));
    connect_ns = uv_hrtime();
    MUST(uv_tcp_connect(&connecting, &client, (struct sockaddr *)&address, on_connect));
    uv_run(loop, UV_RUN_DEFAULT);
    truth_fact("callbacks kind=connection site=on_connection count 1");
    truth_fact("callbacks kind=read site=on_question count %d", answered + 1); // and the end
    truth_fact_times("callbacks kind=connect site=on_connect latency", &connects);
    truth_fact_times("callbacks kind=write site=on_asked latency", &asks);
    truth_fact_times("callbacks kind=write site=on_answered latency", &answers);
    truth_fact_times("callbacks kind=shutdown site=on_shutdown latency", &shutdowns);
    truth_fact("callbacks kind=close site=on_close count %d", closed);
    truth_fact("callbacks kind=close site=on_close delay.count %d", closed);
    return heard == ROUNDS && closed == 3 && uv_loop_close(loop) == 0 ? 0 : 98;
}
