// SPDX-License-Identifier: MIT
// Functions whose symbols have 100,000 characters, of which readers.bats writes over the first ones: a loop
// that they hold, a request that waits for another, and calls that wait.
#include <uv.h>

#define TEN(text)  text text text text text text text text text text
#define HOSTILE(n) "UVS_HOSTILE_" n TEN(TEN(TEN(TEN("yyyyyyyyyy"))))

static void hold_loop(uv_timer_t *timer) __asm__(HOSTILE("timer_"));
static void work_long(uv_work_t *work) __asm__(HOSTILE("work_"));

static void wait_ms(uint64_t ms)
{
    const uint64_t begin_ns = uv_hrtime();
    while (uv_hrtime() - begin_ns < ms * 1000000)
        ;
}

__attribute__((noinline)) static void hold_loop(uv_timer_t *timer)
{
    uv_fs_t stat;
    uv_fs_stat(timer->loop, &stat, "/", NULL);
    uv_fs_req_cleanup(&stat);
    wait_ms(120);
}

__attribute__((noinline)) static void work_long(uv_work_t *work)
{
    (void)work;
    uv_sleep(30);
}

static void after_work(uv_work_t *work, int status)
{
    (void)work, (void)status;
}

int main(void)
{
    static uv_timer_t timers[2];
    static uv_work_t works[12];
    uv_loop_t *loop = uv_default_loop();
    for (int i = 0; i < 2; i++) {
        uv_timer_init(loop, &timers[i]);
        uv_timer_start(&timers[i], hold_loop, 1, 0);
    }
    for (int i = 0; i < 12; i++)
        uv_queue_work(loop, &works[i], work_long, after_work);
    return uv_run(loop, UV_RUN_DEFAULT);
}
