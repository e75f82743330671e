// SPDX-License-Identifier: MIT
// Datagrams to a socket that takes several at once: with UV_UDP_RECVMMSG libuv calls once more to give the
// buffer back, also when the socket is being closed.
#include "truth.h"

enum { DATAGRAMS = 20 };
static uv_udp_t receiver, sender;
static uv_udp_send_t sends[DATAGRAMS];
static uint64_t send_ns[DATAGRAMS];
static struct truth_times latencies;
static int received, calls, sent, after_close;
static char room[20 * 65536];

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    (void)handle;
    (void)size;
    *buffer = uv_buf_init(room, sizeof(room));
}

static void on_datagram(uv_udp_t *udp, ssize_t read, const uv_buf_t *buffer, const struct sockaddr *from,
                        unsigned flags)
{
    (void)buffer;
    (void)flags;
    calls++;
    after_close += uv_is_closing((uv_handle_t *)udp) != 0;
    if (read <= 0 || !from)
        return;
    if (++received == DATAGRAMS) {
        uv_close((uv_handle_t *)udp, NULL);
        uv_close((uv_handle_t *)&sender, NULL);
    }
}

static void on_sent(uv_udp_send_t *request, int status)
{
    truth_add(&latencies, uv_hrtime() - send_ns[request - sends]);
    MUST(status);
    sent++;
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    struct sockaddr_in address;
    int length = sizeof(address);
    MUST(uv_ip4_addr("127.0.0.1", 0, &address));
    MUST(uv_udp_init_ex(loop, &receiver, AF_INET | UV_UDP_RECVMMSG));
    MUST(uv_udp_bind(&receiver, (struct sockaddr *)&address, 0));
    MUST(uv_udp_getsockname(&receiver, (struct sockaddr *)&address, &length));
    MUST(uv_udp_recv_start(&receiver, on_alloc, on_datagram));
    MUST(uv_udp_init(loop, &sender));
    uv_buf_t buffer = uv_buf_init((char *)"datagram", 8);
    for (int i = 0; i < DATAGRAMS; i++) {
        send_ns[i] = uv_hrtime();
        MUST(uv_udp_send(&sends[i], &sender, &buffer, 1, (struct sockaddr *)&address, on_sent));
    }
    uv_run(loop, UV_RUN_DEFAULT);
    truth_fact("callbacks kind=udp_recv site=on_datagram count %d", calls);
    truth_fact_times("callbacks kind=udp_send site=on_sent latency", &latencies);
    return sent == DATAGRAMS && after_close >= 1 && uv_loop_close(loop) == 0 ? 0 : 98;
}
