// SPDX-License-Identifier: MIT
// Handles that are open when they should not be. Loop 0: refused to be closed, with a timer in memory that
// was given back, an idle handle that is closing, and a listening socket. Loop 1: refused once, closed in the
// end. Loop 2: the program ends inside a callback of it.
#include "truth.h"

#include <sys/mman.h>

static uv_timer_t due, unreferenced, stopped;
static uv_tcp_t server;
static uv_idle_t idle;

static void on_connection(uv_stream_t *stream, int status)
{
    (void)stream, (void)status;
}

static void on_idle(uv_idle_t *handle)
{
    (void)handle;
}

static void on_late(uv_timer_t *timer)
{
    (void)timer;
}

static void on_due(uv_timer_t *timer)
{
    (void)timer;
    exit(0);
}

static void listen_on(uv_loop_t *loop, uv_tcp_t *tcp)
{
    struct sockaddr_in address;
    MUST(uv_tcp_init(loop, tcp));
    MUST(uv_ip4_addr("127.0.0.1", 0, &address));
    MUST(uv_tcp_bind(tcp, (const struct sockaddr *)&address, 0));
    MUST(uv_listen((uv_stream_t *)tcp, 1, on_connection));
}

static void must_be_refused(uv_loop_t *loop)
{
    if (uv_loop_close(loop) != UV_EBUSY)
        exit(98);
}

// The last one in the loop's list is gone: what is before it is known.
static void be_refused(uv_loop_t *loop)
{
    uv_timer_t *gone = mmap(NULL, sizeof(*gone), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(gone == MAP_FAILED ? -1 : 0);
    listen_on(loop, &server);
    MUST(uv_idle_init(loop, &idle));
    MUST(uv_idle_start(&idle, on_idle));
    uv_run(loop, UV_RUN_NOWAIT);
    uv_close((uv_handle_t *)&idle, NULL);
    MUST(uv_timer_init(loop, gone));
    MUST(munmap(gone, sizeof(*gone)));
    must_be_refused(loop);
    truth_fact("loops loop=0 handles_open.when close");
    truth_fact("loops loop=0 handles_open.count 2");
    truth_fact("loops loop=0 handles_open.keeping 1");
    truth_fact("loops loop=0 handles_open.closing 1");
    truth_fact("loops loop=0 handles_open.handles.0.type tcp");
    truth_fact("loops loop=0 handles_open.handles.0.callback.function on_connection");
    truth_fact("loops loop=0 handles_open.handles.1.type idle");
    truth_fact("findings id=loop-not-closed severity warning");
}

static void close_in_the_end(uv_loop_t *loop)
{
    uv_timer_t timer;
    MUST(uv_timer_init(loop, &timer));
    uv_run(loop, UV_RUN_NOWAIT);
    must_be_refused(loop);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(loop, UV_RUN_DEFAULT);
    MUST(uv_loop_close(loop));
    truth_fact("loops loop=1 handles_open null");
}

int main(void)
{
    static uv_loop_t refused, closed, running;
    MUST(uv_loop_init(&refused));
    MUST(uv_loop_init(&closed));
    MUST(uv_loop_init(&running));
    be_refused(&refused);
    close_in_the_end(&closed);
    MUST(uv_timer_init(&running, &stopped));
    MUST(uv_timer_init(&running, &unreferenced));
    MUST(uv_timer_start(&unreferenced, on_late, 100000, 0));
    uv_unref((uv_handle_t *)&unreferenced);
    MUST(uv_timer_init(&running, &due));
    MUST(uv_timer_start(&due, on_due, 5, 5));
    truth_fact("loops loop=2 handles_open.when exit");
    truth_fact("loops loop=2 handles_open.count 3");
    truth_fact("loops loop=2 handles_open.keeping 1");
    truth_fact("loops loop=2 handles_open.handles.0.type timer");
    truth_fact("loops loop=2 handles_open.handles.0.callback.function on_due");
    truth_fact("loops loop=2 handles_open.handles.0.keeping 1");
    truth_fact("findings id=handles-open severity info");
    uv_run(&running, UV_RUN_DEFAULT);
    return 97; // not reached
}
