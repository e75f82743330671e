// SPDX-License-Identifier: MIT
// Two callbacks of different size run while a timer is due: each is to blame for what it took after that.
#include "truth.h"

static uv_timer_t big, small, victim;
static uint64_t due_ns, big_ns, small_ns, late_ns;

// How much of [begin_ns, now) the victim waited for.
static uint64_t after_due(uint64_t begin_ns)
{
    return uv_hrtime() - (begin_ns > due_ns ? begin_ns : due_ns);
}

static void on_big(uv_timer_t *timer)
{
    uint64_t begin_ns = uv_hrtime();
    truth_busy(120);
    uv_close((uv_handle_t *)timer, NULL);
    big_ns = after_due(begin_ns);
}

static void on_small(uv_timer_t *timer)
{
    uint64_t begin_ns = uv_hrtime();
    truth_busy(50);
    uv_close((uv_handle_t *)timer, NULL);
    small_ns = after_due(begin_ns);
}

static void on_victim(uv_timer_t *timer)
{
    late_ns = uv_hrtime() - due_ns;
    uv_close((uv_handle_t *)timer, NULL);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    MUST(uv_timer_init(loop, &big));
    MUST(uv_timer_init(loop, &small));
    MUST(uv_timer_init(loop, &victim));
    MUST(uv_timer_start(&big, on_big, 10, 0));
    MUST(uv_timer_start(&small, on_small, 11, 0));
    MUST(uv_timer_start(&victim, on_victim, 30, 0));
    due_ns = (uv_now(loop) + 30) * TRUTH_MS;
    uv_run(loop, UV_RUN_DEFAULT);
    truth_fact("blame.victims kind=timer site=on_victim count 1");
    truth_fact("blame.victims kind=timer site=on_victim suffered_ns %llu", (unsigned long long)late_ns);
    truth_fact("blame.victims kind=timer site=on_victim by.0.site.function on_big");
    truth_fact("blame.victims kind=timer site=on_victim by.0.ns %llu", (unsigned long long)big_ns);
    truth_fact("blame.victims kind=timer site=on_victim by.0.times 1");
    truth_fact("blame.victims kind=timer site=on_victim by.1.site.function on_small");
    truth_fact("blame.victims kind=timer site=on_victim by.1.ns %llu", (unsigned long long)small_ns);
    truth_fact("blame.culprits kind=timer site=on_big inflicted_ns >=%llu",
               (unsigned long long)big_ns - TRUTH_MS);
    truth_fact("blame.culprits kind=timer site=on_small worst_ns %llu", (unsigned long long)small_ns);
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
