// SPDX-License-Identifier: MIT
// Closes all descriptors that it does not know, also those above a limit that was lowered since they were
// opened, and goes on.
#include "truth.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LOW_LIMIT = 64, HIGH = 500 };

int close_range(unsigned first, unsigned last, int flags);

static struct truth_times times;

static void on_timer(uv_timer_t *timer)
{
    truth_add(&times, truth_busy(20));
    uv_close((uv_handle_t *)timer, NULL);
}

static void must_be_closed(int fd, const char *by)
{
    if (fcntl(fd, F_GETFD) >= 0) {
        fprintf(stderr, "%s left %d open\n", by, fd);
        exit(97);
    }
}

static void open_at(int fd)
{
    if (dup2(STDERR_FILENO, fd) != fd)
        exit(99);
}

int main(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur <= HIGH + 2)
        return 99;
    for (int fd = HIGH; fd <= HIGH + 2; fd++)
        open_at(fd);
    limit.rlim_cur = LOW_LIMIT;
    if (setrlimit(RLIMIT_NOFILE, &limit))
        return 99;
    if (close_range(HIGH, HIGH, 0))
        return 99;
    must_be_closed(HIGH, "close_range");
    if (fcntl(HIGH + 1, F_GETFD) < 0)
        return 96; // more than was asked for
    if (close_range(HIGH + 1, HIGH + 1000, 0))
        return 99;
    must_be_closed(HIGH + 1, "close_range");
    must_be_closed(HIGH + 2, "close_range");
    limit.rlim_cur = HIGH + 3;
    if (setrlimit(RLIMIT_NOFILE, &limit))
        return 99;
    open_at(HIGH);
    open_at(HIGH + 1);
    closefrom(HIGH + 1);
    must_be_closed(HIGH + 1, "closefrom");
    if (close_range(3, ~0u, 0))
        return 99;
    must_be_closed(HIGH, "close_range of all");

    uv_loop_t *loop = uv_default_loop();
    uv_timer_t timer;
    MUST(uv_timer_init(loop, &timer));
    MUST(uv_timer_start(&timer, on_timer, 0, 0));
    uv_run(loop, UV_RUN_DEFAULT);
    truth_fact_times("callbacks kind=timer site=on_timer duration", &times);
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
