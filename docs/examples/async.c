// SPDX-License-Identifier: MIT
// Asynchronous: the same slow work, handed to a worker of the thread pool. The loop stays free.
//
//     uvscope record -- async [SECONDS]      (default 10)
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

static void superSlowFunction(void)
{
    uint64_t end_ns = uv_hrtime() + (uint64_t)(seconds * 1e9);
    while (uv_hrtime() < end_ns)
        continue;
}

// Runs on a worker thread: here it may be slow.
static void slow_async_function(uv_work_t *request)
{
    (void)request;
    superSlowFunction();
}

// Runs on the loop's thread again, once the worker has finished.
static void when_finished(uv_work_t *request, int status)
{
    (void)request;
    say(status == 0 ? "The slow function has finished." : uv_strerror(status));
}

static void my_callback(uv_timer_t *timer)
{
    static uv_work_t request;
    say("Hello! I start something slow in the background.");
    uv_queue_work(timer->loop, &request, slow_async_function, when_finished);
    say("All Done!"); // at once
}

static void due_meanwhile(uv_timer_t *timer)
{
    (void)timer;
    say("I am on time.");
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

// What to see in `uvscope report`: the first line says that nothing blocked the loop. Under Pool requests,
// slow_async_function has the slow time as its service (a worker ran it), next to no queue (a worker was
// free) and next to no return (the loop was free to call when_finished). Under Callbacks, due_meanwhile has
// next to no delay.
