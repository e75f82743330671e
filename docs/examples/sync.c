// SPDX-License-Identifier: MIT
// Synchronous: one slow function holds the loop, and all the rest of the program waits for it.
//
//     uvscope record -- sync [SECONDS]      (default 10)
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

static double seconds = 10;
static uint64_t start_ns;

static void say(const char *text)
{
    printf("%6.2f s  %s\n", (double)(uv_hrtime() - start_ns) / 1e9, text);
}

// Computes for `seconds` and does not let go of the thread before it has finished.
static void superSlowFunction(void)
{
    uint64_t end_ns = uv_hrtime() + (uint64_t)(seconds * 1e9);
    while (uv_hrtime() < end_ns)
        continue;
}

static void my_callback(uv_timer_t *timer)
{
    (void)timer;
    say("Hello! I start something slow.");
    superSlowFunction();
    say("All Done!");
}

// Somebody else's work. It was due early, but there is one thread and my_callback has it.
static void due_meanwhile(uv_timer_t *timer)
{
    (void)timer;
    say("I was due long ago.");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        seconds = atof(argv[1]);
    start_ns = uv_hrtime();

    uv_loop_t *loop = uv_default_loop();
    uv_timer_t first, second;
    uv_timer_init(loop, &first);
    uv_timer_init(loop, &second);
    uv_timer_start(&first, my_callback, 0, 0);
    uv_timer_start(&second, due_meanwhile, (uint64_t)(seconds * 100), 0); // after a tenth of the slow time
    return uv_run(loop, UV_RUN_DEFAULT);
}

// What to see in `uvscope report`: the first line says that my_callback blocked the loop, and for how long.
// Under Callbacks, my_callback's duration is the slow time; due_meanwhile's delay is about as long, although
// its own duration is next to nothing.
