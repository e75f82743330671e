// SPDX-License-Identifier: MIT
// Exceptions that leave callbacks through libuv, and what runs on a loop afterwards.
#include <cstdio>
#include <stdexcept>
#include <uv.h>

static int thrown;

struct noisy {
    ~noisy()
    {
        std::puts("unwound");
    }
};

static void on_timer(uv_timer_t *timer)
{
    noisy object;
    if (++thrown <= 3)
        throw std::runtime_error("from a timer");
    uv_close(reinterpret_cast<uv_handle_t *>(timer), nullptr);
}

static void on_other(uv_timer_t *timer)
{
    std::puts("another loop");
    uv_close(reinterpret_cast<uv_handle_t *>(timer), nullptr);
}

int main()
{
    uv_loop_t *loop = uv_default_loop();
    uv_timer_t timer;
    uv_timer_init(loop, &timer);
    uv_timer_start(&timer, on_timer, 1, 1);
    for (bool over = false; !over;) {
        try {
            uv_run(loop, UV_RUN_DEFAULT);
            over = true;
        } catch (const std::runtime_error &error) {
            std::puts(error.what());
        }
    }
    uv_loop_t other;
    uv_loop_init(&other);
    uv_timer_t last;
    uv_timer_init(&other, &last);
    uv_timer_start(&last, on_other, 1, 0);
    uv_run(&other, UV_RUN_DEFAULT);
    std::printf("closed %d %d\n", uv_loop_close(&other), uv_loop_close(loop));
    return 23;
}
