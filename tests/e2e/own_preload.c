// SPDX-License-Identifier: MIT
// A preload of the user's own, in front of the same libuv: it counts timers and says so at exit.
#include <dlfcn.h>
#include <stdio.h>
#include <uv.h>

static int timers;

int uv_timer_start(uv_timer_t *timer, uv_timer_cb callback, uint64_t timeout, uint64_t repeat)
{
    int (*real)(uv_timer_t *, uv_timer_cb, uint64_t, uint64_t) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "uv_timer_start");
    timers++;
    return real(timer, callback, timeout, repeat);
}

__attribute__((destructor)) static void say(void)
{
    if (timers)
        printf("own preload: %d timers\n", timers);
}
