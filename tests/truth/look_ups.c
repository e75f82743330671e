// SPDX-License-Identifier: MIT
// Names and random bytes. The program's own getaddrinfo takes 60 ms: of four, two at a time may run, and two
// wait although workers are free.
#include "truth.h"

#include <netdb.h>

enum { LOOK_UPS = 4, CAP = 2 };
static uv_getaddrinfo_t look_ups[LOOK_UPS];
static uv_getnameinfo_t reverse;
static uv_random_t random_request;
static struct truth_times queue, service;
static uv_mutex_t mutex;
static uint64_t submit_ns;
static char bytes[16];

// libuv's workers call this one.
__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *port,
                                                       const struct addrinfo *hints, struct addrinfo **result)
{
    (void)node;
    (void)port;
    (void)hints;
    uint64_t begin_ns = uv_hrtime();
    *result = NULL;
    uv_sleep(60);
    uv_mutex_lock(&mutex);
    truth_add(&queue, begin_ns - submit_ns);
    truth_add(&service, uv_hrtime() - begin_ns);
    uv_mutex_unlock(&mutex);
    return EAI_NONAME;
}

static void on_address(uv_getaddrinfo_t *request, int status, struct addrinfo *result)
{
    (void)request;
    (void)result;
    MUST(status == UV_EAI_NONAME ? 0 : -1);
}

static void on_name(uv_getnameinfo_t *request, int status, const char *host, const char *port)
{
    (void)request;
    (void)host;
    (void)port;
    MUST(status);
}

static void on_random(uv_random_t *request, int status, void *buffer, size_t length)
{
    (void)request;
    (void)buffer;
    (void)length;
    MUST(status);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    struct sockaddr_in address;
    MUST(uv_mutex_init(&mutex));
    MUST(uv_ip4_addr("127.0.0.1", 80, &address));
    submit_ns = uv_hrtime();
    for (int i = 0; i < LOOK_UPS; i++)
        MUST(uv_getaddrinfo(loop, &look_ups[i], on_address, "somewhere", NULL, NULL));
    uint64_t submitting_ns = uv_hrtime() - submit_ns; // the pool's threads are made meanwhile
    uv_run(loop, UV_RUN_DEFAULT);
    MUST(uv_getnameinfo(loop, &reverse, on_name, (struct sockaddr *)&address,
                        NI_NUMERICHOST | NI_NUMERICSERV));
    MUST(uv_random(loop, &random_request, bytes, sizeof(bytes), 0, on_random));
    uv_run(loop, UV_RUN_DEFAULT);
    truth_fact("pool.requests kind=getaddrinfo site=on_address slow_io_capped %d", LOOK_UPS - CAP);
    truth_fact_times("pool.requests kind=getaddrinfo site=on_address service", &service);
    truth_fact("pool.requests kind=getaddrinfo site=on_address queue.max_ns <=%llu",
               (unsigned long long)(queue.max_ns + TRUTH_MS));
    truth_fact("pool.requests kind=getaddrinfo site=on_address queue.max_ns >=%llu",
               (unsigned long long)(queue.max_ns - submitting_ns - TRUTH_MS));
    truth_fact("pool.requests kind=getnameinfo site=on_name queue.count 1");
    truth_fact("pool.requests kind=random site=on_random return.count 1");
    truth_fact("callbacks kind=getnameinfo site=on_name count 1");
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
