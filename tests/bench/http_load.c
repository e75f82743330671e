// SPDX-License-Identifier: MIT
// Loads an HTTP server for a moment; prints the requests that it answered, the seconds that it took, and the
// seconds of processor time that the server's threads took for it. What is not the answering of requests is
// in none of them: connecting, the first request of each connection, and the end, which waits until the last
// request is answered.
//
//   http_load PORT PID MILLISECONDS
#include <arpa/inet.h>
#include <dirent.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 16, PATIENCE_MS = 60000 };

static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
static const char accepted[] = "HTTP/1.1 200 ";

static struct pollfd sockets[CONNECTIONS];
static size_t received[CONNECTIONS]; // of the reply that is awaited
static size_t reply_size;            // all replies are as long as the first

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void refuse(const char *what)
{
    fprintf(stderr, "http_load: %s\n", what);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t cpu_of_thread(const char *process, const char *thread)
{
    char path[512];
    uint64_t ns = 0;
    snprintf(path, sizeof(path), "%s/%s/schedstat", process, thread);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0; // it has ended meanwhile
    if (fscanf(file, "%" SCNu64, &ns) != 1)
        ns = 0;
    fclose(file);
    return ns;
}

static uint64_t cpu_ns(const char *pid)
{
    char process[128];
    uint64_t sum_ns = 0;
    snprintf(process, sizeof(process), "/proc/%s/task", pid);
    DIR *threads = opendir(process);
    if (!threads)
        fail(process);
    for (const struct dirent *entry; (entry = readdir(threads));)
        if (entry->d_name[0] != '.')
            sum_ns += cpu_of_thread(process, entry->d_name);
    closedir(threads);
    return sum_ns;
}

static int connect_to(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)))
        fail("connect");
    return fd;
}

static void ask(int i)
{
    received[i] = 0;
    if (write(sockets[i].fd, request, sizeof(request) - 1) != sizeof(request) - 1)
        fail("write");
}

// Of the reply that begins `text`; 0 while its header is not complete.
static size_t size_of_reply(const char *text)
{
    const char *body = strstr(text, "\r\n\r\n");
    if (!body)
        return 0;
    const char *length = strcasestr(text, "\r\nContent-Length: ");
    if (!length || length > body)
        refuse("a reply does not tell its length");
    return (size_t)(body + 4 - text) + strtoul(length + strlen("\r\nContent-Length: "), NULL, 10);
}

// True when the connection's reply is complete.
static bool read_reply(int i)
{
    char text[65536];
    const ssize_t got = read(sockets[i].fd, text, sizeof(text) - 1);
    if (got < 0)
        fail("read");
    if (got == 0)
        refuse("the server has closed a connection");
    text[got] = '\0';
    if (received[i] == 0 && strncmp(text, accepted, sizeof(accepted) - 1) != 0)
        refuse("a reply is not 200");
    if (!reply_size)
        reply_size = size_of_reply(text);
    received[i] += (size_t)got;
    if (reply_size && received[i] > reply_size)
        refuse("a reply is longer than the first");
    return received[i] == reply_size;
}

// Each connection asks, and goes on asking until `end_ns`; the number of replies.
static uint64_t serve_until(uint64_t end_ns)
{
    uint64_t replies = 0;
    int waiting = CONNECTIONS;
    for (int i = 0; i < CONNECTIONS; i++)
        ask(i);
    while (waiting > 0) {
        if (poll(sockets, CONNECTIONS, PATIENCE_MS) <= 0)
            refuse("the server does not answer");
        const bool goes_on = now_ns() < end_ns;
        for (int i = 0; i < CONNECTIONS; i++) {
            if (!sockets[i].revents || !read_reply(i))
                continue;
            replies++;
            if (goes_on)
                ask(i);
            else
                waiting--;
        }
    }
    return replies;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: http_load PORT PID MILLISECONDS\n");
        return 2;
    }
    for (int i = 0; i < CONNECTIONS; i++)
        sockets[i] = (struct pollfd){.fd = connect_to((uint16_t)strtoul(argv[1], NULL, 10)),
                                     .events = POLLIN};
    serve_until(0);
    const uint64_t begin_ns = now_ns(), cpu_begin_ns = cpu_ns(argv[2]);
    const uint64_t replies = serve_until(begin_ns + strtoull(argv[3], NULL, 10) * 1000000);
    printf("%" PRIu64 " %.9f %.9f\n", replies, (double)(now_ns() - begin_ns) / 1e9,
           (double)(cpu_ns(argv[2]) - cpu_begin_ns) / 1e9);
    return 0;
}
