// SPDX-License-Identifier: MIT
// Callbacks: do this later, and then run that. The line after it runs first.
//
//     uvscope record -- timer [MILLISECONDS]      (default 1000)
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

static uint64_t start_ns;

static void say(const char *text)
{
    printf("%6.2f s  %s\n", (double)(uv_hrtime() - start_ns) / 1e9, text);
}

// Declared apart: it has a name, and may be handed to several timers.
static void declared_apart(uv_timer_t *timer)
{
    (void)timer;
    say("The callback that was declared apart.");
}

static void start_apart(uv_timer_t *timer, uint64_t delay_ms)
{
    uv_timer_start(timer, declared_apart, delay_ms, 0);
    say("The line after the first uv_timer_start.");
}

// In place, as far as C allows: it has no functions without a name, so the callback stands right above the
// only line that hands it over.
static void in_place(uv_timer_t *timer)
{
    (void)timer;
    say("The callback that was written in place.");
}
static void start_in_place(uv_timer_t *timer, uint64_t delay_ms)
{
    uv_timer_start(timer, in_place, delay_ms, 0);
    say("The line after the second uv_timer_start.");
}

int main(int argc, char **argv)
{
    uint64_t delay_ms = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000;
    start_ns = uv_hrtime();

    uv_loop_t *loop = uv_default_loop();
    uv_timer_t first, second;
    uv_timer_init(loop, &first);
    uv_timer_init(loop, &second);
    start_apart(&first, delay_ms);
    start_in_place(&second, delay_ms);
    return uv_run(loop, UV_RUN_DEFAULT);
}

// What to see in `uvscope report`: under Timers, how late each of the two callbacks was. A timer promises
// "not before", never "exactly at". Under Callbacks, how long each ran. Under Loops, nearly all of the time
// is poll: to wait costs nothing.
