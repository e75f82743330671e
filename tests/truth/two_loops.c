// SPDX-License-Identifier: MIT
// Two loops in two threads; one is blocked for 150 ms, the other ticks on.
#include "truth.h"

static uv_loop_t second;
static struct truth_times slow_times, tick_delay;
static uv_timer_t slow, ticker;
static uint64_t due_ns;
static int ticks;

static void on_slow(uv_timer_t *timer)
{
    truth_add(&slow_times, truth_busy(150));
    uv_close((uv_handle_t *)timer, NULL);
}

static void run_second(void *unused)
{
    (void)unused;
    MUST(uv_timer_init(&second, &slow));
    MUST(uv_timer_start(&slow, on_slow, 20, 0));
    uv_run(&second, UV_RUN_DEFAULT);
}

static void on_tick(uv_timer_t *timer)
{
    uint64_t now_ns = uv_hrtime();
    truth_add(&tick_delay, now_ns > due_ns ? now_ns - due_ns : 0);
    due_ns = (uv_now(timer->loop) + 20) * TRUTH_MS;
    if (++ticks == 10)
        uv_close((uv_handle_t *)timer, NULL);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    uv_thread_t thread;
    MUST(uv_loop_init(&second));
    MUST(uv_timer_init(loop, &ticker));
    MUST(uv_timer_start(&ticker, on_tick, 20, 20));
    due_ns = (uv_now(loop) + 20) * TRUTH_MS;
    MUST(uv_thread_create(&thread, run_second, NULL));
    uv_run(loop, UV_RUN_DEFAULT);
    MUST(uv_thread_join(&thread));
    MUST(uv_loop_close(&second));
    truth_fact_times("callbacks kind=timer site=on_slow duration", &slow_times);
    truth_fact("callbacks kind=timer site=on_tick delay.count 10");
    truth_fact("callbacks kind=timer site=on_tick delay.max_ns %llu", (unsigned long long)tick_delay.max_ns);
    truth_fact("loops main=false blocked.count 1");
    truth_fact("loops main=false blocked.worst.0.class long_callback");
    truth_fact("loops main=true iterations >=10");
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
